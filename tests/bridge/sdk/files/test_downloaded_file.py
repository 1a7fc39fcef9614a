import base64
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.sdk import ListState
from bridge.sdk.files.downloaded_file import DownloadedFile
from bridge.sdk.files.settings import FileSettings
from bridge.testing import FakeClock
from tests.support.certificates import make_certificate
from tests.support.scripted import Connection, ScriptedServer, answer, dead_port
from tests.support.servers import Asked, Reply
from tests.support.shelf import MODIFIED, PAGE, Shelf, sends_to

FIRST, SECOND = b"phone,owner\n0901234567,lan\n", b"phone,owner\n0901234567,minh\n"


class Machine:
    """A machine with processes that read the file of one shelf."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "state"
        self.clock, self.wall_clock = FakeClock(), FakeClock()
        self.wall_clock.now = 1_800_000_000.0
        self.files: dict[DownloadedFile, threading.Event] = {}

    def start(self, url: str, *, writes: bool = True, **settings: Any) -> DownloadedFile:
        kept = self.kept = ListState(self.folder, "customers", writes=writes)
        ended = threading.Event()
        file = DownloadedFile(
            FileSettings(url=url, **settings),
            "csv",
            lambda: kept,
            wait=lambda _seconds: ended.wait(60),
            clock=self.clock,
            wall_clock=self.wall_clock,
        )
        self.files[file] = ended
        file.start()
        file.go_on()
        return file

    def later(self, file: DownloadedFile, seconds: float) -> None:
        """Let so many seconds go by, and the file look once."""
        self.clock.now += seconds
        self.wall_clock.now += seconds
        file.round()

    def end(self, *files: DownloadedFile) -> None:
        for file in files:
            self.files.pop(file).set()
            file.close()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    made.end(*made.files)


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    made = Shelf(FIRST)
    with made.server:
        yield made


def test_the_file_is_asked_for_every_refresh_and_sent_only_when_it_has_changed(machine: Machine, shelf: Shelf) -> None:
    file = machine.start(shelf.url, refresh="1m")
    assert file.path.read_bytes() == FIRST
    machine.later(file, 59)
    assert len(shelf.asked) == 1
    written = file.path.stat()
    machine.later(file, 1)
    assert shelf.asked[-1].headers["If-None-Match"].startswith('"')
    assert shelf.asked[-1].headers["If-Modified-Since"] == MODIFIED
    assert file.path.stat() == written
    shelf.content = SECOND
    machine.later(file, 60)
    assert file.path.read_bytes() == SECOND
    assert file.trouble == ""


def test_a_file_without_versions_that_comes_again_is_not_written_again(machine: Machine, shelf: Shelf) -> None:
    shelf.names_versions = False
    file = machine.start(shelf.url, refresh="1m")
    written = file.path.stat()
    machine.later(file, 60)
    assert "If-None-Match" not in shelf.asked[-1].headers
    assert file.path.stat() == written


def test_what_is_kept_can_be_read_by_its_owner_only(machine: Machine, shelf: Shelf) -> None:
    machine.start(shelf.url)
    kept = {path.name: path.stat().st_mode & 0o777 for path in machine.folder.iterdir()}
    assert kept == {f"customers.downloaded{ending}": 0o600 for ending in ("", ".json", ".lock")}
    assert machine.folder.stat().st_mode & 0o777 == 0o700
    assert shelf.url not in (machine.folder / "customers.downloaded.json").read_text()


def test_a_restart_while_the_server_is_away_has_the_copy_at_once(machine: Machine, shelf: Shelf) -> None:
    machine.end(machine.start(shelf.url))
    shelf.instead = lambda _asked: Reply(b"", 503)
    machine.wall_clock.now += 3600
    file = machine.start(shelf.url)
    assert file.path.read_bytes() == FIRST
    machine.later(file, 0)
    assert file.trouble == f"{shelf.server.host} answered 503"
    assert file.age(0.0) == 3600
    shelf.instead = None
    machine.later(file, 5)
    assert (file.trouble, file.age(0.0)) == ("", 0)


def test_a_copy_that_was_damaged_or_is_gone_is_never_taken_for_the_version_that_the_server_knows(
    machine: Machine, shelf: Shelf
) -> None:
    for damage in (lambda path: path.write_bytes(b"phone"), lambda path: path.unlink()):
        file = machine.start(shelf.url)
        machine.end(file)
        damage(machine.folder / "customers.downloaded")
        file = machine.start(shelf.url)
        assert "If-None-Match" not in shelf.asked[-1].headers
        assert file.path.read_bytes() == FIRST
        machine.end(file)


def test_the_copy_of_another_address_is_not_used(machine: Machine, shelf: Shelf) -> None:
    machine.end(machine.start(shelf.url))
    with dead_port() as port:
        file = machine.start(f"http://127.0.0.1:{port}/other.csv")
    assert not file.path.exists()
    assert "refuses the connection" in file.trouble


def test_a_file_of_somebody_else_at_the_place_of_the_copy_is_left_alone(machine: Machine, shelf: Shelf) -> None:
    machine.folder.mkdir()
    theirs = machine.folder / "customers.downloaded"
    theirs.write_bytes(b"mine\n")
    file = machine.start(shelf.url)
    assert theirs.read_bytes() == b"mine\n"
    assert file.path.read_bytes() == FIRST
    assert f"{theirs} cannot be written: there is a file that omi-bridge did not make" in file.trouble


def test_of_two_processes_one_asks_and_the_other_follows_and_takes_over(machine: Machine, shelf: Shelf) -> None:
    first, second = machine.start(shelf.url, refresh="1m"), machine.start(shelf.url, refresh="1m")
    assert (len(shelf.asked), first.path) == (1, second.path)
    shelf.content = SECOND
    machine.later(second, 60)
    assert len(shelf.asked) == 1
    first.round()
    second.round()
    assert (len(shelf.asked), second.path.read_bytes()) == (2, SECOND)
    shelf.instead = lambda _asked: Reply(b"", 500)
    machine.later(first, 60)
    second.round()
    assert second.trouble == first.trouble == f"{shelf.server.host} answered 500"
    machine.end(first)
    shelf.instead = None
    machine.later(second, 5)
    assert second.trouble == ""


@pytest.mark.parametrize("theirs", [None, b"mine\n"])
def test_of_two_processes_both_know_why_there_never_was_a_copy(
    machine: Machine, shelf: Shelf, theirs: bytes | None
) -> None:
    place = machine.folder / "customers.downloaded"
    if theirs:
        machine.folder.mkdir()
        place.write_bytes(theirs)
    shelf.instead = lambda _asked: Reply(b"", 404)
    first, second = machine.start(shelf.url), machine.start(shelf.url)
    assert len(shelf.asked) == 1
    assert second.trouble.startswith(f"{shelf.server.host} answered 404")
    assert second.why_missing(FileNotFoundError()) == first.why_missing(FileNotFoundError()) == first.trouble
    shelf.instead = None
    machine.later(first, 60)
    second.round()
    assert (second.trouble, place.read_bytes()) == ((first.trouble, theirs) if theirs else ("", FIRST))
    assert ("did not make" in second.trouble) == bool(theirs)


def test_who_may_not_write_asks_for_himself_and_leaves_nothing_until_he_may(machine: Machine, shelf: Shelf) -> None:
    old = machine.start(shelf.url)
    trial = machine.start(f"{shelf.url}?v=2", writes=False)
    kept, own = machine.kept, trial.path
    assert (len(shelf.asked), own.read_bytes()) == (2, FIRST)
    assert machine.folder not in own.parents
    assert own.stat().st_mode & 0o777 == 0o600
    kept.writes = True
    trial.round()  # the one before still asks for all
    assert trial.path == own
    machine.end(old)
    trial.round()
    assert (len(shelf.asked), trial.path.parent, own.exists()) == (2, machine.folder, False)
    assert trial.path.read_bytes() == FIRST


def test_a_copy_that_was_tidied_up_before_it_was_shared_is_asked_for_anew(machine: Machine, shelf: Shelf) -> None:
    file = machine.start(shelf.url, writes=False)
    file.path.unlink()
    machine.kept.writes = True
    file.round()
    assert (len(shelf.asked), file.path.parent, file.path.read_bytes()) == (2, machine.folder, FIRST)


def test_what_comes_after_the_end_is_kept_nowhere_and_keeps_nobody_from_asking(
    machine: Machine, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (room := tmp_path / "room").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(room))
    asked, answers = threading.Event(), threading.Event()

    def late(_asked: Asked) -> Reply:
        asked.set()
        answers.wait(10)
        return Reply(FIRST)

    shelf.instead = late
    kept = ListState(machine.folder, "customers", writes=True)
    file = DownloadedFile(FileSettings(url=shelf.url), "csv", lambda: kept)
    opening = threading.Thread(target=file.start)
    opening.start()
    assert asked.wait(10)
    file.close()
    answers.set()
    opening.join(10)
    assert [*room.iterdir()] == []
    shelf.instead = None
    assert machine.start(shelf.url).path.parent == machine.folder


def test_what_a_process_has_alone_goes_with_it(machine: Machine, shelf: Shelf) -> None:
    file = machine.start(shelf.url, writes=False)
    own = file.path.parent
    assert own.is_dir()
    machine.end(file)
    assert not own.exists()
    assert not machine.folder.exists()


A_PAGE = " answers with a web page instead of the file, such as a sign-in"


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply(PAGE, 200, [("Content-Type", "text/html")]), A_PAGE),
        (Reply(b"\xef\xbb\xbf\r\n<HTML lang=vi>"), A_PAGE),
        (Reply(PAGE, 403), " answered 403: it does not show the file: open the address in a private window"),
        (Reply(PAGE, 401), " answered 401: it does not show the file"),
        (Reply(PAGE, 404), " answered 404: there is no such file any more, or it is not shared: copy its link again"),
        (Reply(PAGE, 410), " answered 410: there is no such file any more"),
        (Reply(b"", 204), " answered 204 instead of a file"),
        (Reply(PAGE, 400), " answered 400 instead of a file: is the address right?"),
        (Reply(b"", 500), " answered 500"),
        (Reply(b"x" * 1001), " answered more than max_response_size (1000 bytes)"),
    ],
)
def test_what_comes_in_place_of_the_file_is_told_and_never_kept(
    machine: Machine, shelf: Shelf, reply: Reply, told: str
) -> None:
    file = machine.start(shelf.url, refresh="1m", max_response_size=1000)
    shelf.instead = lambda _asked: reply
    machine.later(file, 60)
    assert file.path.read_bytes() == FIRST
    assert file.trouble.startswith(f"{shelf.server.host}{told}")


def test_a_table_that_is_called_a_page_is_a_table(machine: Machine, shelf: Shelf) -> None:
    shelf.instead = lambda _asked: Reply(FIRST, 200, [("Content-Type", "text/html")])
    assert machine.start(shelf.url).path.read_bytes() == FIRST


def test_a_file_that_drips_or_ends_early_is_none_and_the_time_is_bounded(machine: Machine) -> None:
    whole = answer(FIRST, headers=["Content-Type: text/csv"])

    def dripping(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.drip_for_ever(b"1\r\nx\r\n", 0.02)

    def cut(connection: Connection) -> None:
        connection.read_request()
        connection.send(whole[:-5])

    with ScriptedServer(cut, dripping) as server:
        file = machine.start(f"{server.url}/customers.csv", download_timeout="300ms")
        assert file.trouble == f"{server.host} closed the connection in mid-answer"
        began = time.monotonic()
        machine.later(file, 5)
        assert time.monotonic() - began < 5
        assert file.trouble == f"{server.host} did not answer in time"
        assert not file.path.exists()


def test_failures_are_asked_after_ever_more_seldom_and_when_the_server_says(machine: Machine, shelf: Shelf) -> None:
    shelf.instead = lambda _asked: Reply(b"", 503)
    file = machine.start(shelf.url)
    counts = []
    for _ in range(60):
        machine.later(file, 1)
        counts.append(len(shelf.asked))
    assert counts[4] == 2
    assert counts[-1] == 4  # after 5, 10, 20 s
    shelf.instead = lambda _asked: Reply(b"", 429, [("Retry-After", "200")])
    machine.later(file, 40)
    machine.later(file, 199)
    assert len(shelf.asked) == 5


def test_credentials_are_sent_and_stay_with_their_host_when_the_file_lies_elsewhere(
    machine: Machine, shelf: Shelf, tmp_path: Path
) -> None:
    certificate = make_certificate(tmp_path)
    elsewhere = Shelf(SECOND, tls=certificate.server)
    with elsewhere.server:
        shelf.instead = sends_to(elsewhere.url)
        auth = {"type": "header", "name": "X-Key", "value": "planted"}
        file = machine.start(shelf.url, auth=auth, tls={"ca_file": certificate.file}, refresh="1m")
        machine.later(file, 60)
    assert file.path.read_bytes() == SECOND
    assert [asked.headers["X-Key"] for asked in shelf.asked] == ["planted", "planted"]
    assert not any("planted" in str(asked.headers) for asked in elsewhere.asked)
    assert "If-None-Match" in elsewhere.asked[-1].headers


def test_a_redirect_to_another_host_without_tls_is_refused(machine: Machine, shelf: Shelf) -> None:
    with (other := Shelf(SECOND)).server:
        shelf.instead = sends_to(other.url)
        file = machine.start(shelf.url)
    assert other.asked == []
    assert file.trouble == (
        f"{shelf.server.host} redirects to {other.server.url}: if that is the right place, write it in url"
    )


def test_credentials_that_are_refused_are_what_is_asked_about(machine: Machine, shelf: Shelf) -> None:
    shelf.instead = lambda _asked: Reply(PAGE, 401)
    file = machine.start(shelf.url, auth={"type": "bearer", "token": "planted"})
    assert file.trouble.endswith("are the credentials under auth right, and may they read the file?")


def test_a_redirect_within_the_host_keeps_credentials_and_cookies(machine: Machine, shelf: Shelf) -> None:
    def gate(asked: Asked) -> Reply:
        if "pass=1" in asked.headers.get("Cookie", ""):
            return Reply(FIRST)
        return Reply(b"", 302, [("Location", "/inside.csv"), ("Set-Cookie", "pass=1")])

    shelf.instead = gate
    file = machine.start(shelf.url, auth={"type": "basic", "username": "lan", "password": "planted"})
    assert file.path.read_bytes() == FIRST
    expected = "Basic " + base64.b64encode(b"lan:planted").decode()
    assert [asked.headers["Authorization"] for asked in shelf.asked] == [expected, expected]


def test_when_it_changed_and_was_asked_for_is_told(machine: Machine, shelf: Shelf) -> None:
    file = machine.start(shelf.url, refresh="1m")
    machine.later(file, 7200)
    machine.later(file, 30)
    assert file.report() == (
        f"{shelf.server.host}: a copy is in force that changed 2 hours ago; asked 30 seconds ago, every 1m",
    )


def test_facts_that_are_damaged_are_none(machine: Machine, shelf: Shelf) -> None:
    machine.end(machine.start(shelf.url))
    facts = machine.folder / "customers.downloaded.json"
    for damaged in (b'{"of": ', json.dumps({"of": "x", "more": 1}).encode(), b""):
        facts.write_bytes(damaged)
        file = machine.start(shelf.url)
        assert file.path.read_bytes() == FIRST
        machine.end(file)


def test_where_no_folder_can_be_made_each_process_has_its_own(machine: Machine, shelf: Shelf) -> None:
    machine.folder.write_bytes(b"")
    first, second = machine.start(shelf.url), machine.start(shelf.url)
    assert first.path.read_bytes() == second.path.read_bytes() == FIRST
    assert first.path != second.path
