"""What is found out about a configuration ahead of any call.

The door is `sources.check_service`; `expectations` reads what a rehearsal has to find.
"""
