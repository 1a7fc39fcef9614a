"""From an owner to extensions.

The doors are `lists.ExtensionLists`, all lists of a configuration, and `directory.Directory`, which asks them.
"""
