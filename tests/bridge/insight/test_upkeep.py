"""What may be done from the console, in the running service: forget a caller, believe a doubted list."""

import subprocess
import sys

import pytest

from bridge.config.loading import load_config
from bridge.insight.client import AnswerRefused, ask_service
from bridge.insight.line_mask import LineMask
from bridge.insight.upkeep import PER_MINUTE, Forgetter
from bridge.sdk.secrets import Redaction
from bridge.sdk.shared import Turns
from bridge.testing.fakes import FakeClock
from tests.bridge.insight.test_insight import asking, call, callers
from tests.support.application import opened
from tests.support.consoled import with_console
from tests.support.kept import rows, until
from tests.support.known_customers import KnownCrm, expecting

WHO = "0901234567"


@pytest.fixture(autouse=True)
def crm(monkeypatch):
    monkeypatch.setattr(KnownCrm, "instead", "")
    monkeypatch.setattr(KnownCrm, "asked", [])
    return KnownCrm


def remembering(folder):
    file = expecting(folder).file
    file.write_text(file.read_text(encoding="utf-8") + "cache: {path: answers.db}\n", encoding="utf-8")
    return with_console(file)[0]


def test_a_caller_is_forgotten_by_memory_files_and_decisions_and_another_is_not(tmp_path, crm):
    config = remembering(tmp_path)
    with opened(config) as app:
        for phone in (WHO, "0987654321"):
            call(app, phone)
        until(lambda: rows(tmp_path / "answers.db") == 2)
        app.extensions["omi_bridge"].decisions.close()
        found = asking(config, {"ask": "forget", "number": "090 123 4567"})
        left, kept = rows(tmp_path / "answers.db"), ask_service(config.file, {"ask": "calls"})
        app.extensions["omi_bridge"].forgotten.look_around()
        for phone in (WHO, "0987654321"):
            call(app, phone)
    assert {one["part"]: one["failed"] for one in found["parts"]} == {
        "the running service": False,
        "server.decisions": False,
        "cache.path": False,
    }
    assert (left, callers(kept)) == (1, ["…321"])
    assert crm.asked == [WHO, "0987654321", WHO]
    assert found["caller"] == "…567"
    assert "1234567" not in str(found)


def test_no_command_line_tells_whom(tmp_path, monkeypatch):
    config, seen = remembering(tmp_path), []
    real = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda command, **more: seen.append(command) or real(command, **more))
    with opened(config):
        asking(config, {"ask": "forget", "number": WHO})
    assert seen == [[sys.executable, "-m", "bridge.insight.forget_child"]]


def test_the_configuration_in_force_counts_though_another_stands_in_the_file(tmp_path):
    config = remembering(tmp_path)
    with opened(config) as app:
        call(app, WHO)
        until(lambda: rows(tmp_path / "answers.db") == 1)
        config.file.write_text("half of a", encoding="utf-8")
        asking(config, {"ask": "forget", "number": WHO})
        assert rows(tmp_path / "answers.db") == 0


def test_what_is_no_number_and_what_is_too_often_is_refused(tmp_path):
    turns = Turns(PER_MINUTE, 60.0, FakeClock())
    with opened(remembering(tmp_path)) as app:
        service = app.extensions["omi_bridge"].service
        forgetter = Forgetter(lambda: service, LineMask(Redaction()), turns)
        with pytest.raises(AnswerRefused, match="wrong-number"):
            forgetter.answer({"number": "abc"})
        for _ in range(PER_MINUTE):
            assert turns.book(PER_MINUTE, 0.0) == 0
        with pytest.raises(AnswerRefused, match="forget-often"):
            forgetter.answer({"number": WHO})


LISTS = "api_keys: [change-me]\nconnectors: {customers: {type: csv, path: customers.csv}}\n"


@pytest.fixture
def doubting(tmp_path):
    """A service that doubts its list of customers: five of forty are left."""
    file, customers = tmp_path / "config.yaml", tmp_path / "customers.csv"
    file.write_text(LISTS, encoding="utf-8")
    lines = ["phone,owner_email\n", *(f"09012345{at:02d},nv{at}@congty.example\n" for at in range(40))]
    customers.write_text("".join(lines), encoding="utf-8")
    with opened(with_console(file)[0]):
        pass
    customers.write_text("".join(lines[:6]), encoding="utf-8")
    with opened(load_config(file)) as app:
        yield app, file


def test_a_doubted_list_is_believed_once_it_is_confirmed(doubting):
    app, file = doubting
    config = app.extensions["omi_bridge"].service.config
    (doubt,) = asking(config, {"ask": "doubts"})
    assert doubt["name"] == "customers"
    assert "only 5 of 40 rows are left" in doubt["told"]
    for other in ({"name": "../customers"}, {"told": "only 3 of 40"}):
        with pytest.raises(AnswerRefused, match="not-doubted"):
            ask_service(file, {"ask": "confirm", **doubt, **other})
    assert ask_service(file, {"ask": "confirm", **doubt})["name"] == "customers"
    assert ask_service(file, {"ask": "doubts", "after": "confirm"}) == []
    with pytest.raises(AnswerRefused, match="not-doubted"):
        ask_service(file, {"ask": "confirm", **doubt})
