"""One connector and what protects everybody from it: cache, single-flight, bulkhead, and distrust.

The only place that calls a connector. What a connector raises or returns is judged here once, logged here once, and
leaves as owners or as a SourceError, whatever the connector does.
"""

import logging
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from bridge.cache import AnswerCache, Owners
from bridge.connector import AnyConnector, Call, Owner
from bridge.deadline import Clock, Deadline
from bridge.errors import SourceError, SourceUnavailable, UnexpectedAnswer
from bridge.workers import Workers

_log = logging.getLogger(__name__)

_MOST_OWNERS = 100
_LONGEST_HOLD = 3600.0
_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source says about a caller: the owners, none for "nobody", and whether it was remembered."""

    owners: Owners
    cached: bool


class Guard:
    """Asks one connector on behalf of all calls."""

    def __init__(
        self,
        name: str,
        connector: AnyConnector,
        cache: AnswerCache,
        clock: Clock = time.monotonic,
        wait: Callable[[float], bool] | None = None,
    ) -> None:
        self.name = name
        self.connector = connector
        self._cache = cache
        self._clock = clock
        self._workers: Workers[Owners] = Workers(name, connector.config.max_in_flight)
        self.timeout: float = connector.config.timeout
        self._hold_until = Deadline.after(0.0, clock)
        self._opened = threading.Event()
        self._closed = threading.Event()
        self._wait = wait or self._closed.wait
        self._why_not_open = "is still being opened"

    def open(self) -> None:
        """Open the connector, and try again until it succeeds or the guard is closed; for a thread of its own."""
        pause = _FIRST_PAUSE
        while not self._closed.is_set():
            try:
                self.try_to_open()
            except SourceError as error:
                if self._why_not_open != str(error):
                    _log.warning("connector %s cannot be opened yet: %s", self.name, error)
                self._why_not_open = str(error)
                self._wait(pause)
                pause = min(_LONGEST_PAUSE, pause * 2)
            else:
                return

    def wait_until_opened(self, seconds: float) -> bool:
        """Wait for the connector to be open, `seconds` at most; tell whether it is."""
        return self._opened.wait(seconds)

    def try_to_open(self) -> None:
        """Open the connector once; raises SourceError if that is not possible now."""
        try:
            self.connector.open()
        except SourceError:
            raise
        except Exception as error:
            raise self._bug(error, None) from error
        self._opened.set()

    def find_owners(self, call: Call, deadline: Deadline) -> Answer:
        """Return what is remembered or what the source says, before `deadline`; raises SourceError."""
        question = call if self.connector.reads_hotline else replace(call, hotline=None)
        if self.connector.remembered:
            remembered = self._cache.get(question)
            if remembered is not None:
                call.explain(f"{self.name}: remembered: {len(remembered)} owner(s)")
                return Answer(remembered, cached=True)
            call.explain(f"{self.name}: nothing remembered")
        if not self._opened.is_set():
            raise SourceUnavailable(self._why_not_open)
        if not self._hold_until.expired():
            raise SourceUnavailable(f"asked to be left alone for {self._hold_until.remaining():.0f} s more")
        lease = Deadline.after(self.timeout, self._clock)
        owners = self._workers.run(question, lambda: self._ask(question, lease), deadline, lease)
        return Answer(owners, cached=False)

    def close(self) -> None:
        """Stop trying to open, and let the connector release what it holds."""
        self._closed.set()
        try:
            self.connector.close()
        except Exception as error:  # noqa: BLE001 - a stranger's code
            self._bug(error, None)

    def _ask(self, question: Call, lease: Deadline) -> Owners:
        """Ask the connector; runs in a worker's thread, and goes on after the call's own deadline."""
        started = self._clock()
        try:
            owners = _trusted(self.connector.find_owners(question, lease))
        except SourceError as error:
            self._hold(error)
            _log.warning("connector %s: %s: %s", self.name, error.reason, error)
            raise
        except BaseException as error:  # a stranger's code may even call sys.exit()
            raise self._bug(error, question) from error
        if self.connector.remembered:
            self._cache.put(question, owners)
        question.explain(f"{self.name}: {len(owners)} owner(s) after {(self._clock() - started) * 1000:.0f} ms")
        return owners

    def _hold(self, error: SourceError) -> None:
        """Leave the source alone for as long as it asked (RFC 9110, 10.2.3 Retry-After), an hour at most."""
        if isinstance(error, SourceUnavailable) and error.retry_after:
            self._hold_until = Deadline.after(min(error.retry_after, _LONGEST_HOLD), self._clock)

    def _bug(self, error: BaseException, question: Call | None) -> SourceError:
        """Log a fault of the connector's code with its traceback, without the caller's number."""
        text = "".join(traceback.format_exception(error))
        for form in question.caller.forms if question else ():
            text = text.replace(form, question.caller.masked if question else "")
        _log.error("connector %s has a bug:\n%s", self.name, text)
        return UnexpectedAnswer(f"a bug in the connector: {type(error).__name__}")


def _trusted(found: Sequence[Owner]) -> Owners:
    """Return what a connector gave if it is what the contract promises; raises UnexpectedAnswer otherwise."""
    if not isinstance(found, Sequence) or isinstance(found, (str, bytes)):
        raise UnexpectedAnswer(f"the connector returned {type(found).__name__} instead of a sequence of owners")
    owners = tuple(dict.fromkeys(_owner(item) for item in islice(found, _MOST_OWNERS + 1)))
    if len(owners) > _MOST_OWNERS:
        raise UnexpectedAnswer(f"more than {_MOST_OWNERS} owners for one caller")
    return owners


def _owner(item: object) -> Owner:
    if not isinstance(item, Owner):
        raise UnexpectedAnswer(f"the connector returned {type(item).__name__} instead of an owner")
    values = (item.id, item.email, item.login, item.name, item.extension)
    if not all(value is None or isinstance(value, str) for value in values) or not any(values):
        raise UnexpectedAnswer("the connector returned an owner whose fields are no texts, or all empty")
    return item
