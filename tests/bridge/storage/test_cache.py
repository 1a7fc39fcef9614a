import pytest

from bridge.config.sections import Cache
from bridge.sdk.connector import Call, Owner
from bridge.sdk.phone.number import PhoneNumber
from bridge.storage.cache import AnswerCache
from tests.support.fakes import FakeClock

LAN = (Owner(id="7"),)
CALL = Call(PhoneNumber("+84901234567"))


def cache_of(clock: FakeClock, **settings: object) -> AnswerCache:
    return AnswerCache(Cache.model_validate({"ttl": 600, "negative_ttl": 60, "stale_ttl": 1000, **settings}), clock)


def look(cache: AnswerCache) -> tuple[bool, bool] | None:
    found = cache.get(CALL)
    return found and (found.fresh, found.due)


@pytest.mark.parametrize(
    ("owners", "seconds", "expected"),
    [
        (LAN, 0, (True, False)),
        (LAN, 599, (True, False)),
        (LAN, 601, (False, True)),
        (LAN, 1599, (False, True)),
        (LAN, 1601, None),
        ((), 59, (True, False)),
        ((), 61, None),
    ],
)
def test_owners_and_nobody_have_lives_of_their_own(owners, seconds, expected):
    clock = FakeClock()
    cache = cache_of(clock)
    cache.put(CALL, owners)
    clock.advance(seconds)
    assert look(cache) == expected


def test_the_last_part_of_a_life_is_due_for_asking_again():
    clock = FakeClock()
    cache = cache_of(clock, refresh_ahead=100)
    cache.put(CALL, LAN)
    clock.advance(499)
    assert look(cache) == (True, False)
    clock.advance(2)
    assert look(cache) == (True, True)


def test_an_answer_that_is_old_already_has_the_rest_of_its_life():
    clock = FakeClock()
    cache = cache_of(clock)
    cache.restore(CALL, LAN, age=599)
    assert look(cache) == (True, False)
    clock.advance(2)
    assert look(cache) == (False, True)


def test_what_was_used_longest_ago_makes_room():
    cache = cache_of(FakeClock(), max_entries=2)
    calls = [Call(PhoneNumber(f"+8490123456{number}")) for number in range(3)]
    cache.put(calls[0], LAN)
    cache.put(calls[1], LAN)
    cache.get(calls[0])
    cache.put(calls[2], LAN)
    assert [cache.get(call) is not None for call in calls] == [True, False, True]
    assert len(cache) == 2


def test_a_call_is_remembered_without_whom_it_was_explained_to():
    cache, heard = cache_of(FakeClock()), []
    cache.put(Call(CALL.caller, None, heard.append), LAN)
    assert cache.get(CALL) is not None
