import pytest

from bridge.deadline import Deadline
from bridge.errors import SourceBusy
from connectors.rate_limit import Rate, RateLimit, parse_rate
from tests.support.fakes import FakeClock


class Limited:
    def __init__(self, rate: str) -> None:
        self.clock = FakeClock()
        self.slept: list[float] = []
        self.limit = RateLimit(parse_rate(rate), self.clock, self.slept.append)

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


@pytest.mark.parametrize(
    ("written", "rate"), [("4/s", Rate(4, 1)), (" 100 / m ", Rate(100, 60)), ("5000/h", Rate(5000, 3600))]
)
def test_a_rate_is_written_as_a_number_and_a_unit_of_time(written, rate):
    assert parse_rate(written) == rate


@pytest.mark.parametrize("written", ["", "4", 4, "0/s", "-1/s", "4/d", "4 per second", "1.5/s", None, True, "100000/s"])
def test_what_is_no_rate_is_refused(written):
    with pytest.raises(ValueError, match="such as 4/s"):
        parse_rate(written)
