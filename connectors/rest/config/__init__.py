"""What the configuration may say about a CRM. The door is `config.RestConfig`."""
