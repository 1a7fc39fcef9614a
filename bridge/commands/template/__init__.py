"""Tables to start from, as files. The door is `command.template`; `tests/support/templates.py` makes the files."""
