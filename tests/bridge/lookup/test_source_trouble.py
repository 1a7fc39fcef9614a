"""A source is in trouble from its first failure that nothing disproves; one customer's trouble is not the source's."""

import threading
from concurrent.futures import Future
from contextlib import suppress

import pytest

from bridge.config.sections import Cache
from bridge.lookup.guard import Guard
from bridge.lookup.sightings import Sightings
from bridge.lookup.source_trouble import SourceTrouble
from bridge.sdk.connector import Call, ConnectorConfig, Owner
from bridge.sdk.errors import SourceBusy, SourceError, SourceRejected, SourceUnavailable, UnexpectedAnswer
from bridge.sdk.phone.number import PhoneNumber
from bridge.storage.cache import AnswerCache
from tests.support.fakes import FakeClock, FakeConnector, Gate, failing, owned_by
from tests.support.kept import until
from tests.support.rounds import Rounds

LAN = owned_by(Owner(id="7"))
DOWN = SourceUnavailable("503")


def caller(number: int) -> Call:
    return Call(PhoneNumber(f"+8490123450{number}"))


class Probed:
    """A trouble whose probes are steered; its thread waits for as long as `rounds` are given."""

    def __init__(self, proven: Call | None = None, other: "Probed | None" = None) -> None:
        self.clock, self.pauses, self.asked = other.clock if other else FakeClock(), [], []
        self.seen = other.seen if other else Sightings.alone("crm", self.clock)
        self.rounds = threading.Semaphore(0)
        self.ends = "unavailable: 503"
        self.trouble = SourceTrouble(
            "crm", self._probe, lambda: proven, lambda: 1.8, self.seen, self.clock, wait_for=self._wait
        )

    def round(self) -> None:
        """Let one pause be over, and wait until the next begins."""
        pauses = len(self.pauses)
        self.rounds.release()
        until(lambda: len(self.pauses) > pauses)

    def _probe(self, question: Call) -> "Future[object]":
        self.asked.append(question)
        future = Future[object]()
        if self.ends == "busy":
            raise SourceBusy("no place")
        if self.ends:
            self.trouble.failed("unavailable", self.ends)
        else:
            self.trouble.answered()
        future.set_result(None)
        return future

    def _wait(self, seconds: float) -> bool:
        self.pauses.append(seconds)
        self.rounds.acquire(timeout=30)
        self.clock.advance(seconds)
        return False


def test_what_once_succeeded_disproves_a_failure_and_nothing_was_told():
    one = Probed(caller(9))
    one.ends = ""
    one.trouble.failed("unavailable", "unavailable: no record")
    until(lambda: one.asked)
    until(lambda: not one.trouble._reason)  # noqa: SLF001 - nothing else shows that it is over
    assert (one.asked, one.trouble.told) == ([caller(9)], "")


def test_what_fails_at_it_is_told_and_asked_about_ever_more_seldom_until_it_is_answered():
    one = Probed(caller(9))
    one.trouble.failed("unavailable", "unavailable: 500")
    until(lambda: one.pauses)
    assert one.trouble.told == "unavailable: 503", "what it fails with now"
    for _ in range(6):
        one.round()
    assert one.pauses == [2, 4, 8, 16, 32, 60, 60]
    one.ends = ""
    one.rounds.release()
    until(lambda: not one.trouble.told)


def test_a_refusal_is_told_at_once_and_so_is_the_failure_of_what_never_answered():
    refused, never = Probed(caller(9)), Probed()
    refused.ends = "busy"
    refused.trouble.failed("rejected", "rejected: 401")
    assert refused.trouble.told == "rejected: 401"
    never.trouble.failed("unavailable", "unavailable: 503")
    assert (never.trouble.told, never.asked) == ("unavailable: 503", [])
    for one in (refused, never):
        one.trouble.answered()
        assert one.trouble.told == ""
        one.trouble.close()


def test_where_there_is_no_place_to_ask_calls_have_two_seconds_to_show_how_the_source_is():
    one = Probed(caller(9))
    one.ends = "busy"
    one.trouble.failed("unavailable", "unavailable: 500")
    until(lambda: one.pauses)
    assert one.trouble.told == ""
    one.round()
    assert one.trouble.told == "unavailable: 500"
    one.trouble.close()
    one.rounds.release()


def test_where_every_other_question_fails_the_source_is_not_asked_again_for_each():
    one = Probed(caller(9))
    one.ends = ""
    for _ in range(3):
        one.trouble.failed("unavailable", "unavailable: no record")
        until(lambda: one.asked)
        one.trouble.answered()
    until(lambda: len(one.pauses) == 2)
    assert one.asked == [caller(9)]
    one.rounds.release(2)


def two_processes() -> tuple[Probed, Probed]:
    """Return one that has just asked in vain, and one that fails a moment later."""
    ours = Probed(caller(9))
    theirs = Probed(caller(8), other=ours)
    ours.trouble.failed("unavailable", "unavailable: 500")
    until(lambda: ours.pauses)
    ours.clock.advance(0.3)
    theirs.trouble.failed("unavailable", "unavailable: 500")
    until(lambda: theirs.pauses)
    return ours, theirs


def ended(*processes: Probed) -> None:
    for one in processes:
        one.trouble.close()
        one.rounds.release(2)


def test_of_two_processes_one_asks_and_both_tell_if_nobody_is_answered():
    ours, theirs = two_processes()
    assert theirs.pauses == [pytest.approx(1.7)], "not twice within two seconds"
    ours.round()
    assert (len(ours.asked), ours.pauses) == (2, [2, 4])
    theirs.round()
    assert theirs.trouble.told == "", "what the other one asked may still be answered"
    theirs.round()
    assert theirs.trouble.told == "unavailable: 500"
    assert theirs.asked == []
    ended(ours, theirs)


def test_whoever_is_answered_in_one_process_disproves_what_failed_in_the_others():
    ours, theirs = two_processes()
    ours.clock.advance(1)
    theirs.seen.answers.note()
    ours.clock.advance(0.1)
    assert ours.trouble.told == theirs.trouble.told == ""
    theirs.rounds.release()
    until(lambda: not theirs.trouble._reason)  # noqa: SLF001 - nothing else shows that it is over
    assert theirs.asked == []
    ended(ours, theirs)


def guard_of(connector: FakeConnector) -> Guard:
    clock = FakeClock()
    guard = Guard("crm", connector, AnswerCache(Cache(), clock), clock=clock)
    guard.opening.attempt()
    return guard


def ask(guard: Guard, call: Call) -> None:
    pending = guard.begin(call)
    pending.wait(10)
    with suppress(SourceError):
        pending.answer()


def failing_at(error: SourceError, *calls: Call):
    def answer(call, deadline):
        return failing(error)(call, deadline) if call in calls else LAN(call, deadline)

    return answer


@pytest.mark.parametrize("error", [DOWN, UnexpectedAnswer("two owners"), SourceRejected("403")])
def test_one_customer_whom_the_crm_cannot_answer_is_no_trouble_of_the_crm(error):
    connector = FakeConnector(answer=failing_at(error, caller(1)))
    guard = guard_of(connector)
    ask(guard, caller(9))
    ask(guard, caller(1))
    until(lambda: len(connector.asked) == 3)
    until(lambda: not guard.trouble)
    assert [call.caller for call in connector.asked] == [caller(number).caller for number in (9, 1, 9)]
    guard.close()


@pytest.mark.parametrize("error", [DOWN, UnexpectedAnswer("html"), SourceRejected("401")])
def test_a_crm_that_fails_at_what_it_has_answered_is_in_trouble_from_the_first_call_on_and_still_in_use(error):
    connector = FakeConnector(answer=LAN)
    guard = guard_of(connector)
    ask(guard, caller(9))
    connector.answer = failing(error)
    ask(guard, caller(1))
    until(lambda: guard.trouble)
    assert guard.trouble == f"{error.reason}: {error}"
    assert not guard.is_left_alone, "a probe is no caller"
    connector.answer = LAN
    ask(guard, caller(2))
    until(lambda: not guard.trouble)  # a probe from before may still have failed
    guard.close()


def test_however_often_probes_fail_they_are_no_callers_for_whom_the_crm_is_left_alone():
    before, clock, rounds, connector = threading.enumerate(), FakeClock(), Rounds(), FakeConnector(answer=LAN)
    guard = Guard("crm", connector, AnswerCache(Cache(), clock), clock=clock, wait=rounds)
    guard.opening.attempt()
    for number in range(5, 10):
        ask(guard, caller(number))
    connector.answer = failing(DOWN)
    ask(guard, caller(1))
    rounds.step(5)
    assert len({call.caller for call in connector.asked[6:]}) == 5
    assert (guard.trouble, guard.is_left_alone) == ("unavailable: 503", False)
    assert not [one for one in threading.enumerate() if one not in before and one.name == "trial-crm"]
    rounds.end()
    guard.close()


def test_what_hangs_is_found_out_by_whoever_looks():
    gate, clock = Gate(LAN), FakeClock()
    guard = Guard("crm", FakeConnector(answer=gate), AnswerCache(Cache(), clock), clock=clock)
    guard.opening.attempt()
    guard.begin(caller(1))
    gate.wait_until_entered()
    assert guard.trouble == ""
    clock.advance(2)
    assert guard.trouble == "no answer in time"
    gate.release()
    guard.close()


def test_a_probe_takes_no_place_that_a_call_may_want():
    gate = Gate(LAN)
    connector = FakeConnector(ConnectorConfig(max_in_flight=2), LAN)
    guard = guard_of(connector)
    ask(guard, caller(9))
    connector.answer = gate
    guard.begin(caller(2))
    gate.wait_until_entered()
    with pytest.raises(SourceBusy, match="the places are for calls"):
        guard._probe(caller(9))  # noqa: SLF001 - nobody can see from outside what was not asked
    gate.release()
    guard.close()
