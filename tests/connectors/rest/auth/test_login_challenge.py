"""A sign-in in two requests: the CRM's challenge first, then the answer to it."""

import hashlib
from typing import Any

import pytest

from bridge.sdk import Owner, SourceError, SourceRejected, SourceUnavailable, UnexpectedAnswer
from tests.support.crm import Crm, Question, Says, in_turn, owners

TEXT = """
settings: {user: lan}
secrets: {key: planted-key}
auth:
  type: login
  challenge:
    path: challenge
    query: {user: "{{ settings.user }}"}
    headers: {X-Key: "{{ secrets.key }}"}
    error_when: "success == `false`"
    error_message: error.message
    take: {token: result.token}
  request:
    path: login
    error_when: "success == `false`"
    error_message: error.message
    form: {user: "{{ settings.user }}", key: "{{ (challenge.token ~ secrets.key) | md5 }}"}
  take: {session: result.session}
  query: {session: "{{ login.session }}"}
  expired_when: error == 'INVALID_SESSION'
steps:
  - path: contacts
    query: {phone: "{{ caller.nsn }}"}
    records: result
    match: phone
    take: {owner_id: owner}
"""
CONTACTS = {"error": None, "result": [{"phone": "0901234567", "owner": "19x7"}]}


def paths(crm: Crm) -> list[str]:
    return [question.path.removeprefix("/api/") for question in crm.asked]


def key(token: str) -> str:
    return hashlib.md5(f"{token}planted-key".encode(), usedforsecurity=False).hexdigest()


def test_the_login_answers_the_challenge() -> None:
    scripts = {"challenge": {"result": {"token": "c1"}}, "login": {"result": {"session": "s1"}}, "contacts": CONTACTS}
    with Crm(scripts) as crm:
        assert owners(crm, TEXT) == [Owner("19x7")]
        challenge, login, contacts = crm.asked
    assert (challenge.method, challenge.query, challenge.headers["x-key"]) == ("GET", [("user", "lan")], "planted-key")
    assert (login.method, login.form) == ("POST", [("user", "lan"), ("key", key("c1"))])
    assert contacts.query == [("phone", "901234567"), ("session", "s1")]


def test_a_session_that_has_ended_begins_with_a_new_challenge() -> None:
    def contacts(question: Question) -> Any:
        return CONTACTS if ("session", "s2") in question.query else {"error": "INVALID_SESSION"}

    scripts = {
        "challenge": in_turn({"result": {"token": "c1"}}, {"result": {"token": "c2"}}),
        "login": in_turn({"result": {"session": "s1"}}, {"result": {"session": "s2"}}),
        "contacts": contacts,
    }
    with Crm(scripts) as crm:
        assert owners(crm, TEXT) == [Owner("19x7")]
        assert paths(crm) == ["challenge", "login", "contacts"] * 2
        assert crm.asked[4].form[1] == ("key", key("c2"))


@pytest.mark.parametrize(
    ("said", "error", "problem"),
    [
        ({"result": {"token": None}}, SourceRejected, "the challenge at .* yielded no token"),
        ({"result": None}, SourceRejected, "the challenge at .* yielded no token: are name and password right"),
        (
            {"result": {"challenge": "planted-key"}, "ok": True},
            SourceRejected,
            r"no token \(there is no `result.token`; the fields that came are: result, ok; .* ends: challenge\)",
        ),
        (Says({"planted-key": 1}, status=404), SourceRejected, "answered 404"),
        (Says({}, status=403), SourceRejected, "answered 403"),
        (Says({}, status=503), SourceUnavailable, "answered 503"),
        (Says(raw=b"<html>planted-key"), UnexpectedAnswer, "an HTML page"),
    ],
)
def test_without_a_challenge_nobody_signs_in(said: Any, error: type[SourceError], problem: str) -> None:
    with Crm({"challenge": said, "login": {"result": {"session": "s1"}}}) as crm:
        with pytest.raises(error, match=problem) as caught:
            owners(crm, TEXT)
        assert paths(crm) == ["challenge"]
    assert "planted" not in str(caught.value)


@pytest.mark.parametrize("at", ["challenge", "login"])
@pytest.mark.parametrize("status", [200, 400, 503])
def test_an_error_in_the_answer_to_a_sign_in_is_told_in_the_crms_words(at: str, status: int) -> None:
    said = Says({"success": False, "error": {"message": "no database planted-key"}}, status=status)
    scripts = {"challenge": {"result": {"token": "c1"}}, "login": {"result": {"session": "s1"}}, at: said}
    expected = SourceUnavailable if status == 503 else SourceRejected
    with Crm(scripts) as crm, pytest.raises(expected, match=r" \(no database •••\)$") as caught:
        owners(crm, TEXT)
    assert "planted" not in str(caught.value)


@pytest.mark.parametrize("at", ["challenge", "login"])
@pytest.mark.parametrize("status", [200, 403])
def test_an_outage_that_a_sign_in_tells_is_an_outage_whatever_its_status(at: str, status: int) -> None:
    said = Says({"success": False, "error": {"message": "database down"}}, status=status)
    scripts = {"challenge": {"result": {"token": "c1"}}, "login": {"result": {"session": "s1"}}, at: said}
    text = TEXT.replace("    error_when:", "    busy_when: error.message == 'database down'\n    error_when:")
    with Crm(scripts) as crm, pytest.raises(SourceUnavailable, match=r"try again later \(database down\)$"):
        owners(crm, text)
