"""What is seen over HTTP: the owner endpoint, the pages for watchers, and who may ask.

The doors are `app.create_app` and, for gunicorn, which `serve` alone imports, `master.GunicornServer`.
"""
