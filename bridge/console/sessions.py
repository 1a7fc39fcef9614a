"""Who is signed in, and how many wrong passwords were tried: known to the console's process alone, and end with it.

A cookie names a session and holds nothing that would let it live on: who has signed out is out, whoever has a copy of
his cookie. A browser that knew the password once has tries of its own, so that nobody keeps it out by trying.
"""

import secrets
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from bridge.sdk.deadline import Clock

TRIES = 5
"""How often a wrong password may be tried in a minute, by everybody together who has not signed in before."""

MOST = 100
"""How many browsers are known; the one that signed in longest ago makes room."""

_MINUTE = 60.0


@dataclass(slots=True)
class _Browser:
    until: float = 0.0
    wrong: deque[float] = field(default_factory=lambda: deque(maxlen=TRIES))


class Sessions:
    """The browsers that have signed in, each for so many `seconds` of `clock`; one thread at a time may change who."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        self._seconds = seconds
        self._clock = clock
        self._browsers: OrderedDict[str, _Browser] = OrderedDict()
        self._others = _Browser()

    def begin(self) -> str:
        """Sign a browser in, and return what its cookie is to say."""
        name = secrets.token_urlsafe(16)
        self._browsers[name] = _Browser(self._clock() + self._seconds)
        if len(self._browsers) > MOST:
            self._browsers.popitem(last=False)
        return name

    def is_open(self, name: str) -> bool:
        """Tell whether a browser is signed in."""
        return (browser := self._browsers.get(name)) is not None and browser.until > self._clock()

    def end(self, name: str) -> None:
        """Sign a browser out."""
        if browser := self._browsers.get(name):
            browser.until = 0.0

    def may_try(self, name: str) -> bool:
        """Tell whether a browser may try a password."""
        wrong = self._browsers.get(name, self._others).wrong
        return len(wrong) < TRIES or wrong[0] <= self._clock() - _MINUTE

    def was_wrong(self, name: str) -> None:
        """Count a wrong password."""
        self._browsers.get(name, self._others).wrong.append(self._clock())
