"""gunicorn, and the connections that it holds. The door is `master.Server`; only `serve` imports it."""
