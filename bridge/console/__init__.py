"""The pages for admins, in a process of their own: they ask the running service, and nobody else.

The doors are `app.create_app` and, for gunicorn, `server.ConsoleServer`.
"""
