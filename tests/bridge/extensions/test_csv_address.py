"""The list of extensions whose file lies at an address: nobody waits for it but who says so."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.commands.main import main
from bridge.config.extensions import ExtensionCsv
from bridge.config.loading import load_config
from bridge.extensions.extension_file import ExtensionFileWatch
from bridge.extensions.lists import ExtensionLists
from bridge.sdk import ListState, Owner, SourceUnavailable
from tests.support.kept import until
from tests.support.servers import Asked, Reply
from tests.support.shelf import Shelf

LAN = Owner(email="lan@congty.example")
PATIENCE = 30.0


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    made = Shelf(b"email,ext\nlan@congty.example,101\n")
    with made.server:
        yield made


@pytest.fixture
def config(tmp_path: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    (tmp_path / "customers.csv").write_text("phone,owner email\n0901234567,lan@congty.example\n")
    file = tmp_path / "config.yaml"
    file.write_text(
        "api_keys: [change-me]\nconnectors:\n  customers: {type: csv, path: customers.csv}\n"
        f"extensions:\n  csv: {{url: '{shelf.url}?planted'}}\n"
    )
    return file


def run(*arguments: object) -> str:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False).output


def test_it_is_read_in_the_background_and_who_waits_has_it(tmp_path: Path, shelf: Shelf) -> None:
    asked, answers = threading.Event(), threading.Event()

    def late(_asked: Asked) -> Reply:
        asked.set()
        answers.wait(PATIENCE)
        return Reply(shelf.content)

    shelf.instead = late
    watch = ExtensionFileWatch(ExtensionCsv(url=shelf.url), kept=ListState(tmp_path, "extensions.csv", writes=True))
    watch.start()
    assert asked.wait(PATIENCE)
    assert not watch.is_tried
    with pytest.raises(SourceUnavailable):
        watch.current()
    answers.set()
    watch.wait(PATIENCE)
    assert watch.current().extensions_of(LAN) == ("101",)
    assert watch.report()[0].startswith(f"{shelf.server.host}: a copy is in force that changed")
    assert watch.content_age() is not None
    watch.close()


def test_a_restart_while_the_server_is_away_has_the_copy(config: Path, shelf: Shelf) -> None:
    for _ in range(2):
        lists = ExtensionLists(load_config(config, {}))
        lists.start()
        assert set(lists.waited_for()) <= {"extensions.csv"}
        assert lists.file
        lists.file.wait(PATIENCE)
        assert lists.waited_for() == {}
        assert lists.file.current().extensions_of(LAN) == ("101",)
        until((config.parent / "last-good" / "extensions.csv.downloaded").is_file)
        lists.close()
        shelf.instead = lambda _asked: Reply(b"", 503)


def test_commands_wait_for_it_and_only_check_without_online_leaves_it_alone(config: Path, shelf: Shelf) -> None:
    assert run("lookup", "-c", config, "0901234567").strip() == "101"
    shelf.asked.clear()
    assert "extensions: not asked (--online asks it)" in run("check", "-c", config)
    assert shelf.asked == []
    checked = run("check", "-c", config, "--online")
    assert "extensions: extensions.csv.downloaded: 1 row, 1 name of owners" in checked
    shelf.instead = lambda _asked: Reply(b"", 404)
    checked = run("check", "-c", config, "--online")
    assert f"FAILED  extensions: {shelf.server.host} answered 404: there is no such file any more" in checked
    assert "planted" not in checked
