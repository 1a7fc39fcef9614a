"""The shared memory at its server: what is kept, and that nobody waits, whatever the server does."""

import threading

import pytest

from bridge.storage.shared.backend import Reading, Refused, Silent
from bridge.storage.shared.client import SharedClient
from bridge.storage.shared.encryption import Encryption
from bridge.storage.shared.namespace import Namespace
from bridge.testing import TcpProxy
from tests.support.fakes import FakeClock
from tests.support.kept import until
from tests.support.redis_server import RunningRedis, needs_redis
from tests.support.scripted import Connection, ScriptedServer, dead_port

SECRET = "planted-key"


@pytest.fixture
def redis():
    with RunningRedis() as running:
        yield running


@pytest.fixture
def store_at():
    made = []

    def make(url):
        made.append(SharedClient.at(url))
        return made[-1]

    yield make
    for store in made:
        store.close()


def room(store, name="crm", identity="crm", secret=SECRET):
    return Namespace(store, "omi-bridge", name, Encryption(secret, identity))


def known(place, name):
    """Return what is known under a name, once it is: putting is not waited for."""
    until(lambda: place.get(name))
    return place.get(name)


@needs_redis
def test_what_one_instance_puts_another_one_gets_with_its_age(redis, store_at):
    ours, theirs = room(store_at(redis.url)), room(store_at(redis.url))
    assert ours.get("token") is None
    ours.put("token", b"planted", 60)
    found = known(theirs, "token")
    assert found.content == b"planted"
    assert 0 <= found.age < 5


@needs_redis
def test_nothing_is_put_before_the_server_s_time_is_known(redis, store_at):
    ours = room(store_at(redis.url))
    ours.put("token", b"planted", 60)
    assert ours.get("token") is None
    assert redis.contents() == {}


@needs_redis
@pytest.mark.parametrize("other", [{"name": "erp"}, {"identity": "another token"}, {"secret": "another key"}])
def test_another_connector_or_the_same_with_other_settings_finds_nothing(redis, store_at, other):
    store = store_at(redis.url)
    ours = room(store)
    ours.get("token")
    ours.put("token", b"planted", 60)
    assert known(ours, "token")
    assert room(store, **other).get("token") is None


@needs_redis
def test_neither_a_name_nor_a_content_can_be_read_in_the_server(redis, store_at):
    ours = room(store_at(redis.url))
    ours.get("x")
    ours.put("answer +84901234567", b"planted", 60)
    assert known(ours, "answer +84901234567")
    ((key, content),) = redis.contents().items()
    assert key.startswith(b"omi-bridge:crm:answer:")
    assert b"901234567" not in key + content
    assert b"planted" not in content


@needs_redis
@pytest.mark.parametrize("rubbish", [b"", b"planted", b"1 ", b"99999999999999999999 x", b"-1 abc", b"\xff" * 100])
def test_what_somebody_else_wrote_into_the_server_counts_for_nothing(redis, store_at, rubbish):
    ours = room(store_at(redis.url))
    ours.get("token")
    ours.put("token", b"planted", 60)
    assert known(ours, "token")
    (key,) = redis.contents()
    with redis.client() as client:
        client.set(key, rubbish)
    assert ours.get("token") is None
    ours.put("token", b"newer", 60)
    assert known(ours, "token").content == b"newer"


@needs_redis
def test_a_content_counts_under_its_own_name_and_time_only(redis, store_at):
    ours = room(store_at(redis.url))
    for name in ("one", "two"):
        ours.get(name)
        ours.put(name, name.encode(), 60)
        assert known(ours, name)
    contents = redis.contents()
    (one,), (two,) = ([key for key in contents if word in key] for word in (b":one:", b":two:"))
    stamp, _, rest = contents[one].partition(b" ")
    with redis.client() as client:
        client.set(two, contents[one])
        client.set(one, str(int(stamp) + 1).encode() + b" " + rest)
    assert ours.get("one") is None
    assert ours.get("two") is None


@needs_redis
def test_what_is_newer_is_not_replaced_by_what_arrives_late(redis, store_at):
    store, seal = store_at(redis.url), Encryption(SECRET, "crm")
    ours = room(store)
    ours.get("token")
    now = store.now()
    ours.put("token", b"newer", 60)
    assert known(ours, "token")
    (key,) = redis.contents()
    store.put(key.decode(), seal.close("token", now - 5000, b"older"), now - 5000, now + 60_000)
    store.put(key.decode(), seal.close("token", now, b"over"), now + 5, now - 1)
    ours.put("other", b"", 60)
    assert known(ours, "other")
    assert ours.get("token").content == b"newer"


@needs_redis
def test_what_comes_from_the_future_is_forgotten_and_keeps_nothing_out(redis, store_at):
    store, seal = store_at(redis.url), Encryption(SECRET, "crm")
    ours = room(store)
    ours.get("token")
    ours.put("token", b"x", 60)
    assert known(ours, "token")
    (key,) = redis.contents()
    future = store.now() + 3_600_000
    with redis.client() as client:
        client.set(key, seal.close("token", future, b"from the future"))
    assert ours.get("token").age == float("inf")
    until(lambda: redis.contents() == {})  # else it would be young when its time has come
    ours.put("token", b"of today", 60)
    assert known(ours, "token")
    assert ours.get("token").content == b"of today"


@needs_redis
def test_a_lock_is_held_by_one_and_free_again_afterwards_or_after_its_time(redis, store_at):
    ours, theirs = room(store_at(redis.url)), room(store_at(redis.url))
    token = ours.take("answer x", 60)
    assert token
    assert theirs.take("answer x", 60) == ""
    assert theirs.look("answer x").locked
    theirs.give_back("answer x", "not the token")
    assert theirs.take("answer x", 60) == ""
    ours.give_back("answer x", token)
    until(lambda: theirs.take("answer x", 0.05))
    until(lambda: ours.take("answer x", 60))


@needs_redis
def test_the_lock_is_gone_at_the_moment_when_the_answer_is_there(redis, store_at):
    ours, theirs = room(store_at(redis.url)), room(store_at(redis.url))
    ours.look("answer x")
    token = ours.take("answer x", 60)
    ours.publish("answer x", b"101", 60, token)
    until(lambda: not theirs.look("answer x").locked)
    assert theirs.look("answer x").value.content == b"101"


class LateWrites(TcpProxy):
    """What is written arrives 40 ms late, everything else at once."""

    def _deliver(self, link, there, data, passed):
        if passed is None and b"ARGV[3], 'PX'" in data:
            threading.Event().wait(0.04)
        return super()._deliver(link, there, data, passed)


@needs_redis
def test_who_comes_after_the_lock_finds_what_was_put_however_late_it_arrives(redis, store_at):
    with LateWrites(redis.port) as proxy:
        ours, theirs = room(store_at(f"redis://127.0.0.1:{proxy.port}/0")), room(store_at(redis.url))
        with ours.lock("token", 10):
            assert ours.get("token") is None
            ours.put("token", b"planted", 60)
        with theirs.lock("token", 10):
            assert theirs.get("token").content == b"planted"


@needs_redis
def test_what_is_put_and_waited_for_is_there_before_what_comes_next(redis, store_at):
    with LateWrites(redis.port) as proxy:
        ours, theirs = room(store_at(f"redis://127.0.0.1:{proxy.port}/0")), room(store_at(redis.url))
        ours.get("token")
        ours.put("token", b"planted", 60, wait=True)
        assert theirs.get("token").content == b"planted"


@needs_redis
def test_a_lock_is_free_too_if_there_was_no_room_for_what_was_made(redis, store_at):
    ours, theirs = room(store_at(redis.url)), room(store_at(redis.url))
    with ours.lock("token", 300):
        ours.get("token")
        redis.fill()
        ours.put("token", b"planted", 60)
    until(lambda: not theirs.look("token").locked)
    assert theirs.get("token") is None


@needs_redis
def test_a_lock_without_an_end_is_free(redis, store_at):
    ours = room(store_at(redis.url))
    assert ours.take("token", 60)
    (lock,) = redis.contents()
    with redis.client() as client:
        client.persist(lock)
    assert ours.take("token", 60)
    assert ours.take("token", 60) == ""


@needs_redis
def test_work_is_done_once_by_two_instances_at_the_same_time(redis, store_at):
    rooms = [room(store_at(redis.url)) for _ in range(2)]
    made, begun, found = [], threading.Event(), []

    def make():
        made.append(1)
        begun.wait(0.2)
        return b"list"

    def work(place):
        found.append(place.once("list", make, seconds=60, patience=10).content)

    threads = [threading.Thread(target=work, args=(place,)) for place in rooms]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (len(made), found) == (1, [b"list", b"list"])
    assert rooms[0].once("list", lambda: b"newer", seconds=60, patience=1, good=lambda _: False).content == b"newer"


@needs_redis
def test_an_instance_that_dies_with_the_lock_holds_up_nobody_for_longer_than_it_said(redis, store_at):
    ours, theirs = room(store_at(redis.url)), room(store_at(redis.url))
    assert ours.take("token", 0.2)
    with theirs.lock("token", 10):
        assert theirs.look("token").locked
    assert ours.take("list", 60)
    with theirs.lock("list", 0.1):
        pass


@needs_redis
def test_a_frozen_server_is_left_alone_until_it_goes_on(redis, store_at, caplog):
    caplog.set_level("INFO")
    store = store_at(redis.url)
    ours = room(store)
    ours.get("x")
    redis.freeze()
    for _ in range(5):
        with pytest.raises(Silent):
            ours.look("x")
    assert store.is_silent
    assert f"127.0.0.1:{redis.port}: no answer in time" in store.trouble
    redis.thaw()
    until(lambda: not store.is_silent)
    until(lambda: "answers again" in caplog.text)
    assert (ours.look("x"), store.trouble) == ((None, False), "")
    assert caplog.text.count("is left alone for a while") == 1


@needs_redis
def test_a_server_that_was_killed_and_started_again_is_used_again(redis, store_at):
    store = store_at(redis.url)
    ours = room(store)
    ours.get("x")
    redis.kill()
    for _ in range(5):
        assert ours.get("x") is None
    assert "Connection refused" in store.trouble
    redis.start()
    until(lambda: not store.is_silent)
    ours.get("token")
    ours.put("token", b"planted", 60)
    assert known(ours, "token")


@needs_redis
def test_a_full_server_is_still_read_and_said_to_be_full(redis, store_at, caplog):
    caplog.set_level("INFO")
    store = store_at(redis.url)
    ours = room(store)
    ours.get("token")
    ours.put("token", b"planted", 60)
    assert known(ours, "token")
    redis.fill()
    for _ in range(7):
        with pytest.raises(Refused):
            ours.take("x", 60)
        assert ours.get("token").content == b"planted"
    assert not store.is_silent
    assert "its memory is full" in store.trouble
    redis.empty()
    assert ours.take("x", 60)
    assert store.trouble == ""
    assert caplog.text.count("takes nothing more") == caplog.text.count("takes answers again") == 1


@needs_redis
def test_a_wrong_or_missing_password_is_said_and_a_right_one_works(store_at):
    with RunningRedis("--requirepass", "hunter2 %/") as redis:
        address = f"127.0.0.1:{redis.port}"
        for url in (redis.url, f"redis://:wrong@{address}", f"redis://nobody:hunter2@{address}"):
            store = store_at(url)
            with pytest.raises(Silent, match="password"):
                store.read(["x"])
        right = store_at(f"redis://:hunter2%20%25%2F@{address}/3")
        assert right.read(["x"]).contents == [None]


@needs_redis
def test_a_replica_that_may_not_be_written_is_said(redis, store_at):
    with RunningRedis("--replicaof", "127.0.0.1", str(redis.port), "--repl-diskless-sync-delay", "0") as replica:
        store = store_at(replica.url)
        until(lambda: "up" in replica.client().info()["master_link_status"])
        with pytest.raises(Refused, match="replica"):
            store.lock("x", "y", 60)


def silent_for(server_script):
    """Return how the store at such a server fails, five times, and that it is left alone then."""
    with ScriptedServer(server_script) as server:
        store = SharedClient.at(f"redis://{server.host}")
        try:
            for _ in range(5):
                with pytest.raises(Silent):
                    store.read(["x"])
            assert store.is_silent
            return store.trouble
        finally:
            store.close()


def dripping(connection: Connection):
    connection.sock.recv(65536)
    connection.drip_for_ever(b"$1000000\r\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0.01)


def sending(data):
    def script(connection: Connection):
        while connection.sock.recv(65536):
            connection.send(data)

    return script


def hanging(connection: Connection):
    connection.stopped()


def flooding(connection: Connection):
    connection.sock.recv(65536)
    connection.send_for_ever(b"$99999999999\r\n" + b"a" * 65536)


@pytest.mark.parametrize(
    "script",
    [
        hanging,
        dripping,
        flooding,
        sending(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        sending(b"\x00\xff\x00\xff"),
        sending(b"*2\r\n$1\r\na\r\n$1\r\nb\r\n*1\r\n$-1\r\n"),
        sending(b"*2\r\n$1\r\n1\r\n$1\r\n1\r\n*2\r\n$-1\r\n$-1\r\n"),
        sending(b"*2\r\n$1\r\n1\r\n$1\r\n1\r\n*1\r\n:5\r\n"),
        sending(b"-LOADING Redis is loading the dataset in memory\r\n"),
        sending(b"-planted secret\r\n"),
        sending(b""),
        lambda connection: connection.reset(),
    ],
)
def test_a_server_that_does_anything_else_is_left_alone_and_quoted_nowhere(script):
    assert "planted" not in silent_for(script)


def test_a_port_at_which_nobody_listens_is_found_out_at_the_start(store_at, caplog):
    with dead_port() as port:
        store = store_at(f"redis://lan:hunter2@127.0.0.1:{port}")
        store.start()
        until(lambda: store.is_silent)
        until(lambda: "is left alone" in caplog.text)
    assert store.trouble == f"127.0.0.1:{port}: Connection refused"
    assert "hunter2" not in caplog.text


class FakeServer:
    """A server that takes as long as it is told to."""

    place = "fake:1"

    def __init__(self, clock):
        self.clock = clock
        self.takes = 0.0
        self.gate = threading.Event()
        self.gate.set()
        self.asked = 0

    def ping(self):
        self.clock.advance(self.takes)

    def read(self, keys):
        self.asked += 1
        assert self.gate.wait(10)
        self.clock.advance(self.takes)
        return Reading(0, [None] * len(keys))

    def abort(self):
        pass


def test_a_server_that_is_slow_again_and_again_is_left_alone_until_it_is_fast():
    clock, rounds = FakeClock(), threading.Semaphore(0)
    server = FakeServer(clock)
    store = SharedClient(server, clock=clock, wait=lambda _seconds: not rounds.acquire(timeout=10))
    server.takes = 0.06
    for _ in range(5):
        assert store.read(["x"]).contents == [None]
    assert store.trouble == "fake:1: an answer took 0.06 s"
    rounds.release()
    with pytest.raises(Silent, match=r"0\.06 s"):
        store.read(["x"])
    assert server.asked == 5
    server.takes = 0.0
    rounds.release()
    until(lambda: not store.is_silent)
    rounds.release()
    assert store.read(["x"]).contents == [None]


def test_so_many_at_once_and_no_more_are_asked_of_a_server_that_hangs():
    server = FakeServer(FakeClock())
    store = SharedClient(server, wait=lambda _seconds: True)
    server.gate.clear()
    errors = []

    def read():
        with pytest.raises(Silent) as caught:
            store.read(["x"])
        errors.append(str(caught.value))

    threads = [threading.Thread(target=read) for _ in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(errors) == 60
    assert server.asked <= 32
    server.gate.set()
