"""A token that is fetched when it is needed and renewed in time, once however many calls wait for it.

A renewal runs in a thread of its own with its own time limit: a caller waits for it no longer than his call may last,
and the token still arrives for the next one. While a token is about to expire but still good, nobody waits at all.
A token server that fails is left alone for a while, by all processes of the machine together, and so is one whose new
tokens are refused again and again. Where several instances share what they know, one of them fetches and all use the
token.
"""

import copy
import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bridge.sdk.deadline import Clock, Deadline
from bridge.sdk.errors import SourceBusy, SourceError, SourceUnavailable
from bridge.sdk.shared import Shared
from bridge.sdk.threads.single_flight import Flight, SingleFlight

log = logging.getLogger(__name__)

_AHEAD_SHARE, _AHEAD_AT_MOST = 0.2, 300.0
_FIRST_PAUSE, _LONGEST_PAUSE, _LONGEST_PAUSE_IF_AWAY = 1.0, 60.0, 2.0
_SHARED_AS, _FAILURES = "token", "token failures"
_PATIENCE = 1.0  # seconds; then two sign in at the same time, which is better than that nobody does
_SHARED_FOR = 86400.0  # seconds, if a token's end is not known
_REFUSED_KEPT = 8
_MOST_HUNG = 4


@dataclass(frozen=True, slots=True, eq=False)
class AccessToken:
    """What a server issued: values by name, perhaps cookies. Two are never equal, so each is told from the next.

    `asked_at` is a time of the supply's clock, from before the server was asked; `lifetime` is in seconds, None if it
    is not known.
    """

    values: Mapping[str, object] = field(repr=False)
    asked_at: float
    lifetime: float | None = None
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)

    def expired(self, now: float) -> bool:
        """Tell whether the token is of no use any more."""
        return self.lifetime is not None and now >= self.asked_at + self.lifetime

    def due(self, now: float) -> bool:
        """Tell whether it is time to renew the token ahead: in its last fifth, at most five minutes before its end."""
        if self.lifetime is None:
            return False
        return now >= self.asked_at + self.lifetime - min(_AHEAD_SHARE * self.lifetime, _AHEAD_AT_MOST)

    def written(self, now: float) -> bytes:
        """Return the token as other instances read it."""
        fields = {"values": self.values, "cookies": self.cookies, "lifetime": self.lifetime, "age": now - self.asked_at}
        return json.dumps(fields, sort_keys=True).encode()

    @classmethod
    def read(cls, written: bytes, now: float, age: float) -> "AccessToken":
        """Read what was `written` so many seconds ago; raises ValueError, TypeError or LookupError if it is none."""
        fields = json.loads(written)
        asked_at = now - age - fields["age"]
        return cls(fields["values"], asked_at, fields["lifetime"], fields["cookies"])

    def is_same(self, other: "AccessToken") -> bool:
        """Tell whether the server issued both at once, though they were read apart."""
        return (self.values, self.cookies) == (other.values, other.cookies)


class TokenSupply:
    """The current token for many threads. `fetch` asks the server for one and raises SourceError if it gets none.

    `timeout` is how long one fetch may take, in seconds; `clock` decides about expiry, never the wall clock. Where
    `learn` is given, two fetches at the same time would do harm: it is told each token that another instance has got.
    """

    def __init__(
        self,
        fetch: Callable[[Deadline], AccessToken],
        timeout: float = 10.0,
        clock: Clock = time.monotonic,
        learn: Callable[[AccessToken], None] | None = None,
    ) -> None:
        self._fetch = fetch
        self._learn = learn
        self._timeout = timeout
        self._clock = clock
        self._lock = threading.Lock()
        self._token: AccessToken | None = None
        self._renewals: SingleFlight[AccessToken] = SingleFlight("token", _MOST_HUNG, ": renewals of the token hang")
        self._closed = False
        self._failure: BaseException | None = None
        self._failures = 0
        self._not_before = float("-inf")
        self._youngest_refused = 0.0
        self._shared = Shared()
        self._refused: deque[AccessToken] = deque(maxlen=_REFUSED_KEPT)

    def share(self, shared: Shared) -> None:
        """Use the tokens of other instances from now on, and let them use ours."""
        self._shared = shared

    @property
    def current(self) -> AccessToken | None:
        """The token that was issued last, if it is still thought to be good."""
        return self._token

    def get(self, deadline: Deadline) -> AccessToken:
        """Return a token that has not expired, waiting for a renewal only if there is none.

        Raises SourceUnavailable if none comes in time, or the SourceError for which the last renewal failed.
        """
        with self._lock:
            now = self._clock()
            token = None if self._token is None or self._token.expired(now) else self._token
            if token is not None and not token.due(now):
                return token
            renewal = self._begin(now)
            failure = self._failure
        if token is not None:
            return token
        if renewal is None:
            raise copy.copy(failure or SourceUnavailable("signing in has ended"))
        return _result(renewal, deadline)

    def refuse(self, token: object) -> bool:
        """Forget a token that the source did not accept, unless there is a newer one; tell whether to ask once more.

        Not if the token had just been issued after another that was refused: then a new one would not help either,
        and the token server would be asked for each call.
        """
        with self._lock:
            if self._token is None or token is not self._token:
                return True
            age = self._clock() - self._token.asked_at
            if age < self._youngest_refused:
                return False
            patience = 0.0 if age > _LONGEST_PAUSE else self._youngest_refused
            self._youngest_refused = min(_LONGEST_PAUSE, max(_FIRST_PAUSE, 2 * patience))
            self._refused.append(self._token)
            self._token = None
            return True

    def close(self) -> None:
        """Begin no further renewals; one that is under way ends within its own time."""
        with self._lock:
            self._closed = True

    def _begin(self, now: float) -> Flight[AccessToken] | None:
        """Begin a renewal or join the one under way, unless it hangs: one that waited and fetched has ended by then."""
        if self._closed or now < self._not_before:
            return None
        lease = Deadline.after(2 * self._timeout + _PATIENCE, self._clock)
        try:
            return self._renewals.start(_SHARED_AS, self._renew, lease)
        except SourceBusy as error:
            self._failure = error
            return None

    def _renew(self) -> AccessToken:
        try:
            token = self._next()
        except Exception as error:
            self._remember_failure(error)
            raise
        with self._lock:
            self._token, self._failure = token, None
        if self._failures:
            self._count(0)
        return token

    def _next(self) -> AccessToken:
        """Take the token that another instance has fetched by now, or fetch one while the others wait."""
        patience = self._timeout if self._learn else min(self._timeout, _PATIENCE)
        with self._shared.lock(_SHARED_AS, self._timeout, patience):
            token = self._of_others()
            if token is None:
                with self._shared.failing_once(_SHARED_AS, self._pause_after):
                    if counted := self._shared.here.get(_FAILURES):  # another process may have failed since we did
                        self._failures = max(self._failures, int(counted.content))
                    token = self._fetch(Deadline.after(self._timeout))
                now = self._clock()
                left = _SHARED_FOR if token.lifetime is None else token.asked_at + token.lifetime - now
                if left > 0:
                    self._shared.put(_SHARED_AS, token.written(now), left)
            return token

    def _of_others(self) -> AccessToken | None:
        """Return a token that is good for a while, unless it has been refused already."""
        known, now = self._shared.get(_SHARED_AS), self._clock()
        try:
            token = AccessToken.read(known.content, now, known.age) if known else None
        except (ValueError, TypeError, LookupError):
            return None
        if token and self._learn:
            self._learn(token)
        if token is None or token.due(now) or any(map(token.is_same, self._refused)):
            return None
        return token

    def _pause_after(self, error: Exception) -> float:
        """Return for how many seconds to leave the server alone."""
        is_away = isinstance(error, SourceUnavailable)  # else each attempt may count towards locking us out
        longest = _LONGEST_PAUSE_IF_AWAY if is_away else _LONGEST_PAUSE
        pause = min(longest, _FIRST_PAUSE * 2.0 ** min(self._failures, 10))
        if isinstance(error, SourceUnavailable) and error.retry_after is not None:
            pause = max(pause, error.retry_after)
        return pause

    def _remember_failure(self, error: Exception) -> None:
        pause = self._pause_after(error)
        log.warning("no new token, the next attempt is made in %.0f s at the earliest: %s", pause, _said(error))
        with self._lock:
            self._failure = error
            self._not_before = self._clock() + pause
        self._count(self._failures + 1)

    def _count(self, failures: int) -> None:
        """Have the processes of this machine know how often in a row signing in has failed."""
        self._failures = failures
        self._shared.here.put(_FAILURES, str(failures).encode(), 2 * _LONGEST_PAUSE)


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, SourceError) else type(error).__name__


def _result(renewal: Flight[AccessToken], deadline: Deadline) -> AccessToken:
    try:
        failure = renewal.result.exception(timeout=deadline.remaining())
    except TimeoutError:
        raise SourceUnavailable("signing in took too long") from None
    if failure is not None:
        raise copy.copy(failure)  # one for each thread: a traceback grows on an exception wherever it is raised
    return renewal.result.result()
