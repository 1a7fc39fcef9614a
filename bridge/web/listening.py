"""Whether the service can listen where it is told to, found out ahead of gunicorn, which would tell it six times."""

import errno
import os
import socket
import time

_PATIENCE = 3.0
_PAUSE = 0.2
_REMEDIES = {
    errno.EACCES: "ports below 1024 are root's: take another one, such as 127.0.0.1:8080, behind nginx or Caddy",
    errno.EPERM: "this is not allowed here: take another port, such as 127.0.0.1:8080, behind nginx or Caddy",
    errno.EADDRNOTAVAIL: "this machine has no such address: write 127.0.0.1, or one that `ip address` shows",
    errno.EADDRINUSE: "something listens there already: stop it, or take another port; `ss -ltnp` shows what",
}


def obstacle_to_listening(bind: str, patience: float = _PATIENCE) -> str:
    """Say why nothing can listen at HOST:PORT, or nothing if it can; a port in use is waited for a little.

    Where systemd or another gunicorn hands over sockets, `bind` does not count.
    """
    if {"LISTEN_FDS", "GUNICORN_FD"} & os.environ.keys():
        return ""
    end = time.monotonic() + patience
    while True:
        try:
            _try(bind)
        except socket.gaierror:
            return f"the name of {bind} cannot be resolved: write 127.0.0.1 and the port"
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() >= end:
                return f"{bind}: {_REMEDIES.get(error.errno or 0, error.strerror or str(error))}"
            time.sleep(_PAUSE)
        else:
            return ""


def _try(bind: str) -> None:
    host, _, port = bind.rpartition(":")
    found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    with socket.socket(family, kind, protocol) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as gunicorn does
        tried.bind(address)
