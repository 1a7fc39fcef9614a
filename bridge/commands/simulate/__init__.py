"""`omi-bridge simulate`: plays OMICall against the endpoint. The door is `command.simulate`."""
