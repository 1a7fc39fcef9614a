"""Owners from any CRM with a JSON API over HTTP, described in YAML. The door is `connector.RestConnector`."""
