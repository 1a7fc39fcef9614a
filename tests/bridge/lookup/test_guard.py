import logging
import threading
from collections.abc import Sequence
from contextlib import suppress

import pytest

from bridge.config.sections import Cache
from bridge.lookup.answer import Answer, Freshness
from bridge.lookup.guard import Guard
from bridge.lookup.meter import Unmetered
from bridge.sdk.connector import Call, ConnectorConfig, Owner
from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import SourceBusy, SourceRejected, SourceUnavailable, UnexpectedAnswer
from bridge.sdk.phone.number import PhoneNumber
from bridge.storage.cache import AnswerCache
from tests.support.fakes import Answer as AnAnswer
from tests.support.fakes import FakeClock, FakeConnector, Gate, failing, nobody, owned_by
from tests.support.kept import until

SETTINGS = Cache(ttl="600s", negative_ttl="60s", stale_ttl="1h", stale_while_revalidate=0)
LIVE, CACHED, STALE = Freshness.LIVE, Freshness.CACHED, Freshness.STALE
LAN = Owner(id="7", email="lan@congty.example")
CALLER = PhoneNumber("+84901234567")
HOTLINE = PhoneNumber("+842499950291")
CALL = Call(CALLER, HOTLINE)


def guard_of(connector: FakeConnector, clock: FakeClock | None = None, *, opened: bool = True) -> Guard:
    clock = clock or FakeClock()
    guard = Guard("crm", connector, AnswerCache(SETTINGS, clock), clock=clock)
    if opened:
        guard.opening.attempt()
    return guard


def ask(guard: Guard, call: Call, deadline: Deadline) -> Answer:
    pending = guard.begin(call)
    pending.wait(deadline.remaining())
    return pending.answer()


def trials() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "trial-crm"}


def soon() -> Deadline:
    return Deadline.after(10)


def test_an_owner_is_asked_for_once_and_then_remembered_for_the_ttl():
    clock, connector = FakeClock(), FakeConnector(answer=owned_by(LAN))
    guard = guard_of(connector, clock)
    first, second = ask(guard, CALL, soon()), ask(guard, CALL, soon())
    assert (first.owners, first.freshness, second.owners, second.freshness) == ((LAN,), LIVE, (LAN,), CACHED)
    clock.advance(601)
    assert ask(guard, CALL, soon()).freshness is LIVE
    assert len(connector.asked) == 2


def test_nobody_is_remembered_too_but_for_a_shorter_time():
    clock, connector = FakeClock(), FakeConnector(answer=nobody)
    guard = guard_of(connector, clock)
    assert [ask(guard, CALL, soon()).freshness for _ in range(2)] == [LIVE, CACHED]
    clock.advance(61)
    assert ask(guard, CALL, soon()).freshness is LIVE


@pytest.mark.parametrize("error", [SourceUnavailable("down"), SourceRejected("key"), UnexpectedAnswer("html")])
def test_a_failure_is_never_remembered(error):
    connector = FakeConnector(answer=failing(error))
    guard = guard_of(connector)
    for _ in range(2):
        with pytest.raises(type(error)):
            ask(guard, CALL, soon())
    connector.answer = owned_by(LAN)
    assert ask(guard, CALL, soon()).owners == (LAN,)


def test_a_source_that_names_a_time_to_come_back_is_left_alone_until_then():
    clock = FakeClock()
    connector = FakeConnector(answer=failing(SourceUnavailable("busy", retry_after=30)))
    guard = guard_of(connector, clock)
    for _ in range(3):
        with pytest.raises(SourceUnavailable):
            ask(guard, CALL, soon())
    assert len(connector.asked) == 1
    assert "crm" in guard.trouble or "busy" in guard.trouble


def test_what_is_remembered_is_answered_even_while_the_source_wants_to_be_left_alone():
    clock, connector = FakeClock(), FakeConnector(answer=owned_by(LAN))
    guard = guard_of(connector, clock)
    ask(guard, CALL, soon())
    connector.answer = failing(SourceUnavailable("busy", retry_after=30))
    with pytest.raises(SourceUnavailable):
        ask(guard, Call(PhoneNumber("+84912345678")), soon())
    assert ask(guard, CALL, soon()).owners == (LAN,)


def test_an_answer_that_comes_too_late_for_its_call_is_there_for_the_next():
    gate = Gate(owned_by(LAN))
    guard = guard_of(FakeConnector(answer=gate))
    with pytest.raises(SourceUnavailable, match="in time"):
        ask(guard, CALL, Deadline.after(-1))
    gate.release()
    answer = ask(guard, CALL, soon())
    assert answer.owners == (LAN,)


def test_a_connector_that_reads_the_hotline_is_asked_for_each_hotline():
    connector = FakeConnector(answer=owned_by(LAN))
    guard = guard_of(connector)
    ask(guard, CALL, soon())
    assert ask(guard, Call(CALLER, None), soon()).freshness is LIVE
    assert [call.hotline for call in connector.asked] == [HOTLINE, None]


def test_a_connector_that_does_not_read_the_hotline_never_gets_it_and_is_asked_once():
    connector = FakeConnector(answer=owned_by(LAN))
    connector.reads_hotline = False
    guard = guard_of(connector)
    ask(guard, CALL, soon())
    assert ask(guard, Call(CALLER, None), soon()).freshness is CACHED
    assert [call.hotline for call in connector.asked] == [None]


@pytest.mark.parametrize(
    "error", [ValueError("secret-ish +84901234567"), SystemExit(3), RecursionError(), MemoryError()]
)
def test_a_bug_in_a_connector_is_a_failure_of_that_connector_and_logged_without_the_number(error, caplog):
    guard = guard_of(FakeConnector(answer=failing(error)))
    with caplog.at_level(logging.ERROR), pytest.raises(UnexpectedAnswer, match=type(error).__name__):
        ask(guard, CALL, soon())
    assert "Traceback" in caplog.text
    assert "901234567" not in caplog.text


def endless() -> Sequence[Owner]:
    class Endless(list[Owner]):
        def __iter__(self):
            number = 0
            while True:
                number += 1
                yield Owner(id=str(number))

    return Endless()


@pytest.mark.parametrize(
    "returned",
    [None, "101", 7, {"id": 7}, [None], ["101"], [Owner()], [Owner(id=7)], [Owner(id="7", extension=101)], endless()],
)
def test_what_a_connector_returns_is_not_trusted(returned):
    connector = FakeConnector(answer=lambda _call, _deadline: returned)
    with pytest.raises(UnexpectedAnswer):
        ask(guard_of(connector), CALL, soon())


def test_an_owner_given_twice_counts_once():
    connector = FakeConnector(answer=owned_by(LAN, Owner(id="8"), LAN))
    assert ask(guard_of(connector), CALL, soon()).owners == (LAN, Owner(id="8"))


def test_a_connector_that_is_asked_for_nothing_is_asked_every_time():
    connector = FakeConnector(answer=owned_by(LAN))
    connector.remembered = False
    guard = guard_of(connector)
    assert [ask(guard, CALL, soon()).freshness for _ in range(2)] == [LIVE, LIVE]
    assert len(connector.asked) == 2


def open_(guard):
    """Open the connector in the background, and wait for the end of it."""
    guard.opening.start()
    for thread in threading.enumerate():
        if thread.name == f"open-{guard.name}":
            thread.join(10)


class SlowToOpen(FakeConnector):
    """A connector whose `open` ends when the test says so."""

    def __init__(self, config: ConnectorConfig | None = None) -> None:
        super().__init__(config, owned_by(LAN))
        self.may_open = threading.Event()

    def open(self) -> None:
        assert self.may_open.wait(10)
        super().open()


def test_a_call_waits_while_the_connector_is_opened_for_the_first_time():
    connector = SlowToOpen()
    guard = guard_of(connector, opened=False)
    guard.opening.start()
    pending = guard.begin(CALL)
    assert not pending.done()
    assert connector.asked == []
    connector.may_open.set()
    pending.wait(10)
    assert pending.answer().owners == (LAN,)


def test_who_waits_for_the_opening_takes_one_of_the_connectors_places():
    connector = SlowToOpen(ConnectorConfig(max_in_flight=1))
    guard = guard_of(connector, opened=False)
    guard.opening.start()
    pending = guard.begin(CALL)
    with pytest.raises(SourceBusy):
        ask(guard, Call(PhoneNumber("+84912345678")), soon())
    connector.may_open.set()
    pending.wait(10)
    assert pending.answer().owners == (LAN,)


def test_who_waits_for_an_opening_that_fails_hears_why_and_who_comes_later_does_not_wait():
    connector = SlowToOpen()
    connector.open_error = SourceUnavailable("the file is missing")
    guard = Guard("crm", connector, AnswerCache(SETTINGS), wait=lambda _seconds: True)
    guard.opening.start()
    pending = guard.begin(CALL)
    connector.may_open.set()
    pending.wait(10)
    with pytest.raises(SourceUnavailable, match="the file is missing"):
        pending.answer()
    later = guard.begin(CALL)
    assert later.done()
    assert connector.asked == []


def test_the_opening_is_waited_for_no_longer_than_an_answer_is_of_use():
    connector = SlowToOpen()
    guard = guard_of(connector, opened=False)
    guard.patience = 0.01
    guard.opening.start()
    pending = guard.begin(CALL)
    pending.wait(10)
    with pytest.raises(SourceUnavailable, match="still being opened"):
        pending.answer()
    connector.may_open.set()


def test_opening_goes_on_until_it_succeeds():
    connector = FakeConnector(answer=owned_by(LAN))
    connector.open_error = SourceUnavailable("the file is missing")
    waits = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        with pytest.raises(SourceUnavailable, match="the file is missing"):
            ask(guard, CALL, soon())
        connector.open_error = None
        return False

    guard = Guard("crm", connector, AnswerCache(SETTINGS), wait=wait)
    open_(guard)
    assert (connector.opened, len(waits)) == (2, 1)
    assert ask(guard, CALL, soon()).owners == (LAN,)


def test_as_many_lookups_as_the_settings_allow_and_no_more():
    gate = Gate(owned_by(LAN))
    connector = FakeConnector(ConnectorConfig(max_in_flight=1), gate)
    guard = guard_of(connector)
    with pytest.raises(SourceUnavailable):
        ask(guard, CALL, Deadline.after(-1))
    gate.wait_until_entered()
    with pytest.raises(SourceBusy):
        ask(guard, Call(PhoneNumber("+84912345678")), soon())
    gate.release()


def test_the_connector_gets_its_own_deadline_not_the_calls():
    seen = []

    def answer(_call: Call, deadline: Deadline) -> Sequence[Owner]:
        seen.append(deadline.remaining())
        return ()

    ask(guard_of(FakeConnector(ConnectorConfig(timeout=7), answer)), CALL, Deadline.after(1))
    assert seen == [7]


def test_closing_closes_the_connector_even_if_that_fails():
    connector = FakeConnector()
    guard_of(connector).close()
    assert connector.closed == 1


def test_an_owner_past_his_life_is_asked_for_again_first():
    clock, connector = FakeClock(), FakeConnector(answer=owned_by(LAN))
    guard = guard_of(connector, clock)
    ask(guard, CALL, soon())
    clock.advance(601)
    connector.answer = owned_by(Owner(id="8"))
    answer = ask(guard, CALL, soon())
    assert (answer.owners, answer.freshness) == ((Owner(id="8"),), LIVE)


@pytest.mark.parametrize(
    "error", [SourceUnavailable("down"), SourceRejected("key"), UnexpectedAnswer("html"), ValueError()]
)
def test_an_owner_past_his_life_is_used_if_the_source_fails(error):
    clock, connector = FakeClock(), FakeConnector(answer=owned_by(LAN))
    guard = guard_of(connector, clock)
    ask(guard, CALL, soon())
    clock.advance(601)
    connector.answer = failing(error)
    answer = ask(guard, CALL, soon())
    assert (answer.owners, answer.freshness) == ((LAN,), STALE)
    clock.advance(3600)
    with pytest.raises((SourceUnavailable, SourceRejected, UnexpectedAnswer)):
        ask(guard, CALL, soon())


def test_an_owner_past_his_life_is_used_if_the_source_is_late():
    clock, connector = FakeClock(), FakeConnector(answer=owned_by(LAN))
    guard = guard_of(connector, clock)
    ask(guard, CALL, soon())
    clock.advance(601)
    connector.answer = gate = Gate(owned_by(Owner(id="8")))
    assert ask(guard, CALL, Deadline.after(-1)).freshness is STALE
    gate.release()
    assert ask(guard, CALL, soon()).owners == (Owner(id="8"),)


def telling(*owners, error=None):
    """Return an answer of which these owners are known ahead, and which then fails, if it is to."""

    def answer(call, _deadline):
        call.so_far(owners)
        if error:
            raise error
        return (LAN,)

    return answer


@pytest.mark.parametrize("error", [SourceUnavailable("no time"), UnexpectedAnswer("html"), ValueError()])
def test_owners_that_are_known_when_the_source_fails_are_a_partial_answer_which_is_not_remembered(error):
    connector = FakeConnector(answer=telling(LAN, LAN, error=error))
    guard = guard_of(connector)
    for _ in range(2):
        answer = ask(guard, CALL, soon())
        assert (answer.owners, answer.freshness) == ((LAN,), LIVE)
        assert answer.missing == (str(error) or "a bug in the connector: ValueError")
    assert (len(connector.asked), guard.entries) == (2, 0)


def test_with_nobody_known_yet_a_failure_is_a_failure():
    guard = guard_of(FakeConnector(answer=telling(error=SourceUnavailable("down"))))
    with pytest.raises(SourceUnavailable):
        ask(guard, CALL, soon())


def test_owners_that_are_known_when_the_call_can_wait_no_longer_are_answered_and_all_of_them_the_next_time():
    told, gate = telling(Owner(id="8")), Gate(owned_by(LAN))

    def answer(call, deadline):
        told(call, deadline)
        return gate(call, deadline)

    guard = guard_of(FakeConnector(answer=answer))
    pending = [guard.begin(CALL), guard.begin(CALL)]
    gate.wait_until_entered()
    for one in pending:
        assert one.answer() == Answer((Owner(id="8"),), LIVE, "no answer in time")
    gate.release()
    assert ask(guard, CALL, soon()) in {Answer((LAN,), LIVE), Answer((LAN,), CACHED)}
    assert ask(guard, CALL, soon()) == Answer((LAN,), CACHED)


def test_what_is_known_now_counts_before_what_was_known_once():
    clock, connector = FakeClock(), FakeConnector(answer=owned_by(LAN))
    guard = guard_of(connector, clock)
    ask(guard, CALL, soon())
    clock.advance(601)
    connector.answer = telling(Owner(id="8"), error=SourceUnavailable("down"))
    assert ask(guard, CALL, soon()).owners == (Owner(id="8"),)


@pytest.mark.parametrize("told", [("lan",), (Owner(),), 5])
def test_what_a_connector_tells_ahead_is_not_trusted(told):
    def answer(call, _deadline):
        call.so_far(told)
        return ()

    with pytest.raises(UnexpectedAnswer, match="bug"):
        ask(guard_of(FakeConnector(answer=answer)), CALL, soon())


def test_nobody_past_its_life_is_no_answer():
    clock, connector = FakeClock(), FakeConnector(answer=nobody)
    guard = guard_of(connector, clock)
    ask(guard, CALL, soon())
    clock.advance(61)
    connector.answer = failing(SourceUnavailable("down"))
    with pytest.raises(SourceUnavailable):
        ask(guard, CALL, soon())


def test_who_calls_near_the_end_of_the_life_is_asked_for_again_in_the_background():
    clock, connector = FakeClock(), FakeConnector(answer=owned_by(LAN))
    settings = Cache(ttl="600s", refresh_ahead="60s")
    guard = Guard("crm", connector, AnswerCache(settings, clock), clock=clock)
    guard.opening.attempt()
    ask(guard, CALL, soon())
    clock.advance(530)
    assert ask(guard, CALL, soon()).freshness is CACHED
    assert len(connector.asked) == 1
    clock.advance(20)
    connector.answer = gate = Gate(owned_by(Owner(id="8")))
    assert ask(guard, CALL, soon()).owners == (LAN,)
    gate.wait_until_entered()
    gate.release()
    assert ask(guard, Call(CALLER, HOTLINE), soon()).freshness is CACHED


def revalidating(connector: FakeConnector, clock: FakeClock, **settings: object) -> Guard:
    cache = Cache.model_validate({"ttl": "600s", "negative_ttl": "60s", **settings})
    guard = Guard("crm", connector, AnswerCache(cache, clock), clock=clock)
    guard.opening.attempt()
    return guard


def test_an_owner_just_past_his_life_is_told_at_once_while_he_is_asked_for_again():
    clock, connector = FakeClock(), FakeConnector(answer=owned_by(LAN))
    guard = revalidating(connector, clock)
    ask(guard, CALL, soon())
    clock.advance(659)
    connector.answer = gate = Gate(owned_by(Owner(id="8")))
    pending = guard.begin(CALL)
    assert pending.done()
    assert pending.answer() == Answer((LAN,), STALE)
    gate.wait_until_entered()
    gate.release()
    until(lambda: guard.begin(CALL).answer() == Answer((Owner(id="8"),), CACHED))
    assert len(connector.asked) == 2


@pytest.mark.parametrize(
    ("settings", "answer", "seconds"),
    [
        ({}, owned_by(LAN), 661),
        ({"ttl": "10s"}, owned_by(LAN), 21),
        ({"stale_while_revalidate": "5m", "stale_ttl": "30s"}, owned_by(LAN), 631),
        ({"stale_while_revalidate": 0}, owned_by(LAN), 601),
        ({"stale_while_revalidate": "5m"}, nobody, 61),
    ],
)
def test_beyond_that_the_source_is_waited_for(settings, answer, seconds):
    clock, connector = FakeClock(), FakeConnector(answer=answer)
    guard = revalidating(connector, clock, **settings)
    ask(guard, CALL, soon())
    clock.advance(seconds)
    connector.answer = owned_by(Owner(id="8"))
    assert ask(guard, CALL, soon()) == Answer((Owner(id="8"),), LIVE)


def test_what_is_remembered_is_asked_for_again_only_in_places_that_no_new_caller_needs():
    clock, connector = FakeClock(), FakeConnector(ConnectorConfig(max_in_flight=4), owned_by(LAN))
    guard = revalidating(connector, clock)
    known = [Call(PhoneNumber(f"+8490123456{digit}")) for digit in range(5)]
    for call in known:
        ask(guard, call, soon())
    clock.advance(601)
    connector.answer = gate = Gate(owned_by(LAN))
    for call in known:
        assert guard.begin(call).answer().freshness is STALE
    assert guard.in_flight == 3
    clock.advance(100)  # past the time in which nobody waits for it, too
    assert guard.begin(known[4]).answer().freshness is STALE
    new = guard.begin(CALL)
    gate.release()
    new.wait(10)
    assert new.answer().freshness is LIVE


def test_who_was_forgotten_is_not_told_while_he_is_asked_for_again():
    clock, connector = FakeClock(), FakeConnector(answer=owned_by(LAN))
    guard = revalidating(connector, clock)
    ask(guard, CALL, soon())
    clock.advance(601)
    guard.cache.forget(lambda _: True)
    assert ask(guard, CALL, soon()).freshness is LIVE


class Rounds:
    """What the trials wait for: each round begins when the test says so."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self._go = threading.Semaphore(0)
        self.waiting = threading.Semaphore(0)

    def __call__(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.waiting.release()
        return not self._go.acquire(timeout=10)  # a test that has ended lets the trials end

    def next(self) -> None:
        assert self.waiting.acquire(timeout=10)
        self._go.release()


def ask_failing(guard: Guard) -> None:
    """Ask for somebody new: where nothing ever succeeded, he is let through as a trial."""
    with pytest.raises(SourceUnavailable):
        ask(guard, CALL, soon())


def broken_guard(connector: FakeConnector, clock: FakeClock, rounds: Rounds) -> Guard:
    guard = Guard("crm", connector, AnswerCache(SETTINGS, clock), clock=clock, wait=rounds)
    guard.opening.attempt()
    for number in range(5):
        with pytest.raises(SourceUnavailable):
            ask(guard, Call(PhoneNumber(f"+8490123450{number}")), soon())
    return guard


def test_a_source_that_fails_for_five_callers_is_left_alone_until_a_trial_is_answered():
    connector, rounds = FakeConnector(answer=failing(SourceUnavailable("down"))), Rounds()
    guard = broken_guard(connector, FakeClock(), rounds)
    until(lambda: guard.is_left_alone)
    ask_failing(guard)
    assert guard.trouble == "unavailable: down"
    asked = len(connector.asked)
    with pytest.raises(SourceUnavailable, match="not asked, because of: unavailable: down"):
        ask(guard, Call(PhoneNumber("+84901234500")), soon())
    assert len(connector.asked) == asked
    connector.answer = owned_by(LAN)
    rounds.next()
    until(lambda: not guard.trouble)
    assert len(connector.asked) == asked + 1


def test_an_answer_too_late_for_its_call_is_counted_as_a_failure_of_its_own_kind():
    clock, heard = FakeClock(), []

    class Heard(Unmetered):
        def asked(self, seconds: float, failure: str = "") -> None:
            heard.append((seconds, failure))

    def answer(call: Call, _deadline: Deadline) -> Sequence[Owner]:
        clock.advance(3.0 if call.caller == CALLER else 0.5)
        return (LAN,)

    guard = Guard("crm", FakeConnector(answer=answer), AnswerCache(SETTINGS, clock), clock=clock, meter=Heard())
    guard.opening.attempt()
    ask(guard, CALL, soon())
    ask(guard, Call(PhoneNumber("+84912345678")), soon())
    assert heard == [(3.0, "late"), (0.5, "")]


def test_one_success_between_failures_keeps_the_source_in_use():
    connector = FakeConnector()
    guard = guard_of(connector)
    for number in range(20):
        connector.answer = owned_by(LAN) if number % 5 == 4 else failing(SourceUnavailable("down"))
        with suppress(SourceUnavailable):
            ask(guard, Call(PhoneNumber(f"+849012345{number:02}")), soon())
    assert len({call.caller for call in connector.asked}) == 20


def test_a_source_that_hangs_is_left_alone_as_well():
    clock, gate = FakeClock(), Gate(owned_by(LAN))
    guard = Guard("crm", FakeConnector(answer=gate), AnswerCache(SETTINGS, clock), clock=clock)
    guard.opening.attempt()
    for number in range(5):
        guard.begin(Call(PhoneNumber(f"+8490123450{number}")))
        gate.wait_until_entered()
    clock.advance(2)
    guard.begin(Call(PhoneNumber("+84901234500")))
    until(lambda: guard.trouble == "no answer in time")
    gate.release()
    guard.close()


def partly(error: Exception) -> AnAnswer:
    """Answer everybody in part, but for those whose number ends in 9."""

    def answer(call: Call, _deadline: Deadline) -> Sequence[Owner]:
        call.so_far([] if call.caller.e164.endswith("9") else [LAN])
        raise error

    return answer


@pytest.mark.parametrize("error", [SourceRejected("leads: 403"), SourceUnavailable("leads: 500"), ValueError("bug")])
def test_a_source_of_which_one_part_always_fails_stays_in_use_for_whom_the_others_know(error):
    connector = FakeConnector(answer=owned_by(LAN))
    guard = guard_of(connector)
    ask(guard, CALL, soon())
    connector.answer = partly(error)
    for number in range(30):
        call = Call(PhoneNumber(f"+849012345{number:02}"))
        with suppress(SourceRejected, SourceUnavailable, UnexpectedAnswer):
            assert ask(guard, call, soon()).owners == (LAN,)
            assert not call.caller.e164.endswith("9")
    assert (len({call.caller for call in connector.asked}), guard.is_left_alone) == (31, False)


def test_the_words_on_a_source_that_refuses_begin_with_that():
    guard = guard_of(FakeConnector(answer=failing(SourceRejected("crm.example answered 401"))))
    for number in range(5):
        with pytest.raises((SourceRejected, SourceUnavailable)):
            ask(guard, Call(PhoneNumber(f"+8490123450{number}")), soon())
    until(lambda: guard.trouble == "rejected: crm.example answered 401")
    guard.close()


def test_a_source_that_is_left_alone_is_in_use_again_when_it_answers_in_part():
    connector, rounds = FakeConnector(answer=failing(SourceUnavailable("down"))), Rounds()
    guard = broken_guard(connector, FakeClock(), rounds)
    until(lambda: guard.is_left_alone)
    connector.answer = telling(LAN, error=SourceRejected("leads: 403"))
    rounds.next()
    until(lambda: not guard.trouble)


def test_owners_told_in_time_are_an_answer_in_time_though_the_others_hang():
    clock, gate, told, before = FakeClock(), Gate(owned_by(LAN)), telling(LAN), trials()

    def answer(call: Call, deadline: Deadline) -> Sequence[Owner]:
        told(call, deadline)
        return gate(call, deadline)

    guard = guard_of(FakeConnector(answer=answer), clock)
    for number in range(6):
        guard.begin(Call(PhoneNumber(f"+8490123450{number}")))
        gate.wait_until_entered()
    clock.advance(2)
    guard.begin(Call(PhoneNumber("+84901234506")))
    gate.wait_until_entered()
    assert (guard.trouble, trials() - before) == ("", set())
    gate.release()


def test_owners_told_too_late_for_their_call_are_no_answer_in_time():
    clock, told = FakeClock(), telling(LAN, error=SourceUnavailable("down"))

    def answer(call: Call, deadline: Deadline) -> Sequence[Owner]:
        clock.advance(3)
        return told(call, deadline)

    guard = guard_of(FakeConnector(answer=answer), clock)
    for number in range(5):
        ask(guard, Call(PhoneNumber(f"+8490123450{number}")), soon())
    until(lambda: guard.trouble == "unavailable: down")
    guard.close()


def test_a_source_that_asks_to_be_left_alone_is_so_though_it_answered_in_part():
    guard = guard_of(FakeConnector(answer=telling(LAN, error=SourceUnavailable("429", retry_after=30))))
    assert ask(guard, CALL, soon()).owners == (LAN,)
    assert guard.is_left_alone
    guard.close()


def test_a_source_that_asks_to_be_left_alone_is_not_even_tried_before_that():
    clock, rounds = FakeClock(), Rounds()
    connector = FakeConnector(answer=failing(SourceUnavailable("429", retry_after=7200)))
    guard = Guard("crm", connector, AnswerCache(SETTINGS, clock), clock=clock, wait=rounds)
    guard.opening.attempt()
    with pytest.raises(SourceUnavailable):
        ask(guard, CALL, soon())
    rounds.next()
    assert rounds.waiting.acquire(timeout=10)
    assert rounds.waits[0] == 60  # a trial a minute at the latest
    assert len(connector.asked) == 1


def test_our_own_restraint_is_no_failure_of_the_source():
    connector = FakeConnector(answer=failing(SourceBusy("max_rate")))
    guard = guard_of(connector)
    for number in range(10):
        with pytest.raises(SourceBusy):
            ask(guard, Call(PhoneNumber(f"+8490123450{number}")), soon())
    assert guard.trouble == ""


@pytest.mark.parametrize("error", [SystemExit(3), ValueError("bug"), KeyboardInterrupt()])
def test_a_bug_while_opening_is_told_and_tried_again(error, caplog):
    connector = FakeConnector(answer=owned_by(LAN))
    connector.open_error = error
    waits = []

    def wait(_seconds: float) -> bool:
        waits.append(guard.trouble)
        connector.open_error = None
        return False

    guard = Guard("crm", connector, AnswerCache(SETTINGS), wait=wait)
    open_(guard)
    assert waits == [f"a bug in the connector: {type(error).__name__}"]
    assert "connector crm has a bug" in caplog.text
    assert guard.trouble == ""


@pytest.mark.parametrize(("given", "seconds"), [("30", 30.0), (" 2.5 ", 2.5), ("soon", None), (None, None), (-5, None)])
def test_a_time_to_come_back_is_a_number_of_seconds_or_nothing(given, seconds):
    assert SourceUnavailable("429", retry_after=given).retry_after == seconds


def test_a_report_that_fails_is_told_as_a_bug():
    class Reporter(FakeConnector):
        def report(self):
            raise ZeroDivisionError

    assert guard_of(Reporter()).report() == ["a bug in the connector: ZeroDivisionError"]


def test_closing_is_not_waited_for_for_ever():
    gate = threading.Event()

    class Closer(FakeConnector):
        def close(self):
            super().close()
            gate.wait(10)

    connector = Closer()
    guard_of(connector).close()
    assert connector.closed == 1
    gate.set()
