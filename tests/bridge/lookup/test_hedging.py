import threading

import pytest

from bridge.config.sections import Cache
from bridge.lookup.guard import Guard
from bridge.lookup.hedging import AdmissionLimit, HedgedRequest
from bridge.sdk.connector import Call, ConnectorConfig, Owner
from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import SourceUnavailable
from bridge.sdk.phone.number import PhoneNumber
from bridge.storage.cache import AnswerCache
from tests.support.fakes import FakeConnector, Gate, failing, nobody, owned_by

CALL = Call(PhoneNumber("+84901234567"))
LAN, MINH = Owner(id="7"), Owner(id="8")


def guard_of(name: str, answer) -> Guard:
    guard = Guard(name, FakeConnector(answer=answer), AnswerCache(Cache()))
    guard.opening.attempt()
    return guard


def hedged(*guards: Guard, deadline: float = 10.0, hedge_after: float = 10.0) -> HedgedRequest:
    return HedgedRequest(CALL, guards, Deadline.after(deadline), hedge_after)


def asked(*guards: Guard) -> list[str]:
    return [guard.name for guard in guards if guard.connector.asked]


def test_the_next_is_not_asked_before_the_first_has_answered():
    guards = guard_of("crm", nobody), guard_of("file", owned_by(LAN))
    answers = hedged(*guards).answers(AdmissionLimit(1))
    assert next(answers)[0] == "crm"
    assert asked(*guards) == ["crm"]
    assert next(answers)[1].answer().owners == (LAN,)


def test_the_next_is_asked_early_if_the_first_takes_long_and_the_order_still_decides():
    gate, second_asked = Gate(owned_by(LAN)), threading.Event()

    def second(_call, _deadline):
        second_asked.set()
        return (MINH,)

    guards = guard_of("crm", gate), guard_of("file", second)
    threading.Thread(target=lambda: (second_asked.wait(10), gate.release()), daemon=True).start()
    name, pending = next(hedged(*guards, hedge_after=0.01).answers(AdmissionLimit(1)))
    assert (name, pending.answer().owners) == ("crm", (LAN,))
    assert second_asked.is_set()


def test_a_hung_first_does_not_take_the_second_s_answer_away():
    gate = Gate(owned_by(LAN))
    guards = guard_of("crm", gate), guard_of("file", owned_by(MINH))
    answers = list(hedged(*guards, deadline=0.3, hedge_after=0.01).answers(AdmissionLimit(1)))
    with pytest.raises(SourceUnavailable, match="in time"):
        answers[0][1].answer()
    assert answers[1][1].answer().owners == (MINH,)
    gate.release()


def test_without_a_place_to_wait_there_is_no_waiting_but_what_is_known_is_answered():
    gate = Gate(owned_by(LAN))
    admission = AdmissionLimit(1)
    guard, known = guard_of("crm", gate), guard_of("known", owned_by(MINH))
    list(hedged(known).answers(AdmissionLimit(1)))
    with admission.place() as taken:
        assert taken
        answers = dict(hedged(guard, known).answers(admission))
    with pytest.raises(SourceUnavailable):
        answers["crm"].answer()
    assert answers["known"].answer().owners == (MINH,)
    gate.release()


def test_the_place_is_given_back():
    admission = AdmissionLimit(1)
    for _ in range(3):
        for _answer in hedged(guard_of("crm", failing(SourceUnavailable("down")))).answers(admission):
            pass
    with admission.place() as taken:
        assert taken


@pytest.mark.parametrize(("threads", "places"), [(2, 1), (4, 2), (8, 6), (64, 56)])
def test_one_thread_in_eight_is_never_used_for_waiting(threads, places):
    admission = AdmissionLimit.of(threads)
    from contextlib import ExitStack  # noqa: PLC0415

    with ExitStack() as stack:
        assert [stack.enter_context(admission.place()) for _ in range(places + 1)] == [True] * places + [False]


def test_with_no_time_left_only_what_is_remembered_is_answered():
    guards = guard_of("known", owned_by(LAN)), guard_of("crm", owned_by(MINH))
    list(hedged(guards[0]).answers(AdmissionLimit(1)))
    guards[0].connector.asked.clear()
    answers = dict(hedged(*guards, deadline=-1).answers(AdmissionLimit(1)))
    assert answers["known"].answer().owners == (LAN,)
    assert asked(*guards) == []


def test_a_connector_that_has_had_its_own_time_is_left_before_the_call_s_time_is_over():
    gate = Gate(owned_by(LAN))
    hung = Guard("crm", FakeConnector(ConnectorConfig(timeout="50ms"), gate), AnswerCache(Cache()))
    hung.opening.attempt()
    answers = hedged(hung, guard_of("file", owned_by(MINH))).answers(AdmissionLimit(1))
    with pytest.raises(SourceUnavailable, match="in time"):
        next(answers)[1].answer()
    assert next(answers)[1].answer().owners == (MINH,)
    gate.release()
