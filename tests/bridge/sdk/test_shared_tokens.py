"""Tokens of several instances: one fetches, all use it, and nobody takes one that was refused."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from bridge.sdk.connector import ConnectorConfig
from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import SourceRejected, SourceUnavailable
from bridge.sdk.http.client import HttpClient, HttpSettings, Request
from bridge.sdk.shared import Shared
from bridge.sdk.tokens import TokenSupply
from bridge.storage.machine import MachineMemory
from bridge.storage.shared.client import SharedClient
from bridge.storage.shared.encryption import Encryption
from bridge.storage.shared.machine_namespace import MachineNamespace
from bridge.storage.shared.namespace import Namespace
from connectors.rest.auth.choices import Auth, Authentication, authentication
from connectors.rest.auth.token_file import RefreshTokenStore
from tests.support.fakes import FakeClock
from tests.support.kept import until
from tests.support.redis_server import RunningRedis, needs_redis
from tests.support.servers import Asked, HttpServer, Reply
from tests.support.shared import FakeShared
from tests.support.token_server import PATIENCE, Server

REQUEST = Request("GET", "http://crm.example/x")


class Settings(ConnectorConfig):
    auth: Auth


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def server(clock: FakeClock) -> Server:
    return Server(clock)


@pytest.fixture
def shared(clock: FakeClock) -> FakeShared:
    return FakeShared(clock)


@pytest.fixture
def supply(server: Server, clock: FakeClock, shared: FakeShared) -> Callable[[], TokenSupply]:
    def make() -> TokenSupply:
        made = TokenSupply(server.fetch, PATIENCE, clock)
        made.share(shared)
        return made

    return make


def soon() -> Deadline:
    return Deadline.after(PATIENCE)


def number(supply: TokenSupply) -> object:
    return supply.get(soon()).values["n"]


def test_a_token_that_one_has_fetched_is_used_by_all(supply: Callable[[], TokenSupply], server: Server) -> None:
    ours, theirs = supply(), supply()
    assert (number(ours), number(theirs)) == (1, 1)
    assert theirs.get(soon()).cookies == {"session": "s1"}
    assert server.issued == 1


def test_all_at_once_cost_one_fetch(supply: Callable[[], TokenSupply], server: Server) -> None:
    supplies, found = [supply() for _ in range(8)], []
    server.open.clear()
    threads = [threading.Thread(target=lambda one=one: found.append(number(one))) for one in supplies]
    for thread in threads:
        thread.start()
    assert server.asked.acquire(timeout=PATIENCE)
    server.open.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert (found, server.issued) == ([1] * 8, 1)


def test_a_token_of_another_instance_ends_when_it_does_there(
    supply: Callable[[], TokenSupply], clock: FakeClock, server: Server
) -> None:
    ours = supply()
    number(ours)
    clock.advance(700)
    theirs = supply()
    assert number(theirs) == 1
    clock.advance(299)
    assert not theirs.get(soon()).expired(clock())
    clock.advance(2)
    assert number(theirs) == 2
    assert (number(ours), server.issued) == (2, 2)


def test_one_that_is_due_is_renewed_by_the_first_and_taken_by_the_others(
    supply: Callable[[], TokenSupply], clock: FakeClock, server: Server
) -> None:
    ours, theirs = supply(), supply()
    number(ours), number(theirs)
    clock.advance(850)
    for one in (ours, theirs):
        done = threading.Event()
        for _ in range(1000):
            if number(one) == 2:
                break
            done.wait(0.01)
        assert number(one) == 2
    assert server.issued == 2


@pytest.mark.parametrize("order", [(0, 1), (0, 0, 0, 0, 0, 0, 1)], ids=["in turn", "one is called seldom"])
def test_a_refused_sign_in_is_repeated_by_one_of_a_machines_processes_after_the_pause_of_all(
    clock: FakeClock, server: Server, order: tuple[int, ...]
) -> None:
    memory, supplies = MachineMemory.make(), []
    for _ in range(2):
        supplies.append(TokenSupply(server.fetch, PATIENCE, clock))
        supplies[-1].share(MachineNamespace(memory, "crm", "crm", clock))
    server.failure = SourceRejected("invalid_client")
    asked = []
    for turn in range(180):
        with pytest.raises(SourceRejected, match="invalid_client"):
            number(supplies[order[turn % len(order)]])
        if server.issued > len(asked):
            asked.append(clock() - 1000)
        clock.advance(0.1)
    assert asked == pytest.approx([0, 1, 3, 7, 15], abs=0.15)
    server.failure = None
    clock.advance(20)
    assert [number(one) for one in supplies] == [6, 6]


def test_a_token_that_was_refused_is_not_taken_again(supply: Callable[[], TokenSupply], server: Server) -> None:
    ours, theirs = supply(), supply()
    number(theirs)
    assert ours.refuse(ours.get(soon()))
    assert number(ours) == 2
    assert theirs.refuse(theirs.get(soon()))
    assert number(theirs) == 2
    assert server.issued == 2


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"values": 5}', b'{"values":{},"cookies":{},"age":"x"}'])
def test_what_cannot_be_read_counts_for_nothing(
    supply: Callable[[], TokenSupply], shared: FakeShared, content: bytes
) -> None:
    shared.put("token", content, 1000)
    assert number(supply()) == 1


def test_without_the_shared_memory_everybody_fetches_for_himself(
    supply: Callable[[], TokenSupply], shared: FakeShared, server: Server
) -> None:
    shared.broken = True
    assert (number(supply()), number(supply())) == (1, 2)
    server.failure = SourceUnavailable("down")
    with pytest.raises(SourceUnavailable):
        number(supply())


def renew(store: RefreshTokenStore, replace_by: str | None = None) -> str:
    with store.renewing(soon()) as token:
        if replace_by:
            store.replace(replace_by)
        return token


def refresh_tokens(shared: Shared, file: Path | None = None) -> RefreshTokenStore:
    store = RefreshTokenStore("first", file)
    store.share(shared)
    return store


def test_a_replaced_refresh_token_is_known_to_all_and_after_a_restart(shared: FakeShared) -> None:
    ours, theirs = refresh_tokens(shared), refresh_tokens(shared)
    assert renew(ours, "second") == "first"
    assert renew(theirs, "third") == "second"
    assert renew(ours) == "third"
    assert renew(refresh_tokens(shared)) == "third"


def test_the_newest_refresh_token_wins_wherever_it_is(shared: FakeShared, tmp_path: Path) -> None:
    file, other = tmp_path / "token.json", tmp_path / "other.json"
    ours = refresh_tokens(shared, file)
    renew(ours, "second")
    renew(refresh_tokens(shared, other), "third")
    assert renew(refresh_tokens(shared, file)) == "third"  # the file has the second
    shared.broken = True
    assert renew(refresh_tokens(shared, file)) == "third"  # and now the file has it, too
    assert renew(ours, "fourth") == "third"
    shared.broken = False
    assert renew(refresh_tokens(shared, other)) == "third"  # until somebody who knows better comes by
    renew(refresh_tokens(shared, file))
    assert renew(refresh_tokens(shared, other)) == "fourth"


def test_a_refresh_token_that_could_not_be_shared_is_shared_at_the_next_renewal(shared: FakeShared) -> None:
    ours = refresh_tokens(shared)
    shared.broken = True
    renew(ours, "second")
    shared.broken = False
    renew(ours)
    assert renew(refresh_tokens(shared)) == "second"


class TokenServer:
    """Gives each refresh token once a new one, as servers do that replace it at each use."""

    def __init__(self) -> None:
        self.good = "planted-0"
        self.used: list[str] = []
        self.extra: dict[str, object] = {}

    def __call__(self, asked: Asked) -> Reply:
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        if form["refresh_token"] != self.good:
            return Reply(b'{"error": "invalid_grant"}', 400)
        self.used.append(self.good)
        self.good = f"planted-{len(self.used)}"
        answer = {"access_token": f"access-{len(self.used)}", "refresh_token": self.good, "expires_in": 3600}
        return Reply(json.dumps(answer).encode())


@pytest.fixture
def client() -> Iterator[HttpClient]:
    client = HttpClient(HttpSettings())
    yield client
    client.close()


def test_instances_with_single_use_refresh_tokens_never_use_one_twice(
    client: HttpClient, clock: FakeClock, shared: FakeShared
) -> None:
    tokens = TokenServer()
    with HttpServer(tokens) as server:
        auth = Settings(
            auth={
                "type": "oauth2_refresh_token",
                "token_url": f"{server.url}/token",
                "client_id": "omi",
                "refresh_token": "planted-0",
            }
        ).auth
        instances: list[Authentication] = [authentication(auth, client, "", clock) for _ in range(3)]
        for one in instances:
            one.share(shared)
        for round_ in range(1, 4):
            signed = [one.apply(REQUEST, soon()).headers["Authorization"] for one in instances]
            assert signed == [f"Bearer access-{round_}"] * 3
            clock.advance(3600)
    assert tokens.used == ["planted-0", "planted-1", "planted-2"]


@pytest.fixture
def redis() -> Iterator[RunningRedis]:
    with RunningRedis() as running:
        yield running


@pytest.fixture
def room(redis: RunningRedis) -> Iterator[Callable[[], Namespace]]:
    """Make the room of one more instance."""
    stores: list[SharedClient] = []

    def make() -> Namespace:
        stores.append(SharedClient.at(redis.url))
        return Namespace(stores[-1], "omi-bridge", "crm", Encryption("planted-key", "crm"))

    yield make
    for store in stores:
        store.close()


def forget(redis: RunningRedis) -> None:
    with redis.client() as client:
        client.flushall()


@needs_redis
def test_a_shared_memory_that_has_forgotten_everything_makes_nobody_use_a_spent_refresh_token(
    client: HttpClient, clock: FakeClock, redis: RunningRedis, room: Callable[[], Namespace], tmp_path: Path
) -> None:
    tokens = TokenServer()
    with HttpServer(tokens) as server:

        def instance(name: str) -> Authentication:
            written = {"type": "oauth2_refresh_token", "client_id": "omi", "refresh_token": "planted-0"}
            files = {"token_url": f"{server.url}/token", "token_file": str(tmp_path / name)}
            made = authentication(Settings(auth=written | files).auth, client, "", clock)
            made.share(room())
            return made

        def signed(one: Authentication) -> str:
            return one.apply(REQUEST, soon()).headers["Authorization"]

        ours, theirs = instance("ours"), instance("theirs")
        assert signed(ours) == "Bearer access-1"
        until(lambda: len(redis.contents()) == 2)
        assert signed(theirs) == "Bearer access-1"
        forget(redis)
        clock.advance(3600)
        assert signed(theirs) == "Bearer access-2"
        until(lambda: len(redis.contents()) == 2)
        clock.advance(-3600)  # the Redis's clock has not moved: to its readers the token is as old as it says
        assert signed(instance("ours")) == "Bearer access-2"
        forget(redis)
        assert signed(instance("ours")) == "Bearer access-3"  # from its file, after a restart
    assert tokens.used == ["planted-0", "planted-1", "planted-2"]


@needs_redis
def test_a_refresh_token_that_the_shared_memory_has_lost_is_put_again_by_who_comes_by(
    redis: RunningRedis, room: Callable[[], Namespace]
) -> None:
    ours, theirs = refresh_tokens(room()), refresh_tokens(room())
    renew(ours, "second")
    forget(redis)
    theirs.take_over("second", 1)
    assert renew(refresh_tokens(room())) == "second"
    ours.take_over("first", 0)
    assert ours.token == "second"


@needs_redis
def test_a_refresh_token_from_the_future_is_put_again_with_the_time_of_today(
    redis: RunningRedis, room: Callable[[], Namespace]
) -> None:
    place = room()
    ours = refresh_tokens(place)
    renew(ours, "second")
    ((key, _),) = redis.contents().items()
    future = (place.client.now() or 0) + 3_600_000
    with redis.client() as client:
        client.set(key, Encryption("planted-key", "crm").close("refresh-token", future, b'["second", 1]'))
    renew(ours)
    known = room().get("refresh-token")
    assert known
    assert known.age < PATIENCE


@needs_redis
def test_an_instance_that_died_while_it_signed_in_keeps_the_next_one_waiting_for_a_moment_only(
    server: Server, clock: FakeClock, room: Callable[[], Namespace]
) -> None:
    assert room().take("token", 300)
    supply = TokenSupply(server.fetch, 300, clock)
    supply.share(room())
    assert number(supply) == 1


def test_a_session_is_shared_as_well(client: HttpClient, clock: FakeClock, shared: FakeShared) -> None:
    with HttpServer(lambda _: Reply(b'{"session": "planted"}', headers=[("Set-Cookie", "sid=7")])) as server:
        auth = Settings(
            auth={
                "type": "login",
                "request": {"path": "login", "method": "POST"},
                "take": {"session": "session"},
                "cookies": True,
            }
        ).auth
        ours, theirs = (authentication(auth, client, server.url, clock) for _ in range(2))
        for one in (ours, theirs):
            one.share(shared)
            assert one.names(soon()) == {"session": "planted"}
            assert one.apply(REQUEST, soon()).cookies == {"sid": "7"}
        assert len(server.requests) == 1
