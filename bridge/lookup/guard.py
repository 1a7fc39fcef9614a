"""One connector and what protects everybody from it: cache, single-flight, bulkhead, breaker.

The only place that has a connector asked. Nobody waits here: `begin` returns at once. What is asked for runs in a
worker's thread, where first is looked whether another instance knows the answer, if the instances share what they know.
"""

import copy
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial

from bridge.lookup.answer import Answer, Freshness, Pending
from bridge.lookup.meter import Meter, Unmetered
from bridge.lookup.opening import Opening
from bridge.lookup.probed_breaker import ProbedBreaker
from bridge.lookup.read_ahead import ReadAhead
from bridge.lookup.sightings import Sightings
from bridge.lookup.watched_source import Failure, WatchedSource
from bridge.resilience.sanitizing import bug_in, lines
from bridge.resilience.thread_leaks import leaked_threads
from bridge.sdk.connector import AnyConnector, Attention, Call
from bridge.sdk.deadline import Clock, Deadline
from bridge.sdk.errors import SourceBusy, SourceError, SourceUnavailable
from bridge.sdk.http.rate_limit import calls_come_first
from bridge.sdk.threads.background import NO_THREAD
from bridge.sdk.threads.single_flight import Flight, NoPlace, SingleFlight
from bridge.storage.cache import AnswerCache, Remembered
from bridge.storage.forgotten import Forgotten, Matches
from bridge.storage.machine import MachineMemory
from bridge.storage.purges.purges import Purges
from bridge.storage.shared.answers import SharedAnswers, Turn
from bridge.storage.shared.backend import LIMIT
from bridge.storage.shared.limits import Places
from bridge.storage.snapshot.snapshot import CustomerSnapshot

_log = logging.getLogger(__name__)

_PATIENCE_AT_CLOSE = 1.0
_SHARE_FOR_OTHERS = 1 / 3  # of the time that a call has
_LOOKS_AT_ONCE = 32


class Guard:
    """Asks one connector on behalf of all calls.

    `patience` is the number of seconds after which an answer is too late for a call. `wait` waits for so many seconds
    and returns True when the guard is to end; a test gives its own. `meter` is told what happens. `shared` is what
    other instances know, `places` are those that they have as well; `seen` is what all processes have seen of the
    source. Nothing of who is `forgotten` answers him that was asked for before, nor what `purges` do not allow.
    """

    def __init__(  # noqa: PLR0913 - all that a guard joins
        self,
        name: str,
        connector: AnyConnector,
        cache: AnswerCache,
        *,
        patience: float = 1.8,
        clock: Clock = time.monotonic,
        wait: Callable[[float], bool] | None = None,
        meter: Meter | None = None,
        shared: SharedAnswers | None = None,
        places: Places | None = None,
        forgotten: Forgotten | None = None,
        purges: Purges | None = None,
        seen: Sightings | None = None,
        snapshot: CustomerSnapshot | None = None,
    ) -> None:
        self.name = name
        self.connector = connector
        self.timeout: float = connector.config.timeout
        self.cache = cache
        self._forgotten = forgotten or Forgotten()
        self._purges = purges or Purges(clock=clock)
        self.patience = patience
        self._clock = clock
        self._meter = meter or Unmetered()
        self._shared = shared
        self._looks: SingleFlight[Answer] = SingleFlight(f"source-{name}-remembered", _LOOKS_AT_ONCE)
        limit = connector.config.max_in_flight
        self._places = places or Places(MachineMemory(), name, limit)
        self._flights: SingleFlight[Answer] = SingleFlight(
            f"source-{name}", limit, " (max_in_flight)", self._places.take
        )
        self.opening = Opening(name, connector, wait)
        self.read_ahead = ReadAhead(name, connector, snapshot, self._why_not_listed, wait) if snapshot else None
        self.seen = seen or Sightings.alone(name, clock)
        self._breaker = ProbedBreaker(
            name,
            self._trial,
            lambda: self.patience,
            clock,
            probe=self._probe,
            seen=self.seen,
            wait=wait,
        )
        self._source = WatchedSource(name, connector, self._breaker, self._meter, lambda: self.patience, clock)
        self._forgotten.join(self)

    def begin(self, call: Call, *, may_ask: bool = True, live: bool = False) -> Pending:
        """Return what is remembered, or what the source is going to say if it may be asked; never waits nor raises.

        With `live` only what the source itself says from now on counts, whatever is remembered.
        """
        question = call if self.connector.reads_hotline else Call(call.caller, None, call.explain)
        if live:
            return self._begin_live(question, may_ask=may_ask)
        remembered = self._remembered(question)
        if self.read_ahead and (known := self.read_ahead.begin(question, remembered)):
            return known
        if remembered and remembered.at_once:
            if call.explained:
                past = "" if remembered.fresh else ", past its ttl, and asked for again meanwhile"
                call.explain(f"{self.name}: remembered: {len(remembered.owners)} owner(s){past}")
            if remembered.due:
                self._refresh(question)
            return Pending(_answer(remembered))
        if call.explained and self.connector.remembered:
            call.explain(f"{self.name}: {'remembered, but past its life' if remembered else 'nothing remembered'}")
        by_then = partial(self._by_then, question)
        if not may_ask:
            return Pending(SourceUnavailable("no time is left to ask"), by_then)
        try:
            self._consider(question)
            flight = self._start(question, spare=remembered is not None)
        except SourceError as error:
            self._meter.refused(error.reason)
            return self._look(question, error, by_then)
        so_far = partial(self._source.told_so_far, question, self._not_before(question))
        return Pending(flight.result, by_then, so_far, flight.lease)

    @property
    def trouble(self) -> str:
        """Why the source cannot be used now, or what it failed with unless that was disproved; else nothing."""
        self._source.look()
        known = self.opening.trouble or self._breaker.trouble
        return known or self.own_trouble or (self.read_ahead.trouble if self.read_ahead else "")

    @property
    def last_failure(self) -> Failure | None:
        """The last question of this process without an answer in time, also while all is well, if there is one."""
        return self._source.last_failure

    @property
    def own_trouble(self) -> str:
        """What the connector itself says is wrong, also before it is open, or nothing."""
        try:
            return "; ".join(lines(self.connector.trouble()))
        except BaseException as error:  # noqa: BLE001 - a stranger's code
            return str(bug_in(self.name, error))

    @property
    def unsettled(self) -> str:
        """The name of a file of the connector that is just being written, or nothing."""
        try:
            return str(self.connector.unsettled())
        except BaseException as error:  # noqa: BLE001 - a stranger's code
            bug_in(self.name, error)
            return ""

    @property
    def is_left_alone(self) -> bool:
        """Whether the source is not asked just now, because it answers nobody."""
        return self._breaker.is_open

    @property
    def in_flight(self) -> int:
        """How many lookups are under way in the source."""
        return self._flights.running

    @property
    def in_flight_anywhere(self) -> int:
        """How many lookups are under way in the source in all processes of the machine."""
        return self._places.taken()

    @property
    def has_room(self) -> bool:
        """Whether what can wait may be asked: the source is not left alone, and half of its places are free."""
        return not self.is_left_alone and 2 * self.in_flight < self.connector.config.max_in_flight

    @property
    def entries(self) -> int:
        """How many callers are remembered."""
        return len(self.cache)

    def report(self) -> Sequence[str]:
        """Return what the connector tells about its source; never raises."""
        try:
            return lines(self.connector.report())
        except BaseException as error:  # noqa: BLE001 - a stranger's code
            return [Attention(bug_in(self.name, error))]

    def try_now(self) -> bool:
        """Try a source that is left alone once before its time; tell whether that was possible."""
        return self._breaker.try_now()

    def forget(self, matches: Matches) -> None:
        """Ask for none of these callers any more in a trial, and leave nothing of them where others look."""
        self._breaker.forget(matches)
        if self._shared:
            self._shared.forget(matches)

    def close(self) -> None:
        """Stop trying, and let the connector release what it holds, waiting a second for it at most."""
        if self.read_ahead:
            self.read_ahead.close()
        self.opening.close()
        self._breaker.close()
        release = threading.Thread(target=self._release, name=f"close-{self.name}", daemon=True)
        try:
            release.start()
        except NO_THREAD as error:  # what it holds is lost, and nobody waits for its source
            _log.error("connector %s is not closed, for no thread can be started: %s", self.name, error)
        else:
            release.join(_PATIENCE_AT_CLOSE)

    def _why_not_listed(self) -> str:
        """Return why the customers are not to be read now, or nothing."""
        return self.opening.trouble or ("the source is left alone" if self.is_left_alone else "")

    def _begin_live(self, question: Call, *, may_ask: bool) -> Pending:
        if self.read_ahead and self.read_ahead.only:  # there is no other way to ask
            return self.read_ahead.answer(question)
        if not may_ask:
            return Pending(SourceUnavailable("no time is left to ask"))
        try:
            self._consider(question)
            flight = self._start_alone(question, self.timeout)
        except SourceError as error:
            return Pending(error)
        return Pending(flight.result, so_far=partial(self._source.told_so_far, question), lease=flight.lease)

    def _consider(self, question: Call) -> None:
        """Raise SourceUnavailable if the source is not to be asked now."""
        if self.opening.is_tried and self.opening.trouble:  # before that, it is waited for as for any slow answer
            raise SourceUnavailable(self.opening.trouble)
        self._source.consider(question)

    def _remembered(self, question: Call) -> Remembered | None:
        if not self.connector.remembered:
            return None
        found = self.cache.get(question)
        self._meter.remembered("nothing" if found is None else "fresh" if found.fresh else "stale")
        return found

    def _by_then(self, question: Call) -> Answer | None:
        """Return what is remembered when the source has failed; another instance may have known more by then."""
        found = self.cache.get(question) if self.connector.remembered else None
        if self.read_ahead and (older := self.read_ahead.instead(question, found)):
            return older
        return _answer(found) if found else None

    def _look(self, question: Call, error: SourceError, by_then: Callable[[], Answer | None]) -> Pending:
        """Look whether another instance knows the answer, for the source cannot be asked."""
        if self._shared and not self._shared.is_silent:
            with suppress(SourceBusy):
                job = partial(self._recall, self._shared, question, error)
                key = (question, self._not_before(question))
                flight = self._looks.start(key, job, Deadline.after(2 * LIMIT))
                return Pending(flight.result, by_then, lease=flight.lease)
        return Pending(error, by_then)

    def _recall(self, shared: SharedAnswers, question: Call, error: SourceError) -> Answer:
        found = shared.recall(question)
        if found is None:
            raise copy.copy(error)  # one for each question: a traceback grows wherever it is raised
        return _answer(found)

    def _start(self, question: Call, *, ahead: bool = False, spare: bool = False) -> Flight[Answer]:
        """Begin to ask, or join who asks already; `spare` leaves places to callers of whom nothing is remembered."""
        lease = Deadline.after(self.timeout, self._clock)
        wanted = Deadline.after(0 if ahead else self.patience, self._clock)
        key = (question, self._not_before(question))
        ask = partial(self._ask, question, lease, ahead=ahead)
        meanwhile = None if spare else partial(self._known_elsewhere, question)
        flight = self._flights.start(key, ask, lease, wanted=wanted, spare=spare, meanwhile=meanwhile)
        if flight.leave is None:
            flight.result.add_done_callback(self._count_refusal)
        return flight

    def _count_refusal(self, waited: Future[Answer]) -> None:
        """Count a question that waited for a place in vain."""
        if isinstance(refusal := waited.exception(), NoPlace):
            self._meter.refused(refusal.reason)

    def _known_elsewhere(self, question: Call) -> Answer | None:
        """Return what another instance knows, if that needs no question; anything else it knows is remembered here."""
        found = self._shared.recall(question) if self._shared else None
        return _answer(found) if found and found.at_once else None

    def _not_before(self, question: Call) -> float | None:
        """Return when a caller was forgotten, or purged, last: who calls later waits for no older lookup."""
        moments = (self._forgotten.learnt(question.caller), self._purges.moment(question.caller))
        return max((moment for moment in moments if moment is not None), default=None)

    def _trial(self, question: Call) -> Future[Answer]:
        return self._start_alone(question, min(self.timeout, self.patience)).result

    def _probe(self, question: Call) -> Future[Answer]:
        """Ask as in a trial, if it takes nothing from calls: half of the places are free, and half of `max_rate`."""
        if not self.has_room or self.connector.config.max_in_flight == 1:
            raise SourceBusy("the places are for calls")
        with calls_come_first():
            return self._start_alone(question, min(self.timeout, self.patience), is_probe=True).result

    def _start_alone(self, question: Call, seconds: float, *, is_probe: bool = False) -> Flight[Answer]:
        """Ask the source itself, whether or not the same is being asked already: what hangs there shows nothing new."""
        lease = Deadline.after(seconds, self._clock)
        ask = partial(self._ask, question, lease, alone=True, is_probe=is_probe)
        return self._flights.start(object(), ask, lease)

    def _ask(
        self, question: Call, lease: Deadline, *, ahead: bool = False, alone: bool = False, is_probe: bool = False
    ) -> Answer:
        """Find the answer; runs in a worker's thread, and goes on after the call's own deadline."""
        if self._shared is None or alone:  # whoever asks alone wants to know of the source itself
            taking_turns: AbstractContextManager[Turn] = nullcontext(Turn(self._shared, question))
        else:
            patience = _SHARE_FOR_OTHERS * min(self.patience, lease.remaining())
            taking_turns = self._shared.turn(question, patience, ahead=ahead)
        with taking_turns as turn:
            if turn.known:
                self._meter.remembered("shared")
                question.explain(f"{self.name}: another instance knows: {len(turn.known.owners)} owner(s)")
                return _answer(turn.known)
            if trouble := self.opening.wait(min(self.patience, lease.remaining())):
                raise SourceUnavailable(trouble)
            with self._places.lease(lease.remaining()):
                asked_at = self._clock()
                answer = self._source.ask(question, lease, is_probe=is_probe)
            is_whole = self.connector.remembered and not answer.missing
            if is_whole and self.cache.put(question, answer.owners, asked_at):
                turn.tell(answer.owners, asked_at)
        return answer

    def _refresh(self, question: Call) -> None:
        """Ask again for what is remembered; nobody waits for it, and who does comes first."""
        with suppress(SourceError), calls_come_first():
            self._consider(question)
            self._start(question, ahead=True, spare=True)

    def _release(self) -> None:
        try:
            self.connector.close()
        except BaseException as error:  # noqa: BLE001 - a stranger's code
            bug_in(self.name, error)
        if left := leaked_threads(self.connector):
            _log.error(
                "connector %s has a bug: after close its code goes on in the thread %s", self.name, ", ".join(left)
            )


def _answer(remembered: Remembered) -> Answer:
    return Answer(remembered.owners, Freshness.CACHED if remembered.fresh else Freshness.STALE)
