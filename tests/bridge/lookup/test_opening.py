import pytest

from bridge.lookup.opening import Opening
from bridge.sdk.errors import SourceError, SourceRejected, SourceUnavailable, UnexpectedAnswer
from bridge.sdk.shared import Shared, Turns, turns_at_hand
from bridge.storage.machine import MachineMemory
from bridge.storage.shared.machine_namespace import MachineNamespace
from tests.support.fakes import FakeClock, FakeConnector
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


def two_openings(
    failure: SourceError, *, needs_network: bool = True
) -> tuple[list[FakeConnector], list[Opening], FakeClock]:
    memory, clock, connectors = MachineMemory.make(), FakeClock(), [FakeConnector(), FakeConnector()]
    for one in connectors:
        one.open_error, one.needs_network = failure, needs_network
        one.shared = MachineNamespace(memory, "crm", "crm", clock)
    return connectors, [Opening("crm", one) for one in connectors], clock


@pytest.mark.parametrize(
    "failure", [SourceRejected("401"), SourceUnavailable("503", retry_after=30), UnexpectedAnswer("a page of HTML")]
)
def test_what_fails_in_one_process_of_the_machine_is_not_tried_in_another_before_its_pause_is_over(failure):
    connectors, (ours, theirs), clock = two_openings(failure)
    for opening in (ours, theirs):
        with pytest.raises(type(failure), match=str(failure)) as told:
            opening.attempt()
        assert getattr(told.value, "retry_after", None) == getattr(failure, "retry_after", None)
    assert [one.opened for one in connectors] == [1, 0]
    assert (theirs.trouble, theirs.is_rejected) == (ours.trouble, ours.is_rejected)
    connectors[1].open_error = None
    clock.advance(31)
    theirs.attempt()
    assert theirs.trouble == ""


def test_what_needs_no_network_is_tried_in_each():
    connectors, openings, _ = two_openings(SourceUnavailable("is being written"), needs_network=False)
    for opening in openings:
        with pytest.raises(SourceUnavailable):
            opening.attempt()
    assert [one.opened for one in connectors] == [1, 1]
