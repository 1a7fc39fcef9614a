"""A rest connector whose name server falls silent for as long as a file exists."""

import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bridge.sdk import Resolver
from bridge.sdk.http import HttpClient
from connectors.rest.config.config import RestConfig
from connectors.rest.connector import RestConnector

_SYSTEM_GIVES_UP = 10.0
"""Seconds after which the C library gives up asking, with its usual settings (resolv.conf(5): timeout, attempts)."""


class NamelessConnector(RestConnector):
    """Asks as usual, but a question for an address that is put while `settings.silence` exists is lost."""

    def __init__(self, config: RestConfig) -> None:
        silence = Path(config.settings["silence"])

        def look_up(_host: str, port: int, **_: object) -> Sequence[Any]:
            if silence.exists():
                threading.Event().wait(_SYSTEM_GIVES_UP)
                raise socket.gaierror(socket.EAI_AGAIN, "no name server answers")
            return socket.getaddrinfo("127.0.0.1", port, type=socket.SOCK_STREAM)

        super().__init__(config, HttpClient(config, Resolver(look_up)))
