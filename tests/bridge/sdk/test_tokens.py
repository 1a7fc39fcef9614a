import threading
from collections.abc import Callable, Sequence

import pytest

from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import SourceBusy, SourceError, SourceRejected, SourceUnavailable
from bridge.sdk.tokens import AccessToken, TokenSupply
from tests.support.fakes import FakeClock
from tests.support.token_server import PATIENCE, Server


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def server(clock: FakeClock) -> Server:
    return Server(clock)


@pytest.fixture
def supply(server: Server, clock: FakeClock) -> TokenSupply:
    return TokenSupply(server.fetch, PATIENCE, clock)


def soon() -> Deadline:
    return Deadline.after(PATIENCE)


def at_once(threads: int, work: Callable[[], object]) -> list[object]:
    results: list[object] = []

    def run() -> None:
        try:
            results.append(work())
        except Exception as error:  # noqa: BLE001 - looked at by the test
            results.append(error)

    running = [threading.Thread(target=run) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(PATIENCE)
    return results


def renewed(supply: TokenSupply, old: AccessToken) -> AccessToken:
    """Return the next token, once the renewal in the background has brought it."""
    done = threading.Event()
    for _ in range(1000):
        token = supply.current
        if token is not None and token is not old:
            return token
        done.wait(0.01)
    raise AssertionError("no renewal")


def test_a_token_is_fetched_once_and_used_until_it_is_due(
    supply: TokenSupply, server: Server, clock: FakeClock
) -> None:
    first = supply.get(soon())
    clock.now += 799
    assert supply.get(soon()) is first
    assert server.issued == 1


def test_many_calls_at_once_cost_one_renewal(supply: TokenSupply, server: Server) -> None:
    server.open.clear()
    waiting = threading.Barrier(51)

    def ask() -> object:
        waiting.wait(PATIENCE)
        return supply.get(soon())

    def let_go() -> None:
        waiting.wait(PATIENCE)
        server.asked.acquire(timeout=PATIENCE)
        server.open.set()

    threading.Thread(target=let_go).start()
    tokens = at_once(50, ask)
    assert len({id(token) for token in tokens}) == 1
    assert server.issued == 1


def test_a_token_that_is_due_is_renewed_while_nobody_waits(
    supply: TokenSupply, server: Server, clock: FakeClock
) -> None:
    first = supply.get(soon())
    clock.now += 801
    server.open.clear()
    assert supply.get(soon()) is first
    assert supply.get(soon()) is first
    server.open.set()
    assert renewed(supply, first).values == {"n": 2}
    assert server.issued == 2


def test_a_long_lived_token_is_renewed_five_minutes_ahead() -> None:
    token = AccessToken({}, asked_at=0.0, lifetime=86400.0)
    assert not token.due(86400 - 301)
    assert token.due(86400 - 299)
    assert not token.expired(86399)
    assert token.expired(86400)


def test_a_token_without_a_known_end_is_never_renewed_ahead() -> None:
    token = AccessToken({}, asked_at=0.0)
    assert not token.due(1e12)
    assert not token.expired(1e12)


def test_an_expired_token_is_never_given_out(supply: TokenSupply, clock: FakeClock) -> None:
    supply.get(soon())
    clock.now += 1000
    assert supply.get(soon()).values == {"n": 2}


def test_a_call_that_runs_out_of_time_leaves_the_renewal_to_the_others(supply: TokenSupply, server: Server) -> None:
    server.open.clear()
    with pytest.raises(SourceUnavailable, match="too long"):
        supply.get(Deadline.after(0.02))
    server.open.set()
    assert supply.get(soon()).values == {"n": 1}


@pytest.mark.parametrize("hung", [1, 4])
def test_a_renewal_that_hangs_is_given_up_and_another_begun_but_not_without_end(clock: FakeClock, hung: int) -> None:
    gate, begun, asked = threading.Event(), iter(range(hung)), threading.Semaphore(0)

    def fetch(_deadline: Deadline) -> AccessToken:
        if next(begun, None) is not None:
            asked.release()
            assert gate.wait(PATIENCE)
        return AccessToken({"n": 1}, clock.now)

    supply = TokenSupply(fetch, 10.0, clock)
    for _ in range(hung):
        with pytest.raises(SourceUnavailable, match="too long"):
            supply.get(Deadline.after(0.0))
        assert asked.acquire(timeout=PATIENCE)
        clock.now += 22
    if hung == 1:
        assert supply.get(soon()).values == {"n": 1}
    else:
        with pytest.raises(SourceBusy, match="4 places are taken: renewals of the token hang"):
            supply.get(soon())
    gate.set()


@pytest.mark.parametrize(
    ("failure", "pauses"),
    [(SourceUnavailable("down"), (1, 2, 2, 2)), (SourceRejected("no such user"), (1, 2, 4, 8, 16, 32, 60, 60))],
)
def test_a_failed_renewal_fails_for_all_who_wait_and_is_not_repeated_at_once(
    supply: TokenSupply, server: Server, clock: FakeClock, failure: SourceError, pauses: Sequence[int]
) -> None:
    server.failure = failure
    for pause in pauses:
        errors = at_once(5, lambda: supply.get(soon()))
        assert [str(error) for error in errors] == [str(failure)] * 5
        asked = server.issued
        clock.now += pause - 0.01
        with pytest.raises(type(failure), match=str(failure)):
            supply.get(soon())
        assert server.issued == asked
        clock.now += 0.02
    server.failure = None
    assert supply.get(soon()).values["n"] == server.issued


def test_the_pause_that_the_token_server_asks_for_is_kept(
    supply: TokenSupply, server: Server, clock: FakeClock
) -> None:
    server.failure = SourceUnavailable("busy", retry_after=120)
    for _ in range(3):
        with pytest.raises(SourceUnavailable) as caught:
            supply.get(soon())
        assert caught.value.retry_after == 120
        clock.now += 30
    assert server.issued == 1


def test_each_thread_gets_an_exception_of_its_own(supply: TokenSupply, server: Server) -> None:
    server.failure = SourceRejected("who are you?")
    errors = at_once(5, lambda: supply.get(soon()))
    assert {type(error) for error in errors} == {SourceRejected}
    assert len({id(error) for error in errors}) == 5


def test_while_renewing_ahead_fails_the_old_token_goes_on(
    supply: TokenSupply, server: Server, clock: FakeClock
) -> None:
    first = supply.get(soon())
    clock.now += 900
    server.failure = SourceUnavailable("down")
    assert [supply.get(soon()) for _ in range(5)] == [first] * 5


def test_fifty_refusals_of_one_token_cost_one_renewal(supply: TokenSupply, server: Server) -> None:
    first = supply.get(soon())

    def again() -> object:
        return supply.refuse(first) and supply.get(soon())

    tokens = at_once(50, again)
    assert {id(token) for token in tokens} == {id(supply.current)}
    assert server.issued == 2


def test_a_late_refusal_does_not_throw_the_new_token_away(supply: TokenSupply) -> None:
    first = supply.get(soon())
    supply.refuse(first)
    second = supply.get(soon())
    assert supply.refuse(first)
    assert supply.get(soon()) is second


def test_a_source_that_refuses_every_token_does_not_make_us_fetch_one_for_each_call(
    supply: TokenSupply, server: Server, clock: FakeClock
) -> None:
    for _ in range(600):
        if supply.refuse(supply.get(soon())):
            supply.get(soon())
        clock.now += 0.1
    assert server.issued < 10
    clock.now += 61
    assert supply.refuse(supply.get(soon())), "a token that has served for a while may have been revoked"


def test_after_the_end_nothing_is_fetched_any_more(supply: TokenSupply, server: Server) -> None:
    supply.close()
    with pytest.raises(SourceUnavailable):
        supply.get(soon())
    assert server.issued == 0
