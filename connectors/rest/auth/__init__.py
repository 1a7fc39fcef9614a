"""How the rest connector proves who it is. The door is `choices.authentication`."""
