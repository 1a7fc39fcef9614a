import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context

import pytest

from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import SourceUnavailable
from bridge.sdk.threads.cancellation import Cancellation, Cancelled
from bridge.sdk.threads.lane import MOMENT, Lane, give_way, waiting_for_source
from bridge.sdk.threads.single_flight import SingleFlight

PATIENCE = 10.0
LONG = 4 * MOMENT


class Processor:
    """The processor time of a thread, which passes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.rests: list[float] = []

    def spent(self) -> float:
        return self.seconds


@pytest.fixture
def processor() -> Processor:
    return Processor()


@pytest.fixture
def lane(processor: Processor) -> Lane:
    return Lane(clock=lambda: 1000.0 + sum(processor.rests), spent=processor.spent, rest=processor.rests.append)


def soon() -> Deadline:
    return Deadline.after(PATIENCE)


@contextmanager
def in_the_lane(lane: Lane) -> Iterator[threading.Event]:
    """Have another thread work in the lane until the event is set, or the block is over."""
    is_there, may_end = threading.Event(), threading.Event()

    def work() -> None:
        with lane.turn(soon(), long=True):
            is_there.set()
            may_end.wait(PATIENCE)

    thread = threading.Thread(target=work)
    thread.start()
    assert is_there.wait(PATIENCE)
    try:
        yield may_end
    finally:
        may_end.set()
        thread.join(PATIENCE)


def test_what_takes_less_than_a_moment_neither_rests_nor_waits_for_the_lane(lane: Lane, processor: Processor) -> None:
    with in_the_lane(lane), lane.turn(soon()):
        processor.seconds += MOMENT / 2
        give_way()
    assert processor.rests == []


def test_what_takes_longer_rests_as_long_as_it_has_worked(lane: Lane, processor: Processor) -> None:
    with lane.turn(soon()):
        for worked in (LONG, MOMENT / 4, MOMENT / 4, LONG):
            processor.seconds += worked
            give_way()
    assert processor.rests == pytest.approx([LONG, LONG + MOMENT / 2])


def test_no_rest_is_longer_than_the_time_that_is_left(lane: Lane, processor: Processor) -> None:
    with lane.turn(Deadline(MOMENT, lambda: 0.0)):
        processor.seconds += LONG
        give_way()
    assert processor.rests == [MOMENT]


def test_a_long_piece_of_work_is_alone_in_the_lane(lane: Lane) -> None:
    done: list[str] = []

    def work() -> None:
        with lane.turn(soon(), long=True):
            done.append("the second")

    with in_the_lane(lane) as may_end:
        second = threading.Thread(target=work)
        second.start()
        second.join(0.05)
        done.append("the first")
        may_end.set()
        second.join(PATIENCE)
    assert done == ["the first", "the second"]


def test_the_lane_rests_after_a_long_piece_of_work_and_whoever_did_it_goes_on() -> None:
    processor, clock = Processor(), [1000.0]
    lane = Lane(clock=lambda: clock[0], spent=processor.spent)
    with lane.turn(soon(), long=True):
        processor.seconds += LONG
    with pytest.raises(SourceUnavailable), lane.turn(Deadline.after(MOMENT), long=True):
        pass
    clock[0] += LONG
    with lane.turn(soon(), long=True):
        assert True, "the rest is over"


def test_the_lane_is_free_while_its_thread_waits_for_the_source(lane: Lane) -> None:
    with lane.turn(soon(), long=True):
        with waiting_for_source(), in_the_lane(lane):
            pass
        with pytest.raises(SourceUnavailable):  # taken again by this thread
            lane.take(Deadline.after(0.01))


@pytest.mark.parametrize("say", [give_way, lambda: waiting_for_source().__enter__()])
def test_work_ends_when_its_time_is_over(lane: Lane, processor: Processor, say: Callable[[], object]) -> None:
    with lane.turn(Deadline.after(0.0)):
        processor.seconds += LONG
        with pytest.raises(SourceUnavailable, match="longer to read"):
            say()


def test_work_ends_when_nobody_needs_it_any_more(lane: Lane, processor: Processor) -> None:
    cancellation = Cancellation()
    with suppress(Cancelled), cancellation.under_way(), lane.turn(soon()):
        cancellation.cancel()
        processor.seconds += LONG
        with pytest.raises(Cancelled):
            give_way()


def test_whoever_waits_for_the_lane_is_told_when_nobody_needs_him_any_more(lane: Lane) -> None:
    cancellation, ended = Cancellation(), threading.Event()

    def wait() -> None:
        with cancellation.under_way(), pytest.raises(Cancelled), lane.turn(soon(), long=True):
            pass
        ended.set()

    with in_the_lane(lane):
        waiting = threading.Thread(target=wait)
        waiting.start()
        while not cancellation.can_cut:
            threading.Event().wait(0.001)
        cancellation.cancel()
        assert ended.wait(PATIENCE)


def test_a_thread_that_is_begun_in_a_turn_has_none(lane: Lane, processor: Processor) -> None:
    with lane.turn(soon()):
        processor.seconds += LONG
        thread = threading.Thread(target=copy_context().run, args=(give_way,))
        thread.start()
        thread.join(PATIENCE)
        assert processor.rests == []


def test_a_turn_that_is_over_counts_for_nobody(lane: Lane, processor: Processor) -> None:
    with lane.turn(soon()):
        within = copy_context()
    processor.seconds += LONG
    within.run(give_way)
    assert processor.rests == []


def test_work_that_nobody_waits_for_gives_its_place_to_who_needs_it(lane: Lane, processor: Processor) -> None:
    flights: SingleFlight[str] = SingleFlight("test", 1)
    works = threading.Event()

    def endless() -> str:
        with lane.turn(soon()):
            works.set()
            while True:
                processor.seconds += MOMENT
                give_way()

    useless = flights.start("a", endless, soon(), wanted=Deadline.after(0.0))
    assert works.wait(PATIENCE)
    assert flights.start("b", lambda: "found", soon()).result.result(PATIENCE) == "found"
    with pytest.raises(Cancelled):
        useless.result.result(PATIENCE)
