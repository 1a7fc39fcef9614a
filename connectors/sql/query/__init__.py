"""The admin's SELECT: checked before it ever runs. The door is `query.Query`."""
