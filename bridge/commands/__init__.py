"""The command line. The door is `main.main`."""
