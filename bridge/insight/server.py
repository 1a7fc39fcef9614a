"""The answering side, in the service: one of its processes answers for all, one question at a time.

Whichever process has the address answers; when it ends, the next one takes it within a second. What is asked often is
worked out once a second at most, and a trace has a thread of its own, one at a time: so whoever asks, however often,
costs the calls next to nothing.
"""

import json
import logging
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from bridge.insight.client import PURPOSE, AnswerRefused
from bridge.local.address import address_of, is_taken, listener_at, may_speak
from bridge.local.packets import Line
from bridge.sdk.threads.background import NO_THREAD, BackgroundLoop

_log = logging.getLogger(__name__)

_LOOK_AGAIN = 1.0
_LISTENS, _PATIENCE = 0.5, 1.0
_KEPT_FOR, _MOST_KEPT = 1.0, 32

Question = Mapping[str, Any]
Answers = Mapping[str, Callable[[Question], object]]
"""What is answered, by the word of a question: something to be written as JSON, or AnswerRefused with a word."""


class InsightSocket:
    """Listens while `is_wanted` says so. `quick` is answered at once and kept for a second.

    `slow` has a thread of its own, one at a time of each word.
    """

    def __init__(self, config: Path, is_wanted: Callable[[], bool], quick: Answers, slow: Answers) -> None:
        self._address = address_of(config, PURPOSE)
        self._is_wanted = is_wanted
        self._quick = quick
        self._slow = slow
        self._kept: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._listener: socket.socket | None = None
        self._busy = {word: threading.Lock() for word in slow}
        self._told = False
        self._loop = BackgroundLoop("insight", self._serve, at_end=self._leave)

    def start(self) -> None:
        """Begin to listen, in a thread of its own."""
        self._loop.start()

    def close(self) -> None:
        """Give up the address."""
        self._loop.close(0)
        if listener := self._listener:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # ends the waiting for whoever comes next
        self._loop.close()

    def _serve(self) -> float:
        """Answer who comes next; return after how many seconds to go on."""
        if not self._is_wanted():
            self._leave()
            return _LOOK_AGAIN
        if self._listener is None and not self._listen():
            return _LOOK_AGAIN
        if self._listener and (connection := self._next(self._listener)):
            self._hear(connection)
        return 0.0

    def _listen(self) -> bool:
        try:
            self._listener = listener_at(self._address)
        except OSError as error:
            if not is_taken(error) and not self._told:  # else another process of this service answers
                _log.warning("the console does not reach this service: %s", error.strerror)
                self._told = True
            return False
        self._listener.settimeout(_LISTENS)
        return True

    def _leave(self) -> None:
        if self._listener:
            self._listener.close()
        self._listener = None

    @staticmethod
    def _next(listener: socket.socket) -> socket.socket | None:
        try:
            connection, _ = listener.accept()
        except OSError:
            return None
        connection.settimeout(_PATIENCE)
        return connection

    def _hear(self, connection: socket.socket) -> None:
        line = Line(connection)
        try:
            packet = line.receive() if may_speak(connection) else None
        except (OSError, ValueError):
            packet = None
        if packet is None:
            line.close()
            return
        question = packet.said
        word = asked if isinstance(asked := question.get("ask"), str) else ""
        if word in self._slow and self._busy[word].acquire(blocking=False):
            thread = threading.Thread(
                target=self._answer_slowly, args=(line, question), name="insight-slow", daemon=True
            )
            with suppress(*NO_THREAD):
                thread.start()
                return
            self._busy[word].release()
        if word in self._quick:
            line.send(*_said(partial(self._remembered, question)))
        else:
            line.send({"refused": "busy" if word in self._slow else "unknown"})
        line.close()

    def _answer_slowly(self, line: Line, question: Question) -> None:
        word = str(question["ask"])
        try:
            said = _said(lambda: _written(self._slow[word](question)))
        finally:
            self._busy[word].release()  # first: who hears the answer may ask again at once
        line.send(*said)
        line.close()

    def _remembered(self, question: Question) -> bytes:
        key, now = json.dumps(question, sort_keys=True), time.monotonic()
        if key in self._kept and now - self._kept[key][0] < _KEPT_FOR:
            return self._kept[key][1]
        found = _written(self._quick[str(question["ask"])](question))
        self._kept[key] = (now, found)
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return found


def _said(answer: Callable[[], bytes]) -> tuple[Mapping[str, object], bytes]:
    """Return an answer and what goes beside it, or why there is none."""
    try:
        return {"answer": True}, answer()
    except AnswerRefused as refused:
        return {"refused": str(refused)}, b""
    except Exception:  # noqa: BLE001 - whoever asks may not end what answers
        _log.exception("a bug of omi-bridge in an answer to the console")
        return {"refused": "bug"}, b""


def _written(answer: object) -> bytes:
    return json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace")
