import json
import os
import stat
from pathlib import Path

import pytest

from bridge.extensions.polled_list import PolledList
from bridge.extensions.snapshot import ListSnapshot
from bridge.sdk.connector import Owner
from bridge.sdk.errors import SourceUnavailable
from bridge.sdk.extension_source import ExtensionEntry
from tests.support.listed import entries, listed

LAN = Owner(login="lan")
GOOD = entries(lan="101", minh="0102")


def read_once(source, *, writes=True):
    """Let a list be read once, and return it, closed."""
    made = PolledList(source, wait=lambda _seconds: True)
    made.start(writes=writes)
    made.wait(10)
    made.close()
    return made


def renewed(source, said):
    """Return the source after a restart that changed what it says."""
    source.source.says = said
    return source


def test_the_last_good_list_is_used_at_a_start_while_the_source_is_away(tmp_path):
    source = listed(GOOD, tmp_path / "kept.json")
    read_once(source)
    made = read_once(renewed(source, SourceUnavailable("away")))
    assert made.current().extensions_of(LAN) == ("101",)
    assert made.extensions == {"101", "0102"}
    assert made.trouble == "away"


def test_the_file_holds_names_and_extensions_and_is_its_owners_alone(tmp_path):
    file = tmp_path / "kept.json"
    file.touch(mode=0o644)
    read_once(listed(GOOD, file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    kept = json.loads(file.read_text())
    assert kept["list"] == [
        {"ids": [], "emails": [], "logins": ["lan"], "names": [], "extensions": ["101"]},
        {"ids": [], "emails": [], "logins": ["minh"], "names": [], "extensions": ["0102"]},
    ]
    assert set(kept) == {"salt", "of", "list"}
    assert [path.name for path in tmp_path.iterdir()] == ["kept.json"]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\0" * 900, b'{"salt": ', b'{"salt": "", "list": 7, "of": 1}', b'{"salt": ' + b"[" * 100_000],
)
def test_a_damaged_file_is_ignored_with_a_word_in_the_log_and_replaced(tmp_path, caplog, content):
    file = tmp_path / "kept.json"
    file.write_bytes(content)
    made = read_once(listed(GOOD, file))
    assert made.current().extensions_of(LAN) == ("101",)
    assert "the kept list kept.json is damaged, and is not used" in caplog.text
    assert json.loads(file.read_text())["list"]


@pytest.mark.parametrize("content", [b"[]", b"null", b"\xff\xfe", b"phone,owner\n0901234567,lan\n"])
def test_a_file_that_we_did_not_make_is_not_replaced(tmp_path, content):
    file = tmp_path / "kept.json"
    file.write_bytes(content)
    made = read_once(listed(GOOD, file))
    assert "there is a file that omi-bridge did not make" in made.trouble
    assert made.current().extensions_of(LAN) == ("101",)
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("kept.json", content)]


def test_half_a_file_is_ignored(tmp_path, caplog):
    file = tmp_path / "kept.json"
    source = listed(GOOD, file)
    read_once(source)
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(SourceUnavailable):
        read_once(renewed(source, SourceUnavailable("away"))).current()
    assert "is damaged" in caplog.text


def test_the_list_of_another_account_is_not_used(tmp_path, caplog):
    file = tmp_path / "kept.json"
    first = listed(GOOD, file)
    ListSnapshot(first).write(GOOD)
    assert len(ListSnapshot(first).read()) == 2
    other = type(first)(first.name, first.source, first.config, {**first.written, "api_key": "another"})
    assert ListSnapshot(other).read() == ()
    assert "is of other settings, and is not used" in caplog.text
    seldom = type(first)(first.name, first.source, first.config, {**first.written, "refresh": "1h"})
    assert len(ListSnapshot(seldom).read()) == 2


def test_a_file_that_cannot_be_read_is_ignored(tmp_path, caplog):
    (tmp_path / "kept.json").mkdir()
    assert ListSnapshot(listed(GOOD, tmp_path / "kept.json")).read() == ()
    assert "cannot be read: Is a directory" in caplog.text


def test_a_pipe_in_its_place_is_not_waited_for(tmp_path, caplog):
    os.mkfifo(tmp_path / "kept.json")
    assert ListSnapshot(listed(GOOD, tmp_path / "kept.json")).read() == ()
    assert "is damaged" in caplog.text


def test_a_file_that_cannot_be_written_is_told_and_costs_nothing_else(tmp_path, caplog):
    source = listed(GOOD, tmp_path / "no" / "kept.json")
    made = read_once(source)
    assert made.current().extensions_of(LAN) == ("101",)
    assert made.trouble == f"the list cannot be kept in {tmp_path}/no/kept.json: No such file or directory"
    assert f"extensions.scripted: {made.trouble}" in caplog.text


def test_a_folder_that_is_not_there_is_told_without_writing(tmp_path):
    assert ListSnapshot(listed(GOOD, tmp_path / "kept.json")).obstacle() == ""
    missing = tmp_path / "no" / "kept.json"
    assert ListSnapshot(listed(GOOD, missing)).obstacle() == (
        f"the list cannot be kept in {missing}: there is no such folder"
    )
    assert list(tmp_path.iterdir()) == []


def as_nobody_in_particular(question):
    """Return whether the question is answered with yes in a process without the superuser's rights."""
    child = os.fork()
    if child == 0:
        answer = False
        try:
            if os.geteuid() == 0:
                os.setuid(65534)
            answer = question()
        finally:
            os._exit(0 if answer else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_folder_that_may_not_be_written_to_is_told_without_writing():
    kept = ListSnapshot(listed(GOOD, Path("/usr/kept.json")))
    assert as_nobody_in_particular(lambda: "may not write into its folder" in kept.obstacle())
    assert not Path("/usr/kept.json").exists()


def test_the_list_that_an_older_version_kept_is_not_used(tmp_path):
    file = tmp_path / "kept.json"
    kept = ListSnapshot(listed(GOOD, file))
    kept.write(GOOD)
    held = json.loads(file.read_text())
    held["list"] = [{"owners": ["lan"], "extensions": ["101"]}]
    file.write_text(json.dumps(held))
    assert kept.read() == ()


def test_the_kinds_of_names_are_kept(tmp_path):
    entry = ExtensionEntry(ids=("7",), emails=("a@x.example",), logins=("7",), names=("A",), extensions=("101",))
    kept = ListSnapshot(listed([entry], tmp_path / "kept.json"))
    kept.write([entry])
    assert kept.read() == (entry,)


def test_a_file_that_can_be_written_again_is_no_trouble_any_more(tmp_path):
    kept = ListSnapshot(listed(GOOD, tmp_path / "later" / "kept.json"))
    kept.write(GOOD)
    assert kept.trouble
    (tmp_path / "later").mkdir()
    kept.write(GOOD)
    assert (kept.trouble, len(kept.read())) == ("", 2)


def test_a_name_that_no_encoding_can_write_is_kept_as_well(tmp_path):
    kept = ListSnapshot(listed(GOOD, tmp_path / "kept.json"))
    kept.write(entries(**{"l\ud800an": "101"}))
    assert kept.read()[0].logins == ("l\ud800an",)


def test_a_command_reads_what_is_kept_and_writes_nothing(tmp_path):
    file = tmp_path / "kept.json"
    read_once(listed(GOOD, file), writes=False)
    assert not file.exists()


def test_an_empty_list_does_not_replace_the_file(tmp_path):
    source = listed(GOOD, tmp_path / "kept.json")
    read_once(source)
    read_once(renewed(source, ()))
    assert len(ListSnapshot(source).read()) == 2
