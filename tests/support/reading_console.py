"""`python -m tests.support.reading_console HOST:PORT`: the console's server before an application that reads bodies."""

import sys

from flask import Flask, request

from bridge.console.server import ConsoleServer


def main() -> None:
    """Answer each POST with how many bytes came."""
    app = Flask("reading")
    app.add_url_rule("/", view_func=lambda: str(len(request.get_data())), methods=["POST"], endpoint="read")
    ConsoleServer(app, sys.argv[1]).run()


if __name__ == "__main__":
    main()
