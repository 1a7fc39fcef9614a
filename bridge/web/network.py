"""How much of OMICall's two seconds the network takes: its connection is opened before our time begins.

OMICall waits from its first packet on, we count from the request's arrival. Before it come TCP's handshake and that of
TLS 1.3 (RFC 9293, 3.5; RFC 8446, 2), and the answer has to get back: three round trips altogether. How long one is, the
kernel measures for every connection (`tcpi_rtt`). A proxy that ends OMICall's connection hands it on in a header; only
from a proxy that is trusted it counts.
"""

import time
from collections.abc import Callable, Mapping
from math import floor
from wsgiref.types import WSGIEnvironment

from bridge.config.values import OMICALL_WAITS
from bridge.sdk.deadline import Clock
from bridge.service import Service
from bridge.storage.machine import MachineMemory
from bridge.web.client_address import UNKNOWN, is_in, parse_address
from bridge.web.connections import round_trip

_ROUND_TRIPS = 3
_KEPT, _LEFT_OUT = 32, 3
"""Of so many calls the longest but so many: one that was lost on its way makes no rule."""
_EVERY = 1.0
_HEADER = "HTTP_X_TCP_RTT"
_DIGITS = 9
_SPARE, _STEP, _LEAST = 0.02, 0.05, 0.5


class Network:
    """The round trips of the last calls on this machine, whichever of its processes took them."""

    def __init__(self, memory: MachineMemory, current: Callable[[], Service], clock: Clock = time.monotonic) -> None:
        self._round_trips = memory.figures("round trips", _KEPT)
        self._current = current
        self._clock = clock
        self._next = 0.0

    def look(self, environ: WSGIEnvironment) -> None:
        """Take note of how long the way of a call was, of one call a second at most."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + _EVERY
        if (seconds := self._seconds(environ)) is not None:
            self._round_trips.add(seconds)

    def round_trip(self) -> float | None:
        """Return how long hardly any round trip is longer than, in seconds; None if none is known."""
        known = sorted(self._round_trips.all())
        return known[max(len(known) // 2, len(known) - 1 - _LEFT_OUT)] if known else None

    def page(self) -> Mapping[str, object] | str:
        """Return what `/healthz` shows: what the deadline and the network make together, and which would fit."""
        seconds = self.round_trip()
        if seconds is None:
            return "not known: no call came yet, or the proxy in front does not tell"
        deadline = self._current().deadline
        return {
            "round_trip": round(seconds, 4),
            "deadline": deadline,
            "deadline_and_3_round_trips": round(self._together(seconds), 3),
            "omicall_waits": OMICALL_WAITS,
            "longest_deadline_that_fits": f"{_fitting(seconds):g}s",
        }

    def troubles(self) -> Mapping[str, str]:
        """Say that an answer at the last moment comes too late for OMICall, if so, and which deadline fits."""
        seconds = self.round_trip()
        if seconds is None or self._together(seconds) <= OMICALL_WAITS:
            return {}
        told = (
            f"an answer at the last moment comes too late: {self._current().deadline:g} s and three round trips of "
            f"{seconds * 1000:.0f} ms to OMICall are {self._together(seconds):.2f} s, and it waits for "
            f"{OMICALL_WAITS:g} s: write deadline: {_fitting(seconds):g}s"
        )
        return {"server.deadline": told}

    def _together(self, seconds: float) -> float:
        return self._current().deadline + _ROUND_TRIPS * seconds

    def _seconds(self, environ: WSGIEnvironment) -> float | None:
        peer = parse_address(environ.get("REMOTE_ADDR") or "") or UNKNOWN
        if not is_in(peer, self._current().trusted_proxies):
            sock = environ.get("gunicorn.socket")
            return None if sock is None else round_trip(sock)
        told = environ.get(_HEADER, "")
        return int(told) / 1e6 if told.isascii() and told.isdigit() and len(told) <= _DIGITS else None


def _fitting(seconds: float) -> float:
    longest = OMICALL_WAITS - _SPARE - _ROUND_TRIPS * seconds
    return max(_LEAST, round(floor(longest / _STEP) * _STEP, 2))
