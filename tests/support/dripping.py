"""Clients that send a byte now and then, and never enough."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

_PAUSE = 0.2


@contextmanager
def dripping(port: int, begin: bytes, count: int) -> Iterator[list[socket.socket]]:
    """Open connections that send their beginning, then a byte after the other; nothing at all if that is empty."""
    ends = threading.Event()
    with ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10)) for _ in range(count)]

        def drip() -> None:
            while begin and not ends.wait(_PAUSE):
                for client in clients:
                    with suppress(OSError):
                        client.sendall(b"x")

        for client in clients:
            client.sendall(begin)
        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        try:
            yield clients
        finally:
            ends.set()
            thread.join()
