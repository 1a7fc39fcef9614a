"""A changed configuration, tried on the last callers before it is in force."""

import pytest

from bridge.config.loading import load_config
from bridge.insight.client import AnswerRefused, ask_service
from bridge.insight.shadow_run import PER_MINUTE
from bridge.sdk.secrets import Redaction
from tests.bridge.insight.test_insight import call, until
from tests.support.application import opened, reload
from tests.support.consoled import with_console
from tests.support.known_customers import KnownCrm, expecting

TRY = {"ask": "shadow"}


@pytest.fixture
def service(tmp_path):
    config = with_console(expecting(tmp_path).file)[0]
    with opened(config) as app:
        yield app, config.file


def change(file, old, new):
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def tried(file):
    return until(lambda: ask_service(file, TRY))


def test_who_is_answered_otherwise_is_named_with_both_answers(service, crm):
    app, file = service
    for last in range(3):
        call(app, f"090123456{last}")
    change(file, "lan@congty.example: 101", "lan@congty.example: 109")
    asked = len(crm.asked)
    found = tried(file)
    assert (found["callers"], found["same"], found["unknown"], found["refused"]) == (3, 0, [], [])
    first = found["differ"][0]
    assert (first["caller"], first["now"]["extensions"], first["then"]["extensions"]) == ("…562", ["101"], ["109"])
    assert "extension 109 (extensions.inline lan@congty.example)" in first["then"]["because"][-1]
    assert len(crm.asked) == asked, "the same source says the same: nobody is asked"
    assert call(app).data == b"101", "nothing is in force"


def test_a_source_that_changed_is_asked_and_one_that_says_the_same_differs_in_nothing(service, crm):
    app, file = service
    call(app)
    change(file, "timeout: 2s", "timeout: 3s, fails: false")
    assert tried(file) == {"callers": 1, "same": 1, "differ": [], "unknown": [], "refused": []}
    assert crm.asked == ["0901234567"] * 2


def test_what_is_remembered_is_not_held_against_what_was_just_heard(service, crm):
    app, file = service
    call(app)
    crm.instead = "minh@congty.example"  # the customer has changed hands since
    change(file, "timeout: 2s", "timeout: 3s, fails: false")
    assert tried(file)["same"] == 1


def test_where_a_source_does_not_answer_nothing_is_claimed(service):
    app, file = service
    call(app)
    change(file, "timeout: 2s", "timeout: 2s, fails: true")
    (one,) = tried(file)["unknown"]
    assert (one["caller"], one["why"], one["now"]["extensions"]) == ("…567", "unavailable", ["101"])
    assert "the CRM is down" in one["then"]["because"][0]
    assert call(app, "0901234568").data == b"101", "the source in force is as it was"


def test_a_change_that_a_reload_would_refuse_is_told_as_that(service):
    app, file = service
    call(app)
    change(file, "extensions:\n", "extensions:\n  csv: {path: staff.csv}\n")
    (problem,) = tried(file)["refused"]
    assert problem.startswith("staff.csv: there is no such file")


def test_no_secret_of_the_file_is_shown_and_none_of_those_in_force_is_forgotten(tmp_path):
    config, redaction = with_console(expecting(tmp_path).file)[0], Redaction()
    with opened(config, redaction) as app:
        call(app)
        change(config.file, "api_keys: [change-me]", "api_keys: [change-me, a-new-secret-key]")
        change(config.file, "'lan@congty.example'", "'a-new-secret-key'")
        found = tried(config.file)
    assert "a-new-secret-key" not in str(found)
    assert "•••" in str(found["differ"])
    assert redaction("change-me") == "•••"
    assert redaction("a-new-secret-key") == "a-new-secret-key", "masked while it is tried, not for ever"


@pytest.mark.parametrize(("calls", "key", "word"), [(True, "deadlin", "not-valid"), (False, "deadline", "no-callers")])
def test_without_a_valid_file_or_a_caller_there_is_nothing_to_try(service, calls, key, word):
    app, file = service
    if calls:
        call(app)
    change(file, "deadline", key)
    with pytest.raises(AnswerRefused, match=word):
        tried(file)


def test_it_is_tried_so_often_in_a_minute_and_no_more(service):
    app, file = service
    call(app)
    for _ in range(PER_MINUTE):
        tried(file)
    with pytest.raises(AnswerRefused, match="shadow-often"):
        tried(file)


def test_callers_come_first(tmp_path):
    config = with_console(expecting(tmp_path, more="timeout: 2s, max_in_flight: 1").file)[0]
    with opened(config) as app:
        call(app)
        (one,) = tried(config.file)["unknown"]
    assert (one["caller"], one["why"]) == ("…567", "no-room")


def test_a_reload_in_the_meantime_ends_nothing_that_calls_still_need(service, monkeypatch):
    """The sources that both have are closed by who was in force, once its last call has left."""
    app, file = service
    bridge = app.extensions["omi_bridge"]
    before, closed = bridge.service, []
    monkeypatch.setattr(KnownCrm, "close", lambda _crm: closed.append("crm"))
    with bridge.candidate(load_config(file)) as candidate:
        assert candidate.guards["crm"] is before.guards["crm"]
        change(file, "timeout: 2s", "timeout: 3s, hangs: false")
        assert reload(bridge)
    assert closed == []
    assert call(app).data == b"101"


def test_who_has_no_console_holds_no_callers(tmp_path):
    with opened(expecting(tmp_path)) as app:
        call(app)
        assert app.extensions["omi_bridge"].recent.newest() == []
