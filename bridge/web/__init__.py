"""What is seen over HTTP: the owner endpoint, the pages for watchers, and who may ask. The door is `app.create_app`."""
