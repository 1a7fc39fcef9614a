"""The configuration as typed settings, or every problem in it with its place. The door is `loading.load_config`."""
