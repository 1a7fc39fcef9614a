"""Customers read ahead of their calls: kept on disk, one generation in force, shared by the processes of a machine.

The door is `snapshot.CustomerSnapshot`; `keeper.py` reads, `generation.py` is the file.
"""
