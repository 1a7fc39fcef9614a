"""Two instances that share a Redis: what one has heard the other one knows, with its age, and one of them asks."""

import threading
from contextlib import contextmanager, suppress

import pytest

from bridge.config.sections import Cache
from bridge.lookup.answer import Freshness
from bridge.lookup.guard import Guard
from bridge.sdk.connector import Call, ConnectorConfig, Owner
from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import SourceBusy, SourceError, SourceUnavailable
from bridge.sdk.phone.number import PhoneNumber
from bridge.storage.cache import AnswerCache
from bridge.storage.shared.answers import SharedAnswers
from bridge.storage.shared.client import SharedClient
from bridge.storage.shared.encryption import Encryption
from bridge.storage.shared.namespace import Namespace
from tests.support.fakes import FakeClock, FakeConnector, Gate, failing, nobody, owned_by
from tests.support.kept import until
from tests.support.redis_server import RunningRedis, needs_redis

pytestmark = needs_redis

SETTINGS = Cache(ttl="10m", negative_ttl="60s", stale_ttl="1h", stale_while_revalidate=0)
LIVE, CACHED, STALE = Freshness.LIVE, Freshness.CACHED, Freshness.STALE
LAN, MINH = Owner(id="7", email="lan@congty.example"), Owner(name="Bình", extension="0102")
CALL = Call(PhoneNumber("+84901234567"), PhoneNumber("+842499950291"))
DOWN = failing(SourceUnavailable("down"))


@pytest.fixture
def redis():
    with RunningRedis() as running:
        yield running


class Instance:
    """One guard with its own memory and its own way to the source."""

    def __init__(self, url, answer, settings=SETTINGS, *, opened=True, wait=lambda _seconds: True, **config):
        self.clock = FakeClock()
        self.source = FakeConnector(ConnectorConfig(**config), answer)
        self.cache = AnswerCache(settings, self.clock)
        self.store = SharedClient.at(url)
        room = Namespace(self.store, "omi-bridge", "crm", Encryption("planted-key", "crm"))
        shared = SharedAnswers(room, self.cache)
        self.guard = Guard("crm", self.source, self.cache, clock=self.clock, wait=wait, shared=shared)
        if opened:
            self.guard.opening.attempt()

    def ask(self, call=CALL, patience=10.0):
        pending = self.guard.begin(call)
        pending.wait(Deadline.after(patience).remaining())
        answer = pending.answer()
        return answer.owners, answer.freshness

    def begin(self, call=CALL):
        """Ask in a thread of its own, and return what gives the answer."""
        answers = []
        thread = threading.Thread(target=lambda: answers.append(self.ask(call)))
        thread.start()

        def answer():
            thread.join(10)
            return answers[0]

        return answer


@pytest.fixture
def instance(redis):
    made = []

    def make(answer=DOWN, **options):
        made.append(Instance(redis.url, answer, **options))
        return made[-1]

    yield make
    for one in made:
        one.store.close()


@pytest.fixture
def shared(redis):
    """Return once so many answers are there: putting is not waited for."""
    return lambda count=1: until(lambda: len([key for key in redis.contents() if b":lock" not in key]) == count)


def test_what_one_instance_has_heard_is_the_other_one_s_answer(instance, shared):
    ours, theirs = instance(owned_by(LAN, MINH)), instance()
    assert ours.ask() == ((LAN, MINH), LIVE)
    shared()
    assert theirs.ask() == ((LAN, MINH), CACHED)
    theirs.store.close()
    assert theirs.ask() == ((LAN, MINH), CACHED)
    assert (len(ours.source.asked), len(theirs.source.asked)) == (1, 0)


def test_nobody_is_shared_too_but_never_a_failure(instance, shared, redis):
    ours, theirs = instance(nobody), instance(nobody)
    ours.source.answer = DOWN
    with pytest.raises(SourceError):
        ours.ask()
    until(lambda: redis.contents() == {})
    ours.source.answer = nobody
    assert ours.ask() == ((), LIVE)
    shared()
    assert theirs.ask() == ((), CACHED)


def test_an_answer_lasts_from_the_moment_at_which_the_source_gave_it(instance, shared):
    ours, theirs = instance(owned_by(LAN)), instance(owned_by(MINH))
    ours.ask()
    shared()
    assert theirs.ask()[1] is CACHED
    theirs.clock.advance(601)  # his own memory has come to an end, the shared one has not
    assert theirs.ask() == ((LAN,), CACHED)


def test_an_old_answer_is_used_only_if_the_source_fails(instance, shared):
    short = Cache(ttl="20ms", stale_ttl="1h", stale_while_revalidate=0)
    ours = instance(owned_by(LAN))
    ours.ask()
    shared()
    threading.Event().wait(0.03)
    assert instance(owned_by(MINH), settings=short).ask() == ((MINH,), LIVE)
    shared()
    threading.Event().wait(0.03)
    assert instance(DOWN, settings=short).ask() == ((MINH,), STALE)


def test_an_old_answer_is_used_if_the_source_is_late(instance, shared):
    short = Cache(ttl="20ms", stale_ttl="1h", stale_while_revalidate=0)
    instance(owned_by(LAN)).ask()
    shared()
    threading.Event().wait(0.03)
    gate = Gate(owned_by(MINH))
    theirs = instance(gate, settings=short)
    pending = theirs.guard.begin(CALL)
    gate.wait_until_entered()
    assert pending.answer().owners == (LAN,)
    gate.release()


def left_alone(one):
    for number in range(5):
        with suppress(SourceUnavailable):
            one.ask(Call(PhoneNumber(f"+8490123450{number}")))
    until(lambda: one.guard.is_left_alone)
    return one


def test_who_leaves_the_source_alone_still_looks_at_what_others_know(instance, shared):
    theirs = left_alone(instance(failing(SourceUnavailable("down", retry_after=60))))
    instance(owned_by(LAN)).ask()
    shared()
    assert theirs.ask() == ((LAN,), CACHED)
    with pytest.raises(SourceUnavailable, match="not asked, because of: unavailable: down"):
        theirs.ask(Call(PhoneNumber("+84912345678")))
    assert len(theirs.source.asked) == 1


def test_a_source_that_is_not_open_yet_does_not_hide_what_others_know(instance, shared):
    instance(owned_by(LAN)).ask()
    shared()
    theirs = instance(opened=False)
    theirs.guard.patience = 0.1
    assert theirs.ask() == ((LAN,), CACHED)
    with pytest.raises(SourceUnavailable, match="being opened"):
        theirs.ask(Call(PhoneNumber("+84912345678")))


def test_places_that_are_all_taken_do_not_hide_what_others_know(instance, shared):
    instance(owned_by(LAN)).ask()
    shared()
    gate = Gate(nobody)
    theirs = instance(gate, max_in_flight=1)
    theirs.guard.begin(Call(PhoneNumber("+84912345678")))
    gate.wait_until_entered()
    assert theirs.ask() == ((LAN,), CACHED)
    with pytest.raises(SourceBusy):
        theirs.ask(Call(PhoneNumber("+84912345679")))
    gate.release()


def test_one_question_to_both_at_the_same_time_is_one_to_the_source(instance):
    gate = Gate(owned_by(LAN))
    ours, theirs = instance(gate), instance(DOWN)
    first = ours.begin()
    gate.wait_until_entered()
    second = theirs.begin()
    until(lambda: theirs.guard.in_flight)
    gate.release()
    assert (first(), second()) == (((LAN,), LIVE), ((LAN,), CACHED))
    assert theirs.source.asked == []


def test_who_waits_for_another_instance_asks_himself_if_that_one_fails_or_takes_too_long(instance):
    gate = Gate(DOWN)
    ours, theirs = instance(gate), instance(owned_by(LAN))
    pending = ours.guard.begin(CALL)
    gate.wait_until_entered()
    assert theirs.ask() == ((LAN,), LIVE)  # waits no longer than it may
    gate.release()
    pending.wait(10)
    with pytest.raises(SourceUnavailable, match="down"):
        pending.answer()


def test_a_failure_gives_the_turn_to_the_next(instance, redis):
    gate = Gate(DOWN)
    ours, theirs = (instance(answer, timeout=300) for answer in (gate, owned_by(LAN)))
    ours.guard.patience = theirs.guard.patience = 300  # by itself the lock would not be free for a hundred seconds
    ours.guard.begin(CALL)
    gate.wait_until_entered()
    second = theirs.begin()
    until(lambda: theirs.guard.in_flight)
    gate.release()
    assert second() == ((LAN,), LIVE)
    until(lambda: not any(b":lock" in key for key in redis.contents()))


def test_a_trial_of_a_source_that_is_left_alone_asks_the_source_itself(instance, shared):
    theirs = left_alone(instance(DOWN, wait=None))
    asked = len(theirs.source.asked)
    instance(owned_by(LAN)).ask(Call(PhoneNumber("+84901234504")))
    shared()
    until(lambda: len(theirs.source.asked) > asked)
    theirs.source.answer = owned_by(MINH)
    until(lambda: not theirs.guard.is_left_alone)


def test_a_renewal_ahead_takes_what_another_instance_has_renewed(instance, shared):
    settings = Cache(ttl="10m", refresh_ahead="5m")
    ours, theirs = instance(owned_by(LAN), settings=settings), instance(owned_by(LAN), settings=settings)
    theirs.ask()
    shared()
    theirs.clock.advance(400)
    with_new = instance(owned_by(MINH), settings=Cache(ttl="1ms", stale_ttl="1h"))
    assert with_new.ask() == ((MINH,), LIVE)
    until(lambda: ours.ask()[0] == (MINH,) or ours.clock.advance(601))  # then it is there for all
    assert theirs.ask() == ((LAN,), CACHED)
    until(lambda: theirs.ask() == ((MINH,), CACHED))
    assert len(theirs.source.asked) == 1


def test_a_hotline_that_matters_makes_another_question(instance, shared):
    ours, theirs = instance(owned_by(LAN)), instance(owned_by(MINH))
    ours.ask()
    shared()
    assert theirs.ask(Call(CALL.caller)) == ((MINH,), LIVE)


@contextmanager
def frozen(redis):
    redis.freeze()
    try:
        yield
    finally:
        redis.thaw()


def test_a_server_that_stands_still_costs_no_answer(instance, redis):
    ours, theirs = instance(owned_by(LAN)), instance(owned_by(LAN))
    ours.ask()
    with frozen(redis):
        for number in range(8):
            assert theirs.ask(Call(PhoneNumber(f"+8490123450{number}")), 1.0) == ((LAN,), LIVE)
        assert ours.ask() == ((LAN,), CACHED)
        assert theirs.store.is_silent
    assert len(theirs.source.asked) == 8
