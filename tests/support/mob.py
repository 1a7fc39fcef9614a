"""A mob: processes that keep many connections open at the service, each up to no good, and renew what is closed.

`Mob(port, count, kind)` lasts as long as its block and comes from `HOME`. Kinds are what is sent at once and what is
sent every tenth of a second after that, over TLS but for who says nothing; nothing that comes back is read, but for
keeping count, unless the kind says so.
"""

import contextlib
import random
import selectors
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[2]
HOME = "127.0.0.66"
"""An address of this machine that stands for strangers."""
_REQUEST = b"GET /get_owner_contact_by_phone?phoneNumber=0901234567 HTTP/1.1\r\nHost: x\r\n"
_ELSEWHERE = b"GET /elsewhere HTTP/1.1\r\nHost: x\r\n"
KINDS = {
    "says nothing": (b"", b""),
    "half a request": (_REQUEST, b""),
    "byte by byte": (b"G", b"E"),
    "a wrong key": (_REQUEST + b"X-API-KEY: wrong\r\n\r\n", b""),
    "a body that never comes": (_ELSEWHERE + b"Content-Length: 10\r\n\r\nabc", b""),
    "a request and a half": (_ELSEWHERE + b"\r\n" + _ELSEWHERE, b""),
    "does not close": (_ELSEWHERE + b"Connection: close\r\n\r\n", b""),
    "reads nothing": ((_ELSEWHERE + b"\r\n") * 20, (_ELSEWHERE + b"\r\n") * 20),
}
_PROCESSES = 4
_ANYBODY = ssl.create_default_context()
_ANYBODY.check_hostname = False
_ANYBODY.verify_mode = ssl.CERT_NONE


class Mob:
    """Starts the processes, and ends them."""

    def __init__(self, port: int, count: int, kind: str) -> None:
        self._command = [sys.executable, "-m", "tests.support.mob", str(port), str(count // _PROCESSES), kind]

    def __enter__(self) -> Self:
        self._processes = [subprocess.Popen(self._command, stdout=subprocess.PIPE, cwd=ROOT) for _ in range(_PROCESSES)]
        for process in self._processes:
            assert process.stdout
            process.stdout.readline()  # all its connections have been made once
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
            assert process.stdout
            process.stdout.close()


class _Rogue:
    """One connection after the other."""

    def __init__(self, port: int, kind: str, selector: selectors.BaseSelector) -> None:
        self._port = port
        self._first, self._later = KINDS[kind]
        self._reads = kind != "reads nothing"
        self._selector = selector
        self.connect()

    def connect(self) -> None:
        self._sock = socket.socket()
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._sock.settimeout(5.0)
        with contextlib.suppress(OSError):
            self._sock.bind((HOME, 0))
            self._sock.connect(("127.0.0.1", self._port))
            if self._first:
                self._sock = _ANYBODY.wrap_socket(self._sock)
            self._sock.sendall(self._first)
        self._sock.setblocking(False)
        if self._reads:
            self._selector.register(self._sock, selectors.EVENT_READ, self)

    def go_on(self) -> None:
        try:
            self._sock.send(self._later)
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            pass
        except OSError:
            self.renew()

    def look(self) -> None:
        """Begin anew if the service has closed, or answered somebody who will not close."""
        try:
            if self._sock.recv(4096):
                return
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        except OSError:
            pass
        self.renew()

    def renew(self) -> None:
        if self._reads:
            self._selector.unregister(self._sock)
        self._sock.close()
        self.connect()


def _main(port: int, count: int, kind: str) -> None:
    selector = selectors.DefaultSelector()
    rogues = [_Rogue(port, kind, selector) for _ in range(count)]
    print("there", flush=True)  # noqa: T201 - this is how the test learns of it
    end, next_time = time.monotonic() + 60.0, 0.0
    while time.monotonic() < end:
        for key, _ in selector.select(0.1):
            key.data.look()
        if KINDS[kind][1] and time.monotonic() > next_time:
            next_time = time.monotonic() + 0.1
            for rogue in random.sample(rogues, len(rogues)):
                rogue.go_on()


if __name__ == "__main__":
    _main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
