"""Brings messages out over one channel, in a thread of its own: a channel that hangs holds up no other.

In order, the oldest first. What cannot be sent stays and is tried again, after pauses that grow to a quarter of an
hour, for a day; then, or when too many wait, the oldest is given up. The log tells of each of these once.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bridge.alerts.channels import LIMIT, AlertMeter, Channel, NotSent
from bridge.alerts.message import Message, restored, spoken
from bridge.sdk.deadline import Clock, Deadline
from bridge.sdk.threads.background import BackgroundLoop, Wait

_log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 15.0, 900.0
_LONGEST_WAIT = 86400.0
_MOST_WAITING = 50


class Courier:
    """Sends over the channel of this name; `changed` is called whenever there is something else to be kept."""

    def __init__(
        self,
        name: str,
        channel: Channel,
        meter: AlertMeter,
        changed: Callable[[], object],
        wall_clock: Clock = time.time,
        wait: Wait | None = None,
    ) -> None:
        self.name = name
        self.trouble = ""
        """Why the last attempt failed, or nothing."""
        self._channel = channel
        self._meter = meter
        self._changed = changed
        self._wall_clock = wall_clock
        self._waiting: tuple[Message, ...] = ()  # replaced as a whole, so that others may look at it
        self._lock = threading.Lock()
        self._attempts = 0
        self._loop = BackgroundLoop(f"alerts-{name}", self._work, wait=wait)

    def use(self, channel: Channel) -> None:
        """Send over another channel from now on, and what waits at once."""
        self._channel = channel
        self._attempts = 0
        self._loop.wake()

    def take(self, messages: Sequence[Message]) -> None:
        """Send these as soon as can be."""
        with self._lock:
            self._waiting = (*self._waiting, *messages)
        while len(self._waiting) > _MOST_WAITING:
            self._give_up(self._waiting[0], f"more than {_MOST_WAITING} wait")
        self._meter.alerts_waiting(self.name, len(self._waiting))
        self._loop.start()
        if not self.trouble:
            self._loop.wake()

    def state(self) -> list[dict[str, Any]]:
        """Return what waits, to be kept."""
        return [asdict(message) for message in self._waiting]

    def restore(self, state: Sequence[Mapping[str, Any]]) -> None:
        """Send what another could not. Raises TypeError, KeyError or ValueError for what is no such state."""
        if found := [restored(one) for one in state]:
            self.take(found)

    def close(self) -> None:
        """Send nothing more; what waits is kept."""
        self._loop.close(0)

    def _work(self) -> float:
        """Send what waits; return after how many seconds to look again."""
        while self._waiting and not self._loop.is_closing:
            message = self._waiting[0]
            if self._wall_clock() - message.at > _LONGEST_WAIT:
                self._give_up(message, "it could not be sent for a day")
                continue
            try:
                receipt = self._channel.send(message.sent(self._wall_clock()), Deadline.after(LIMIT))
            except NotSent as error:
                return self._failed(str(error))
            self._succeeded(message, receipt.told)
            if receipt.problem:
                _log.warning("alerts.%s: %s", self.name, receipt.problem)
        return _LONGEST_PAUSE

    def _failed(self, why: str) -> float:
        self._meter.alert_failed(self.name)
        if why != self.trouble:
            _log.error("alerts.%s: a message could not be sent, and is tried again: %s", self.name, why)
        self.trouble = why
        self._changed()
        pause = min(_FIRST_PAUSE * 2.0 ** min(self._attempts, 10), _LONGEST_PAUSE)
        self._attempts += 1
        return pause

    def _succeeded(self, message: Message, told: str) -> None:
        self._meter.alert_sent(self.name)
        _log.info("alerts.%s: sent: %s (%s)", self.name, message.subject, told)
        if self.trouble:
            _log.info("alerts.%s: messages can be sent again", self.name)
        self.trouble, self._attempts = "", 0
        self._forget(message)

    def _give_up(self, message: Message, why: str) -> None:
        _log.error("alerts.%s: given up, %s: %s, of %s", self.name, why, message.subject, spoken(message.at))
        self._forget(message)

    def _forget(self, message: Message) -> None:
        with self._lock:
            self._waiting = tuple(one for one in self._waiting if one.id != message.id)
        self._meter.alerts_waiting(self.name, len(self._waiting))
        self._changed()
