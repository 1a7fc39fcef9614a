"""Who looks at what, and who does what: lines of the console's log, callers by three digits."""

import logging

from flask import request

_audit = logging.getLogger("bridge.console.audit")


def tell(what: str, *values: object) -> None:
    """Write down what whoever asks for the page does."""
    _audit.info(f"%s {what}", request.remote_addr, *values)
