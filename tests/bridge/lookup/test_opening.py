import pytest

from bridge.lookup.opening import Opening
from bridge.sdk.errors import SourceError, SourceRejected, SourceUnavailable, UnexpectedAnswer
from bridge.sdk.shared import Shared, Turns, turns_at_hand
from tests.support.fakes import FakeConnector
from tests.support.kept import until


def pauses(*failures: SourceError | None) -> list[float]:
    """Return after how many seconds each attempt is followed by the next, if they end so."""
    connector, left, waited = FakeConnector(), list(failures), []

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        connector.open_error = left.pop(0) if left else None
        return False

    connector.open_error = left.pop(0)
    opening = Opening("crm", connector, wait)
    opening.start()
    until(lambda: not opening.trouble)
    return waited


@pytest.mark.parametrize("failure", [SourceUnavailable("503"), UnexpectedAnswer("a page of HTML")])
def test_a_source_that_was_away_is_tried_again_within_seconds_however_long_it_was(failure):
    assert pauses(*[failure] * 50) == [1.0] * 50


def test_a_source_that_refuses_is_tried_ever_more_seldom():
    assert pauses(*[SourceRejected("401")] * 8) == [2, 4, 8, 16, 32, 60, 60, 60]


def test_an_outage_between_refusals_is_over_within_seconds():
    refused, away = SourceRejected("401"), SourceUnavailable("503")
    assert pauses(refused, refused, away, away, refused) == [2, 4, 1.0, 1.0, 8]


def test_a_source_that_asks_for_a_pause_gets_it_but_not_for_more_than_an_hour():
    asks = [SourceUnavailable("503", retry_after=seconds) for seconds in (0.5, 30, 10**9)]
    assert pauses(*asks) == [1.0, 30, 60]


def test_what_a_connector_makes_while_it_is_opened_counts_together_with_the_others():
    class Counting(Shared):
        def turns(self, name: str, count: int, seconds: float) -> Turns:
            asked.append((name, count, seconds))
            return Turns(count, seconds)

    class Late(FakeConnector):
        def open(self) -> None:
            turns_at_hand("max_rate", 5, 60.0)

    asked: list[tuple[str, int, float]] = []
    connector = Late()
    connector.shared = Counting()
    Opening("crm", connector).attempt()
    assert asked == [("max_rate", 5, 60.0)]
