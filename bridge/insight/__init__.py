"""What the service tells of itself over a socket of the kernel's, to its own user alone: for the console.

The doors are `server.InsightSocket` for the service and `client.ask_service` for whoever asks.
"""
