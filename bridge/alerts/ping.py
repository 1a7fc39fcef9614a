"""The sign of life: somebody outside raises the alarm when it is missing, which no dead machine can do itself.

It says that the service lives, not that this thread does: it is sent only while a worker answers at its own address.
While something is wrong, as far as anybody was told, the sign says that instead.
"""

import logging
import socket
from collections.abc import Callable, Sequence
from contextlib import closing
from urllib.parse import urlsplit, urlunsplit

from bridge.alerts.channels import LIMIT, AlertMeter, NotSent, Receipt, exchange, one_line
from bridge.alerts.message import Change
from bridge.config.alerts import Alerts, Ping
from bridge.sdk.deadline import Deadline
from bridge.sdk.http import Request
from bridge.sdk.threads.background import BackgroundLoop

_log = logging.getLogger(__name__)

_IDLE = 5.0
_AGAIN = 15.0
_SELF_LIMIT = 5.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "[::]": "::1"}  # noqa: S104 - an address to look for, not one to listen on


class PingChannel:
    """Gives a sign of life, as healthchecks.io expects it.

    Source: https://healthchecks.io/docs/http_api/ and https://healthchecks.io/docs/signaling_failures/
    """

    def __init__(self, settings: Ping) -> None:
        self._settings = settings

    def send(self, reason: str, deadline: Deadline) -> Receipt:
        """Tell that the service lives; and, with a reason, that something is wrong. Raises NotSent."""
        url = self._settings.url.get_secret_value()
        if reason:
            parts = urlsplit(url)
            url = urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/fail"))
            headers = {"Content-Type": "text/plain; charset=utf-8"}
            request = Request("POST", url, headers=headers, body=reason.encode())
        else:
            request = Request("GET", url)
        response = exchange(request, self._settings.tls, deadline)
        said = one_line(response.body)
        if "not found" in said or "rate limited" in said:  # healthchecks.io says so with the status 200
            raise NotSent(f"{response.host} answered {response.status}, but takes no ping ({said}): is 'url' right?")
        return Receipt(f"{response.host} answered {response.status}")


class Pinger:
    """Pings in a thread of its own, once `start` is called; `told` is what is wrong as far as anybody was told."""

    def __init__(
        self,
        bind: str,
        settings: Callable[[], Alerts | None],
        told: Callable[[], Sequence[Change]],
        meter: AlertMeter,
        changed: Callable[[], object],
    ) -> None:
        self.trouble = ""
        """Why the last ping failed, or nothing."""
        self._bind = bind
        self._settings = settings
        self._told = told
        self._meter = meter
        self._changed = changed
        self._loop = BackgroundLoop("alerts-ping", self._ping)
        self.start = self._loop.start

    def wake(self) -> None:
        """Ping now, if pings are sent at all."""
        if self._loop.is_running:
            self._loop.wake()

    def close(self) -> None:
        """Ping no more."""
        self._loop.close(0)

    def _ping(self) -> float:
        """Give a sign of life, if a worker answers; return after how many seconds the next is due."""
        settings = self._settings()
        if settings is None or settings.ping is None:
            self.trouble = ""
            return _IDLE
        if not answers_at(self._bind):
            return self._failed(f"no worker answers at {self._bind}: no ping is sent")
        reason = "\n\n".join(one.lines() for one in self._told())
        try:
            PingChannel(settings.ping).send(reason, Deadline.after(LIMIT))
        except NotSent as error:
            return self._failed(str(error))
        self._meter.alert_sent("ping")
        if self.trouble:
            _log.info("alerts.ping: pings can be sent again")
            self.trouble = ""
            self._changed()
        return settings.ping.every

    def _failed(self, why: str) -> float:
        self._meter.alert_failed("ping")
        if why != self.trouble:
            _log.error("alerts.ping: %s", why)
            self.trouble = why
            self._changed()
        return _AGAIN


def answers_at(bind: str) -> bool:
    """Tell whether a worker answers at this address of the machine: whatever its answer is, it lives.

    Not with the HTTP client: the way to oneself leads through no proxy.
    """
    host, _, port = bind.rpartition(":")
    host = _EVERYWHERE.get(host, host).strip("[]")
    deadline = Deadline.after(_SELF_LIMIT)
    start = b""
    try:
        with closing(socket.create_connection((host, int(port)), deadline.seconds())) as sock:
            sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            while len(start) < len(b"HTTP/"):
                sock.settimeout(deadline.seconds())
                if not (received := sock.recv(64)):
                    return False
                start += received
    except OSError:
        return False
    return start.startswith(b"HTTP/")
