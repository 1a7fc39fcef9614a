import fcntl
import json
import logging
import threading
from pathlib import Path

import pytest

from bridge.sdk import Deadline, SourceUnavailable
from connectors.rest.auth.token_file import RefreshTokenStore

PATIENCE = 10.0


def renew(store: RefreshTokenStore, replace_by: str | None = None) -> str:
    with store.renewing(Deadline.after(PATIENCE)) as token:
        if replace_by:
            store.replace(replace_by)
        return token


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "token.json"


def test_the_first_token_is_that_of_the_configuration_and_is_not_written(file: Path) -> None:
    assert renew(RefreshTokenStore("first", file)) == "first"
    assert not file.exists()


def test_a_replaced_token_survives_a_restart_readable_by_its_owner_only(file: Path) -> None:
    renew(RefreshTokenStore("first", file), "second")
    assert file.stat().st_mode & 0o777 == 0o600
    assert renew(RefreshTokenStore("first", file)) == "second"
    assert "first" not in file.read_text()
    assert sorted(path.name for path in file.parent.iterdir()) == ["token.json", "token.json.lock"]


def test_a_new_token_in_the_configuration_wins_over_the_file(file: Path) -> None:
    renew(RefreshTokenStore("first", file), "second")
    assert renew(RefreshTokenStore("new", file)) == "new"


def test_what_another_process_has_written_is_used(file: Path) -> None:
    ours, theirs = RefreshTokenStore("first", file), RefreshTokenStore("first", file)
    assert renew(ours, "second") == "first"
    assert renew(theirs, "third") == "second"
    assert renew(ours, "fourth") == "third"


def test_two_who_renew_at_the_same_time_never_use_the_same_token(file: Path) -> None:
    used: list[str] = []
    lock = threading.Lock()

    def work(store: RefreshTokenStore) -> None:
        for _ in range(10):
            with store.renewing(Deadline.after(PATIENCE)) as token, lock:
                used.append(token)
                store.replace(f"token {len(used)}")

    threads = [threading.Thread(target=work, args=(RefreshTokenStore("token 0", file),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert used == [f"token {number}" for number in range(40)]


def test_waiting_for_another_process_ends_with_the_deadline(file: Path) -> None:
    with Path(f"{file}.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        deadline = Deadline.after(0.1)
        with pytest.raises(SourceUnavailable), RefreshTokenStore("first", file).renewing(deadline):
            pass
        assert deadline.expired()


@pytest.mark.parametrize("content", ["", "{", '{"refresh_token": 5}', '{"refresh_token": "a', "\0" * 200])
def test_a_damaged_file_is_told_about_and_the_configuration_is_used(
    file: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_text(content)
    assert renew(RefreshTokenStore("first", file), "second") == "first"
    assert "auth.token_file cannot be read" in caplog.text
    assert json.loads(file.read_text())["refresh_token"] == "second"


@pytest.mark.parametrize("content", ["rubbish", "[]", "phone,owner\n"])
def test_a_file_that_we_did_not_make_is_not_replaced(
    file: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_text(content)
    assert renew(RefreshTokenStore("first", file), "second") == "first"
    assert f"auth.token_file: {file} cannot be written: there is a file that omi-bridge did not make" in caplog.text
    assert "or move it away; else the service needs a new refresh token" in caplog.text
    assert file.read_text() == content


def test_a_token_that_cannot_be_written_is_kept_in_memory_and_written_at_the_next_renewal(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    directory = tmp_path / "not yet there"
    file = directory / "token.json"
    store = RefreshTokenStore("first", file)
    renew(store, "planted")
    assert [record.levelno for record in caplog.records if "cannot be written" in record.message][:1] == [logging.ERROR]
    assert "planted" not in caplog.text
    directory.mkdir()
    assert renew(store) == "planted"
    assert renew(RefreshTokenStore("first", file)) == "planted"


def test_an_older_token_on_disk_does_not_win_over_a_newer_one_in_memory(file: Path) -> None:
    store = RefreshTokenStore("first", file)
    renew(store, "second")
    written = file.read_bytes()
    file.unlink()
    file.mkdir()  # now the file cannot be replaced
    renew(store, "third")
    file.rmdir()
    file.write_bytes(written)
    assert renew(store) == "third"


def test_without_a_file_a_replaced_token_is_kept_in_memory_and_warned_about_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = RefreshTokenStore("first", None)
    assert renew(store, "second") == "first"
    assert renew(store, "third") == "second"
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_a_file_that_cannot_be_written_is_a_trouble_until_it_was_written_without_a_renewal(file: Path) -> None:
    again, tried = threading.Event(), threading.Event()
    ended = False

    def wait(_seconds: float) -> bool:
        tried.set()
        again.wait(PATIENCE)
        again.clear()
        return ended

    file.mkdir()
    store = RefreshTokenStore("first", file, wait)
    assert f"auth.token_file: {file} cannot be written: it is no file" in store.trouble
    renew(store, "planted")
    assert tried.wait(PATIENCE)
    assert "that no folder has this name" in store.trouble
    file.rmdir()
    tried.clear()
    again.set()
    assert tried.wait(PATIENCE)
    assert store.trouble == ""
    assert json.loads(file.read_text())["refresh_token"] == "planted"
    ended = True
    again.set()
    store.close()
