"""Owners from a table that is read as a whole, whatever its form. The door is `connector.TableConnector`."""
