"""Telephone numbers in a source that cannot be read: whoever they belong to would be lost in silence.

A connector gets this for nothing: whatever field it reads by `bridge.sdk.holds` while it is asked is listened to.
"""

import logging
from contextlib import AbstractContextManager

from bridge.lookup.meter import Meter
from bridge.sdk.connector import Call
from bridge.sdk.phone import Unread, unread_told_to

_log = logging.getLogger(__name__)


class Unreadable:
    """Tells of one connector's numbers: the first in the log, each to the meter and to whoever has a call explained."""

    def __init__(self, name: str, meter: Meter) -> None:
        self._name = name
        self._meter = meter
        self._is_told = False

    def told_during(self, call: Call) -> AbstractContextManager[None]:
        """Listen to what this thread reads while the source is asked for `call`."""

        def hear(unread: Unread) -> None:
            self._meter.unread()
            if call.explained:
                call.explain(f"{self._name}: a telephone number that cannot be read: {unread}")
            if not self._is_told:
                self._is_told = True
                _log.warning(
                    "connector %s: a telephone number that cannot be read, whose owner is not found by it: %s; "
                    "further ones are only counted",
                    self._name,
                    unread,
                )

        return unread_told_to(hear)
