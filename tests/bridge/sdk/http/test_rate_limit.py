from collections.abc import Callable

import pytest

from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import SourceBusy
from bridge.sdk.http.rate_limit import Rate, RateLimit, calls_come_first, parse_rate
from bridge.sdk.shared import Shared, Turns, at_hand
from tests.support.fakes import FakeClock


class Limited:
    def __init__(self, rate: str) -> None:
        self.clock = FakeClock()
        self.slept: list[float] = []
        self.limit = self.made(rate, self.slept.append)

    def made(self, written: str, sleep: Callable[[float], object]) -> RateLimit:
        rate = parse_rate(written)
        return RateLimit(rate, sleep, Turns(rate.count, rate.seconds, self.clock))

    def take(self, seconds: float = 10) -> None:
        self.limit.take(Deadline.after(seconds, self.clock))


def test_as_many_requests_as_allowed_are_made_without_waiting():
    limited = Limited("3/s")
    for _ in range(3):
        limited.take()
    assert limited.slept == []


def test_the_next_waits_for_its_turn_and_the_one_after_it_for_the_next():
    limited = Limited("2/s")
    limited.take()
    limited.clock.advance(0.25)
    limited.take()
    limited.take()
    limited.take()
    assert limited.slept == [0.75, 1.0]


def test_in_no_window_are_there_more_requests_than_allowed():
    limited, made = Limited("5/s"), []
    for _ in range(200):
        before = len(limited.slept)
        try:
            limited.take()
        except SourceBusy:
            limited.clock.advance(0.05)
            continue
        made.append(limited.clock() + sum(limited.slept[before:]))
    assert len(made) > 20
    assert all(later - earlier >= 1 - 1e-9 for earlier, later in zip(made, made[5:], strict=False))


def test_a_turn_that_is_far_away_is_not_waited_for():
    limited = Limited("1/m")
    limited.take()
    with pytest.raises(SourceBusy, match="max_rate"):
        limited.take()
    assert limited.slept == []
    limited.clock.advance(60)
    limited.take()


def test_nobody_waits_for_a_turn_beyond_his_deadline():
    limited = Limited("1/s")
    limited.take()
    with pytest.raises(SourceBusy):
        limited.take(seconds=0.5)


class Reading(Limited):
    """One that reads in the background: its clock goes on while it waits."""

    def __init__(self, rate: str) -> None:
        super().__init__(rate)
        self.limit = self.made(rate, self.sleep)
        self.ended = False

    def sleep(self, seconds: float) -> bool:
        self.slept.append(seconds)
        self.clock.advance(seconds)
        return self.ended

    def read(self, seconds: float = 600) -> None:
        self.limit.take_in_background(Deadline.after(seconds, self.clock))


def test_what_is_read_in_the_background_waits_and_leaves_half_of_the_turns_to_calls():
    reading = Reading("10/m")
    for _ in range(5):
        reading.read()
    assert reading.slept == []
    for _ in range(5):
        reading.take()  # a call finds a turn at once
    reading.read()
    assert reading.slept == [60.0]


def test_calls_come_before_what_is_read_in_the_background():
    reading = Reading("4/m")
    for _ in range(4):
        reading.take()
        reading.clock.advance(10)
    reading.read()
    assert sum(reading.slept) == 40.0  # until no more than one of the four calls was within the minute
    reading.take()


def test_a_question_that_only_tells_how_the_source_is_leaves_half_of_the_turns_to_calls_too():
    reading = Reading("4/m")
    with calls_come_first():
        reading.take()
        reading.take()
        with pytest.raises(SourceBusy):
            reading.take()
    reading.take()  # a call finds a turn at once
    assert reading.slept == []


def test_a_reading_does_not_wait_beyond_its_own_deadline():
    reading = Reading("2/m")
    reading.read()
    with pytest.raises(SourceBusy):
        reading.read(seconds=59)
    assert reading.slept == []


def test_a_reading_that_waits_is_let_go_when_asking_ends():
    reading = Reading("2/m")
    reading.read()
    reading.ended = True
    with pytest.raises(SourceBusy, match="ended"):
        reading.read()
    assert len(reading.slept) == 1


@pytest.mark.parametrize(
    ("written", "rate"), [("4/s", Rate(4, 1)), (" 100 / m ", Rate(100, 60)), ("5000/h", Rate(5000, 3600))]
)
def test_a_rate_is_written_as_a_number_and_a_unit_of_time(written, rate):
    assert parse_rate(written) == rate


@pytest.mark.parametrize("written", ["", "4", 4, "0/s", "-1/s", "4/d", "4 per second", "1.5/s", None, True, "100000/s"])
def test_what_is_no_rate_is_refused(written):
    with pytest.raises(ValueError, match="such as 4/s"):
        parse_rate(written)


class OneMemory(Shared):
    """Knows the requests of all who share it."""

    def __init__(self) -> None:
        self._turns: dict[object, Turns] = {}

    def turns(self, name: str, count: int, seconds: float) -> Turns:
        return self._turns.setdefault((name, count, seconds), Turns(count, seconds))


def test_limits_that_are_made_with_the_same_memory_at_hand_keep_the_rate_together():
    shared = OneMemory()
    with at_hand(shared):
        ours, theirs = (RateLimit(parse_rate("2/m")) for _ in range(2))
    alone = RateLimit(parse_rate("2/m"))
    ours.take(Deadline.after(1))
    theirs.take(Deadline.after(1))
    for one in (ours, theirs):
        with pytest.raises(SourceBusy):
            one.take(Deadline.after(1))
    alone.take(Deadline.after(1))
