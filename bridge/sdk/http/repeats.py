"""Asking once more where that does no harm: what failed is repeated, what is silent is doubled, the faster one counts.

Only for requests that change nothing at the source. A source that limps answers most of what it is asked twice; one
that is down or overloaded must not be asked more for it. So repeats have a budget, which answers fill: see
`RetryBudget`. All of it happens within the deadline of the one request, and what is not needed any more is cut off.
"""

import bisect
import contextvars
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from bridge.sdk.deadline import Clock, Deadline
from bridge.sdk.errors import SourceBusy, SourceUnavailable
from bridge.sdk.http.messages import Request, Response
from bridge.sdk.http.rate_limit import calls_come_first
from bridge.sdk.shared import Moments, Turns, moments_here, turns_here
from bridge.sdk.threads.background import NO_THREAD
from bridge.sdk.threads.cancellation import Cancellation
from bridge.sdk.threads.kept_threads import KEPT_THREADS
from bridge.sdk.threads.timer import Planned, Timer

MOST = 6
"""Requests for one, the first included."""

MORE_PER_REQUEST, WINDOW = 1.5, 10.0
"""Repeats for each request, on average over so many seconds."""

_REQUESTS_COUNTED = 1000
_DOUBLED = 2
_UNANSWERED = 6
_ANSWERS_KEPT, _ANSWERS_NEEDED = 200, 10
_LEAST_PATIENCE, _AT_FIRST = 0.1, 1.0
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.02, 0.08
_PASSING = {500, 502, 503, 504}
_OVERLOADED = 429


class RetryBudget:
    """How often one source may be asked once more; safe to use from many threads.

    Nothing is repeated after six requests in a row without an answer, nor before the first answer: then the source is
    down, for all that is known, and gets no more than calls bring. Otherwise there are at most `MORE_PER_REQUEST`.
    All of it is counted by the processes of the machine together.
    """

    def __init__(self, requests: Turns | None = None, repeats: Turns | None = None) -> None:
        most = int(MORE_PER_REQUEST * _REQUESTS_COUNTED)
        self._requests = requests or turns_here("requests", _REQUESTS_COUNTED, WINDOW)
        self._repeats = repeats or turns_here("repeats", most, WINDOW)
        self._answers: Moments = moments_here("answers")
        self._failures: Moments = moments_here("failures", _UNANSWERED)
        self._lock = threading.Lock()
        self._seconds: deque[float] = deque()
        self._by_length: list[float] = []

    def begun(self) -> None:
        """Count a request that is no repeat."""
        with suppress(SourceBusy):  # another process stands still while it counts
            self._requests.note(0.0)

    def answered(self, seconds: float) -> None:
        """Count an answer, and how long it took."""
        self._answers.note()
        with self._lock:
            if len(self._seconds) == _ANSWERS_KEPT:
                del self._by_length[bisect.bisect_left(self._by_length, self._seconds.popleft())]
            self._seconds.append(seconds)
            bisect.insort(self._by_length, seconds)

    def unanswered(self) -> None:
        """Count a request that failed, or is silent for longer than usual."""
        self._failures.note()

    def take(self) -> bool:
        """Take one repeat, if there is one."""
        if self._answers.age() >= self._failures.age(_UNANSWERED - 1):
            return False
        most = int(MORE_PER_REQUEST * self._requests.made())
        with suppress(SourceBusy):
            return most > 0 and self._repeats.book(most, 0.0) <= 0.0
        return False

    def usual_time(self) -> float:
        """Return after how many seconds nineteen of twenty answers were there, a tenth of a second at least."""
        with self._lock:
            known = len(self._by_length)
            return max(_LEAST_PATIENCE, self._by_length[known * 95 // 100]) if known >= _ANSWERS_NEEDED else _AT_FIRST


Send = Callable[[Request, Deadline], Response]


class Repeats:
    """Sends requests that may be repeated, by `send`; safe to use from many threads.

    `pause` gives the seconds before what failed is sent again.
    """

    def __init__(
        self,
        send: Send,
        clock: Clock = time.monotonic,
        pause: Callable[[], float] = lambda: random.uniform(_SHORTEST_PAUSE, _LONGEST_PAUSE),  # noqa: S311 - no secret
    ) -> None:
        self.send_once = send
        self.clock = clock
        self.pause = pause
        self.budget = RetryBudget()
        self.timer = Timer("source-silent")

    def send(self, request: Request, deadline: Deadline, say: Callable[[str], object] = lambda _: None) -> Response:
        """Return the first answer, or the last failure; `say` hears of repeats. Raises SourceError as `send` does."""
        self.budget.begun()
        return _Race(self, request, deadline, say).run()

    def close(self) -> None:
        """Double nothing any more."""
        self.timer.close()


class _Race:
    """One request and its repeats: the first answer wins, and the others are cut off."""

    def __init__(self, repeats: Repeats, request: Request, deadline: Deadline, say: Callable[[str], object]) -> None:
        self._repeats = repeats
        self._budget = repeats.budget
        self._request = request
        self._deadline = deadline
        self._say = say
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._runners = self._sent = 1
        self._begun_at = repeats.clock()
        self._attempts = Cancellation()
        self._doubling: Planned | None = None
        self._response: Response | None = None
        self._failure: BaseException | None = None

    def run(self) -> Response:
        """Ask until there is an answer, or nothing is to be tried any more."""
        try:
            with self._attempts.under_way():
                self._double_later(_DOUBLED)
                self._ask()
                self._over.wait(self._deadline.remaining())
        finally:
            self._end()
        if self._response is not None:
            return self._response
        raise self._failure or SourceUnavailable("no answer in time")

    def _ask(self) -> None:
        """Ask, and again as long as that fails and may be repeated; then nobody is left, or others go on."""
        while self._fails() and self._may_repeat("failed"):
            if self._over.wait(min(self._repeats.pause(), self._deadline.remaining())):
                break
        with self._lock:
            self._runners -= 1
            if not self._runners:
                self._over.set()

    def _fails(self) -> bool:
        """Send the request; tell whether it failed so that it may be repeated."""
        began = self._repeats.clock()
        try:
            response = self._send()
        except SourceBusy as error:  # our own restraint, or another one has won
            self._note(None, error)
            return False
        except SourceUnavailable as error:
            self._budget.unanswered()
            self._note(None, error)
            return True
        except BaseException as error:  # noqa: BLE001 - raised where the answer is waited for
            self._end(None, error)
            return False
        wants_peace = response.status == _OVERLOADED or "Retry-After" in response.headers
        if response.status in _PASSING or wants_peace:
            self._budget.unanswered()
            if wants_peace:
                self._end(response)
            else:
                self._note(response)
            return not wants_peace
        self._budget.answered(self._repeats.clock() - began)
        self._end(response)
        return False

    def _send(self) -> Response:
        with self._lock:
            is_first = self._sent == 1
            self._begun_at = self._repeats.clock()
        if is_first:
            return self._repeats.send_once(self._request, self._deadline)
        with calls_come_first():  # turns of max_rate that no call needs
            return self._repeats.send_once(self._request, self._deadline)

    def _may_repeat(self, why: str) -> bool:
        with self._lock:
            if self._over.is_set() or self._sent >= MOST or self._deadline.expired() or not self._budget.take():
                return False
            self._sent += 1
            number = self._sent
        self._say(f"{why}: asked once more ({number})")
        return True

    def _double_later(self, times: int) -> None:
        """Have the request doubled, so many times at most, whenever it is silent for longer than usual."""
        left = self._begun_at + self._budget.usual_time() - self._repeats.clock()
        if left < self._deadline.remaining():
            context = contextvars.copy_context()  # log lines carry the id of the call
            with suppress(*NO_THREAD):
                self._doubling = self._repeats.timer.after(left, partial(context.run, self._double, times))

    def _double(self, times: int) -> None:
        """Double the request, unless another attempt has begun since: then it is that which may be silent."""
        if self._begun_at + self._budget.usual_time() > self._repeats.clock():
            self._double_later(times)
            return
        self._budget.unanswered()
        if not self._may_repeat("silent for longer than usual"):
            return
        context = contextvars.copy_context()
        with self._lock, suppress(*NO_THREAD):
            KEPT_THREADS.start("source-doubled", partial(context.run, self._ask))
            self._runners += 1
            self._begun_at = self._repeats.clock()
        if times > 1:
            self._double_later(times - 1)

    def _note(self, response: Response | None, failure: BaseException | None = None) -> None:
        """Keep what came of an attempt, in case that nothing better comes."""
        with self._lock:
            if not self._over.is_set():
                self._response, self._failure = response, failure

    def _end(self, response: Response | None = None, failure: BaseException | None = None) -> None:
        """Let this be the answer, unless there is one; cut off whoever still asks."""
        with self._lock:
            if response is not None or failure is not None:
                if self._over.is_set():
                    return
                self._response, self._failure = response, failure
            self._over.set()
        if self._doubling:
            self._doubling.cancel()
        self._attempts.cancel()
