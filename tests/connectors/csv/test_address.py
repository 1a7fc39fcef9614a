"""The csv connector whose file lies at an address: what of it is in force, and when."""

import tempfile
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bridge.sdk import Call, Deadline, ListState, Owner, PhoneNumber, SourceUnavailable
from connectors.csv.connector import CsvConfig, CsvConnector
from connectors.csv.google_sheet import GoogleSheetConfig, GoogleSheetConnector
from tests.support.kept import until
from tests.support.servers import Reply
from tests.support.shelf import PAGE, Shelf

HEADER = "SĐT,Nhân viên phụ trách\n"
SHEET = "https://docs.google.com/spreadsheets/d/1aBcDeFgHiJkLmNoPqRs"


def rows(count: int) -> bytes:
    return (HEADER + "".join(f"09012345{number:02},lan{number}\n" for number in range(count))).encode()


def owner(name: str) -> Owner:
    return Owner(id=name, name=name)


class Life:
    """Services one after another, each with its connector, on one machine; their threads look all the time."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder, self._url = folder / "last-good", url
        self._ended = threading.Event()
        self.connector: CsvConnector | None = None

    def begin(self, *, writes: bool = True, **settings: Any) -> CsvConnector:
        """Start a service, or a command if it does not write."""
        self.end()
        ended = self._ended = threading.Event()
        made = self.connector = CsvConnector(CsvConfig(url=self._url, **settings), wait=lambda _: ended.wait(0.01))
        made.kept = ListState(self._folder, "customers", writes=writes)
        made.open()
        return made

    def end(self) -> None:
        """End the service."""
        self._ended.set()
        if self.connector:
            self.connector.close()
            self.connector = None


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    made = Shelf(rows(40))
    with made.server:
        yield made


@pytest.fixture
def life(tmp_path: Path, shelf: Shelf) -> Iterator[Life]:
    made = Life(tmp_path, shelf.url)
    yield made
    made.end()


def shrank(connector: CsvConnector) -> bool:
    return "only 19 of 40 rows are left" in connector.trouble()


def ask(connector: CsvConnector, number: int) -> Any:
    return connector.find_owners(Call(PhoneNumber(f"+849012345{number:02}")), Deadline.after(1.0))


def test_owners_are_found_in_a_file_at_an_address_and_check_says_how_old_it_is(life: Life, shelf: Shelf) -> None:
    connector = life.begin()
    assert ask(connector, 7) == (owner("lan7"),)
    assert connector.needs_network
    assert connector.content_age() is not None
    said = "\n".join(connector.report())
    assert f"{shelf.server.host}: a copy is in force that changed 0 seconds ago" in said
    assert "customers.downloaded: 40 rows, 40 telephone numbers" in said


def test_a_restart_while_the_server_is_away_goes_on_with_the_copy(life: Life, shelf: Shelf) -> None:
    life.begin()
    shelf.instead = lambda _asked: Reply(b"", 503)
    for writes in (True, False):
        connector = life.begin(writes=writes)
        assert ask(connector, 7) == (owner("lan7"),)


def test_a_command_says_that_the_server_is_away_and_answers_from_the_copy(life: Life, shelf: Shelf) -> None:
    life.begin()
    shelf.instead = lambda _asked: Reply(PAGE)
    connector = life.begin(writes=False)
    assert "answers with a web page instead of the file" in connector.trouble()
    assert "answers with a web page instead of the file" in connector.kept.stands_in
    assert ask(connector, 7) == (owner("lan7"),)


def test_without_any_copy_it_cannot_be_opened_and_says_why(tmp_path: Path, shelf: Shelf) -> None:
    shelf.instead = lambda _asked: Reply(PAGE)
    life = Life(tmp_path, shelf.url)
    with pytest.raises(SourceUnavailable, match="answers with a web page instead of the file, such as a sign-in: open"):
        life.begin()
    life.end()


def test_where_a_command_has_no_room_for_a_copy_that_is_told(
    tmp_path: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    life = Life(tmp_path, shelf.url)
    with pytest.raises(SourceUnavailable, match="there is no room for a copy: No such file or directory"):
        life.begin(writes=False)
    life.end()


def test_a_file_that_shrank_by_half_is_doubted_through_restarts_until_it_is_confirmed(life: Life, shelf: Shelf) -> None:
    life.begin()
    shelf.content = rows(19)
    for writes in (False, True, True):
        connector = life.begin(writes=writes)
        until(partial(shrank, connector))
        assert ask(connector, 30) == (owner("lan30"),)
    assert connector.kept.confirm()
    until(lambda: ask(connector, 30) == ())


def test_another_address_is_another_list_and_nothing_of_the_one_before_answers(tmp_path: Path, shelf: Shelf) -> None:
    life = Life(tmp_path, shelf.url)
    life.begin()
    life.end()
    shelf.content = rows(3)
    other = Life(tmp_path, f"{shelf.url}?other")
    connector = other.begin()
    assert connector.trouble() == ""
    assert (ask(connector, 2), ask(connector, 30)) == ((owner("lan2"),), ())
    other.end()


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({}, "write path: with a file of this machine, or url: with an address"),
        ({"path": "a.csv", "url": "https://x.example/a.csv"}, "a file is in one place: write path or url"),
        ({"path": "https://x.example/a.csv"}, "is an address: write it as url: instead of path:"),
        ({"path": "a.csv", "refresh": "1m"}, "goes with url alone"),
        ({"url": "customers.csv"}, "is no address: write https://HOST/PATH, or path: with a file of this machine"),
        ({"url": "https://lan:planted@x.example/a.csv"}, "credentials do not stand in the address: write auth:"),
        ({"url": "https://x.example/../a.csv"}, "holds a step"),
        ({"url": "https://x.example/a.csv", "refresh": "10s"}, "greater than or equal to 30"),
    ],
)
def test_what_is_wrong_about_the_place_of_a_file_is_told(written: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        CsvConfig(**written)
    assert told in str(caught.value)
    assert "planted" not in str(caught.value)


def test_a_google_sheet_is_known_by_its_link_and_nothing_else_is() -> None:
    link = f"{SHEET}/edit?gid=5#gid=5"
    connector = GoogleSheetConnector(GoogleSheetConfig(url=link))
    assert connector.needs_network
    assert "1aBcDeFg" not in repr(connector.config)
    connector.close()
    for other in ("https://docs.google.com/document/d/1aBcDeFgHiJkLmNoPqRs/edit", "https://x.example/a.csv"):
        with pytest.raises(ValidationError, match="is no link to a Google Sheet: copy the address of the open sheet"):
            GoogleSheetConfig(url=other)
