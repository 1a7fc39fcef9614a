import pytest

from bridge.config.sections import Cache
from bridge.lookup.answer import Freshness
from bridge.lookup.guard import Guard
from bridge.sdk.connector import Call
from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import SourceError, SourceUnavailable
from bridge.storage.cache import AnswerCache
from bridge.storage.snapshot.snapshot import CustomerSnapshot, Files
from tests.support.fakes import FakeClock, failing, owned_by
from tests.support.listing import LAN, MINH, Lister, customers, number

SETTINGS = Cache(ttl="600s", negative_ttl="60s", stale_ttl="1h", stale_while_revalidate=0)


class Asked:
    """A guard whose customers are read ahead, and whose source names Minh when it is asked."""

    def __init__(self, folder, *, only=False, listed=None):
        self.clock = FakeClock()
        self.connector = Lister(customers(25) if listed is None else listed, only=only)
        self.connector.answer = owned_by(MINH)
        snapshot = CustomerSnapshot(self.connector, Files(folder, "crm"), "crm", (600.0, 3600.0), wall_clock=self.clock)
        self.guard = Guard(
            "crm", self.connector, AnswerCache(SETTINGS, self.clock), clock=self.clock, snapshot=snapshot
        )
        self.guard.opening.attempt()

    def read(self):
        self.guard.read_ahead.keeper.round()
        return self

    def __call__(self, index, *, live=False):
        pending = self.guard.begin(Call(number(index)), live=live)
        pending.wait(Deadline.after(10).remaining())
        answer = pending.answer()
        return answer.owners, answer.freshness.value


@pytest.fixture
def asked(tmp_path):
    made = Asked(tmp_path)
    yield made
    made.guard.close()


def test_who_is_among_the_customers_is_answered_without_the_source(asked):
    assert asked.read()(3) == ((LAN,), "snapshot")
    assert asked.connector.asked == []


def test_who_is_not_among_them_is_asked_for(asked):
    assert asked.read()(77) == ((MINH,), "live")


def test_before_there_is_a_list_everybody_is_asked_for(asked):
    assert asked(3) == ((MINH,), "live")


def test_what_the_source_said_since_the_reading_counts_more(asked):
    asked.read().clock.advance(5)
    assert asked(3, live=True) == ((MINH,), "live")
    assert asked(3) == ((MINH,), "cached")
    asked.clock.advance(595)
    asked.read()
    assert asked(3) == ((LAN,), "snapshot")


def test_past_its_life_the_source_is_asked_and_the_list_answers_if_that_fails(asked):
    asked.read().clock.advance(1201)
    assert asked(3) == ((MINH,), "live")
    asked.connector.answer = failing(SourceUnavailable("the CRM is away"))
    assert asked(4) == ((LAN,), "stale")
    with pytest.raises(SourceError):
        asked(77)
    asked.clock.advance(3600)
    with pytest.raises(SourceError):
        asked(5)


def test_nobody_is_not_told_past_its_life(tmp_path):
    asked = Asked(tmp_path)
    asked.connector.gone = {LAN}
    assert asked.read()(3) == ((), "snapshot")
    asked.clock.advance(1201)
    asked.connector.answer = failing(SourceUnavailable("the CRM is away"))
    with pytest.raises(SourceError):
        asked(3)
    asked.guard.close()


def test_an_owner_who_leaves_the_users_does_not_count_from_then_on(asked):
    assert asked.read()(3)[0] == (LAN,)
    asked.connector.gone = {LAN}
    assert asked(3) == ((), "snapshot")


def test_with_only_nobody_is_ever_asked(tmp_path):
    asked = Asked(tmp_path, only=True)
    with pytest.raises(SourceUnavailable, match="the customers are not read ahead yet"):
        asked(3)
    asked.read()
    assert (asked(3), asked(77), asked(3, live=True)) == (((LAN,), "snapshot"), ((), "snapshot"), ((LAN,), "snapshot"))
    asked.clock.advance(1201)
    assert asked(3) == ((LAN,), "stale")
    with pytest.raises(SourceUnavailable):
        asked(77)
    assert asked.connector.asked == []
    asked.guard.close()


def test_the_explanation_says_that_and_how_old_it_is(asked):
    asked.read().clock.advance(60)
    told = []
    asked.guard.begin(Call(number(3), None, told.append))
    assert told == ["crm: among the customers read ahead: 1 owner(s), as read 60 s ago"]


def test_what_cannot_be_read_is_a_trouble_of_the_source(asked):
    asked.connector.fails_behind = (1, SourceUnavailable("the CRM is away"))
    asked.read()
    assert asked.guard.trouble == "the customers cannot be read: the CRM is away"


def test_there_is_a_word_of_its_own_for_it():
    assert [one.value for one in Freshness] == ["live", "cached", "stale", "snapshot"]
