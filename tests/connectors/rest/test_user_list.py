"""When the list of users is read, and what is in force if that fails."""

import logging
import threading
from collections.abc import Iterator, Sequence

import pytest

from bridge.sdk import SourceError, SourceRejected, SourceUnavailable, UnexpectedAnswer
from bridge.storage.machine import MachineMemory
from bridge.storage.shared.machine_namespace import MachineNamespace
from connectors.rest.records import Row
from connectors.rest.user_list import UserList
from tests.support.fakes import FakeClock

LAN: Row = {"owner_id": 7, "email": "lan@congty.example"}
MINH: Row = {"owner_id": "8", "email": "minh@congty.example"}


class Source:
    """A list that changes when told, or fails, and tells how often it was read."""

    def __init__(self, *rows: Row) -> None:
        self.rows: Sequence[Row] = rows
        self.error: Exception | None = None
        self.readings = threading.Semaphore(0)
        self.gate: threading.Event | None = None

    def __call__(self) -> Sequence[Row]:
        self.readings.release()
        if self.gate:
            assert self.gate.wait(10)
        if self.error:
            raise self.error
        return self.rows


@pytest.fixture
def source() -> Source:
    return Source(LAN)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def users(source: Source, clock: FakeClock) -> Iterator[UserList]:
    users = UserList(source, 900.0, clock)
    users.open()
    assert source.readings.acquire(blocking=False)
    yield users
    users.close()


def test_an_id_is_compared_as_a_text(users: UserList, source: Source) -> None:
    source.rows = [LAN, MINH]
    users.update()
    assert users.of("7") == [LAN]
    assert users.of("8") == [MINH]
    assert users.rows() == [LAN, MINH]


@pytest.mark.parametrize(
    "error", [SourceUnavailable("x"), SourceRejected("x"), UnexpectedAnswer("x"), ZeroDivisionError("planted")]
)
def test_a_reading_that_fails_leaves_the_last_good_list_in_force(
    users: UserList, source: Source, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    source.error = error
    users.update()
    users.update()
    assert users.of("7") == [LAN]
    assert users.trouble
    assert "planted" not in users.trouble
    assert caplog.text.count("the last good list of users stays in force") == 1
    source.error = UnexpectedAnswer("another reason")
    users.update()
    assert users.trouble == "another reason"
    assert caplog.text.count("the last good list of users stays in force") == 2
    source.error, source.rows = None, [MINH]
    users.update()
    assert users.trouble == ""
    assert caplog.text.count("users: is good again") == 1
    assert users.of("7") == ()


@pytest.mark.parametrize("rows", [[], [{"owner_id": None, "email": "lan@congty.example"}]])
def test_a_list_that_is_suddenly_empty_is_not_believed(users: UserList, source: Source, rows: list[Row]) -> None:
    source.rows = rows
    users.update()
    assert users.of("7") == [LAN]
    assert users.trouble == "users: there is nobody in the list: may the credentials read users?"


MANY: list[Row] = [{"owner_id": number} for number in range(1, 51)]


def test_a_list_that_has_lost_more_than_half_is_believed_when_it_says_so_again(users: UserList, source: Source) -> None:
    source.rows = MANY
    users.update()
    source.rows = [LAN]
    users.update()
    assert users.of("8")
    assert users.trouble.startswith("users: only 1 of 50 are left in the list")
    source.rows = [MINH]  # another list: it says something else
    users.update()
    assert users.of("1")
    users.update()
    assert users.of("1") == ()
    assert users.of("8") == [MINH]
    assert users.trouble == ""


def test_a_good_list_in_between_ends_the_doubt(users: UserList, source: Source) -> None:
    for source.rows in (MANY, [LAN], MANY, [LAN]):
        users.update()
    assert users.of("8")
    assert "only 1 of 50" in users.trouble


def test_a_list_that_has_lost_half_is_believed_at_once(users: UserList, source: Source) -> None:
    for source.rows in (MANY, MANY[:25]):
        users.update()
    assert users.of("26") == ()
    assert users.trouble == ""


def test_the_log_names_once_whoever_is_not_among_the_users(users: UserList, caplog: pytest.LogCaptureFixture) -> None:
    for owner_id in (9, 9, 7, "10"):
        users.complete([{"owner_id": owner_id}], lambda _line: None)
    assert [record.getMessage().partition(" (")[0] for record in caplog.records] == [
        "owner_id 9 is not among the users",
        "owner_id 10 is not among the users",
    ]


def test_somebody_unknown_has_the_list_read_again_but_once_a_minute(
    users: UserList, source: Source, clock: FakeClock
) -> None:
    clock.advance(59.0)
    assert users.of("8") == ()
    assert not source.readings.acquire(timeout=0.05)  # too early: nothing is to come
    source.rows = [LAN, MINH]
    clock.advance(1.0)
    assert users.of("7") == [LAN]
    assert not source.readings.acquire(timeout=0.05)  # known: nothing is to come
    assert users.of("8") == ()
    assert source.readings.acquire(timeout=10)
    users.close()  # ends behind the reading
    assert users.of("8") == [MINH]
    assert not source.readings.acquire(blocking=False)


def test_nobody_waits_while_the_list_is_read(users: UserList, source: Source, clock: FakeClock) -> None:
    source.gate = threading.Event()
    clock.advance(60.0)
    assert users.of("8") == ()
    assert source.readings.acquire(timeout=10)
    assert users.of("7") == [LAN]
    source.gate.set()


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (SourceUnavailable("x"), 60.0),
        (SourceUnavailable("x", retry_after=5), 60.0),
        (SourceUnavailable("x", retry_after=3000), 3000.0),
        (SourceRejected("x"), 900.0),
    ],
)
def test_a_source_that_fails_is_left_alone_for_a_while(
    users: UserList, source: Source, clock: FakeClock, error: SourceError, seconds: float
) -> None:
    source.error = error
    users.update()
    assert source.readings.acquire(blocking=False)
    clock.advance(seconds - 1)
    users.of("8")
    assert not source.readings.acquire(timeout=0.05)
    clock.advance(1.0)
    users.of("8")
    assert source.readings.acquire(timeout=10)


def test_a_list_that_one_process_could_not_read_the_other_does_not_try_for_a_minute(clock: FakeClock) -> None:
    memory, sources = MachineMemory.make(), [Source(LAN), Source(LAN)]
    lists = [UserList(source, 900.0, clock) for source in sources]
    for one in lists:
        one.share(MachineNamespace(memory, "crm", "1", clock))
        one.open()
    clock.advance(900)
    sources[0].error = SourceUnavailable("no answer")
    for one in lists:
        one.update()
        assert "no answer" in one.trouble
    clock.advance(60)
    lists[1].update()
    assert lists[1].trouble == ""
    asked = [sum(source.readings.acquire(blocking=False) for _ in range(9)) for source in sources]
    assert asked == [2, 1], "the first list, the failure; what came after the minute"
    for one in lists:
        one.close()


def test_a_list_that_was_never_read_is_a_failure(source: Source) -> None:
    source.error = SourceUnavailable("no answer")
    users = UserList(source, 900.0)
    with pytest.raises(SourceUnavailable, match="no answer"):
        users.open()
    for question in (users.rows, lambda: users.of("7")):
        with pytest.raises(SourceUnavailable, match="has not been read yet"):
            question()
    assert str(users) == "not read yet"
    users.close()


def test_it_tells_how_old_it_is(users: UserList, clock: FakeClock) -> None:
    clock.advance(125.4)
    assert str(users) == "1 in the list, read 125 s ago"
