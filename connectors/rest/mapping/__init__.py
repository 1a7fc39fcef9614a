"""Taking values out of a CRM's JSON. The door is `expression.Expression`."""
