"""The list of users: read ahead of any call, and what it means for the owners that the steps find."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bridge.sdk import (
    Call,
    Deadline,
    Owner,
    PhoneNumber,
    SourceError,
    SourceRejected,
    SourceUnavailable,
    UnexpectedAnswer,
)
from bridge.storage.machine import MachineMemory
from bridge.storage.shared.machine_namespace import MachineNamespace
from connectors.rest.connector import RestConnector
from connectors.rest.user_list import UserList
from tests.support.crm import Crm, Question, Says, config, in_turn
from tests.support.fakes import FakeClock

TEXT = """
users:
  path: owners
  query: {limit: 100, after: "{{ page }}"}
  pages: {next: next}
  records: results
  where: active
  take: {owner_id: id, email: email, name: name}
steps:
  - path: contacts
    query: {phone: "{{ caller.nsn }}"}
    match: phone
    take: {owner_id: owner}
"""

LAN = {"id": 7, "email": "lan@congty.example", "name": "Lan", "active": True}
MINH = {"id": "8", "email": "minh@congty.example", "name": "Minh", "active": True}
GONE = {"id": 9, "email": "hoa@congty.example", "name": "Hoa", "active": False}


def listed(*users: object, after: object = None) -> dict[str, object]:
    return {"results": list(users), "next": after}


def owned_by(*ids: object) -> list[dict[str, object]]:
    return [{"phone": "0901234567", "owner": owner_id} for owner_id in ids]


@contextmanager
def opened(crm: Crm, text: str = TEXT) -> Iterator[RestConnector]:
    connector = RestConnector(config(text, crm.url))
    try:
        connector.open()
        yield connector
    finally:
        connector.close()


def ask(connector: RestConnector) -> list[Owner]:
    return list(connector.find_owners(Call(PhoneNumber.parse("0901234567")), Deadline.after(5)))


def told(connector: RestConnector) -> list[str]:
    lines: list[str] = []
    connector.find_owners(Call(PhoneNumber.parse("0901234567"), None, lines.append), Deadline.after(5))
    return lines


def paths(crm: Crm) -> list[str]:
    return [question.path.removeprefix("/api/") for question in crm.asked]


def test_a_call_is_one_request_and_the_list_completes_its_owner() -> None:
    with Crm({"owners": listed(LAN, MINH), "contacts": owned_by("7", 8)}) as crm, opened(crm) as connector:
        assert paths(crm) == ["owners"]
        assert ask(connector) == [
            Owner("7", "lan@congty.example", name="Lan"),
            Owner("8", "minh@congty.example", name="Minh"),
        ]
        assert paths(crm) == ["owners", "contacts"]


def test_every_page_of_the_list_is_read() -> None:
    said = in_turn(listed(LAN, after="x"), listed(MINH))
    with Crm({"owners": said, "contacts": owned_by(8)}) as crm, opened(crm) as connector:
        assert [owner.id for owner in ask(connector)] == ["8"]
        assert [dict(question.query).get("after") for question in crm.asked[:2]] == [None, "x"]


def test_whoever_is_not_in_the_list_or_has_left_does_not_count() -> None:
    with Crm({"owners": listed(LAN, GONE), "contacts": owned_by(9, 7, 55)}) as crm, opened(crm) as connector:
        assert [owner.id for owner in ask(connector)] == ["7"]
        crm.scripts["contacts"] = owned_by(9)
        assert ask(connector) == []


def test_what_the_row_itself_holds_wins() -> None:
    text = TEXT.replace("take: {owner_id: owner}", "take: {owner_id: owner, email: mail, name: name}")
    contact = {"phone": "0901234567", "owner": 7, "mail": "cskh@congty.example", "name": None}
    with Crm({"owners": listed(LAN), "contacts": [contact]}) as crm, opened(crm, text) as connector:
        assert ask(connector) == [Owner("7", "cskh@congty.example", name="Lan")]


def test_a_row_without_an_owners_id_is_left_as_it_is() -> None:
    text = TEXT.replace("take: {owner_id: owner}", "take: {owner_id: owner, email: mail}")
    contact = {"phone": "0901234567", "owner": None, "mail": "lan@congty.example"}
    with Crm({"owners": listed(LAN), "contacts": [contact]}) as crm, opened(crm, text) as connector:
        assert ask(connector) == [Owner(email="lan@congty.example")]


def test_several_entries_of_one_user_all_count() -> None:
    text = TEXT.replace("email: email, name: name", "extension: lines")
    entry = {"id": 7, "lines": ["101", "102"], "active": True}
    with Crm({"owners": listed(entry), "contacts": owned_by(7)}) as crm, opened(crm, text) as connector:
        assert [owner.extension for owner in ask(connector)] == ["101", "102"]


def test_an_entry_without_an_id_names_nobody() -> None:
    with Crm({"owners": listed({**LAN, "id": None}, MINH)}) as crm, opened(crm) as connector:
        assert [owner.id for owner in connector.owners_known()] == ["8"]


def test_the_explanation_tells_of_the_list_once_and_of_each_owner() -> None:
    with Crm({"owners": listed(LAN), "contacts": owned_by(7, 9)}) as crm, opened(crm) as connector:
        lines = told(connector)
        assert lines[-4].startswith("users: 1 in the list, read ")
        assert lines[-3:] == [
            "owner_id 7: email = 'lan@congty.example' (users)",
            "owner_id 7: name = 'Lan' (users)",
            "owner_id 9 does not count: it is not among the users",
        ]
        crm.scripts["contacts"] = []
        assert not [line for line in told(connector) if line.startswith("users")]


@pytest.mark.parametrize(
    ("said", "error", "problem"),
    [
        (Says({}, status=503), SourceUnavailable, "users: .* answered 503"),
        (Says({}, status=403), SourceRejected, "users: .* answered 403"),
        ({"result": []}, UnexpectedAnswer, "users: records: there is no `results`"),
        (listed({"id": 7}), UnexpectedAnswer, "users: where: there is no `active`"),
        (listed(), UnexpectedAnswer, "users: there is nobody in the list: may the credentials read users"),
        (listed(GONE), UnexpectedAnswer, "users: there is nobody in the list"),
        (listed(*[LAN] * 10_001), UnexpectedAnswer, "more than 10000 records"),
    ],
)
def test_without_a_list_the_connector_does_not_open(said: Any, error: type[Exception], problem: str) -> None:
    with Crm({"owners": said, "contacts": owned_by(7)}) as crm:
        connector = RestConnector(config(TEXT, crm.url))
        with pytest.raises(error, match=problem):
            connector.open()
        assert connector.report() == ["users: not read yet"]
        with pytest.raises(SourceUnavailable, match="has not been read yet"):
            ask(connector)
        crm.scripts["owners"] = listed(LAN)
        connector.open()
        assert [owner.id for owner in ask(connector)] == ["7"]
        connector.close()


def test_an_outage_that_the_list_tells_with_status_200_is_an_outage() -> None:
    text = TEXT.replace(
        "  records: results", "  busy_when: error == 'database down'\n  error_when: error\n  records: results"
    )
    with Crm({"owners": {"error": "database down"}}) as crm:
        with pytest.raises(SourceUnavailable, match=r"users: .* asks to try again later"), opened(crm, text):
            pass
        crm.scripts["owners"] = {"error": "no such table"}
        with pytest.raises(SourceRejected, match="the answer is an error"), opened(crm, text):
            pass


def test_pages_of_users_are_bounded() -> None:
    text = TEXT.replace("pages: {next: next}", "pages: {more: results}")
    with Crm({"owners": listed(LAN)}) as crm:
        with pytest.raises(UnexpectedAnswer, match="users: more than 100 pages would be needed"), opened(crm, text):
            pass
        assert len(crm.asked) == 100


def test_reading_the_list_leaves_half_of_max_rate_to_calls() -> None:
    text = "max_rate: 4/h\n" + TEXT.replace("users:\n", "users:\n  timeout: 5s\n")
    said = in_turn(listed(LAN, after="x"), listed(MINH))
    with Crm({"owners": said, "contacts": owned_by(8)}) as crm, opened(crm, text) as connector:
        assert [owner.id for owner in ask(connector)] == ["8"]
        assert [owner.id for owner in ask(connector)] == ["8"]
    with (
        Crm({"owners": in_turn(*[listed(LAN, after=page) for page in "xy"], listed(MINH))}) as crm,
        pytest.raises(SourceUnavailable, match=r"users: .* max_rate"),
        opened(crm, text),
    ):
        pass


def test_reading_the_list_has_a_time_limit() -> None:
    gate = threading.Event()
    text = TEXT.replace("users:\n", "users:\n  timeout: 100ms\n")
    with Crm({"owners": lambda _: gate.wait(10)}) as crm:
        with pytest.raises(SourceUnavailable), opened(crm, text):
            pass
        gate.set()


@pytest.mark.parametrize("key", ["error_when", "busy_when"])
def test_what_an_answer_means_is_judged_as_in_a_step(key: str) -> None:
    text = TEXT.replace("users:\n", f"users:\n  {key}: error\n  error_message: error\n")
    with Crm({"owners": {"error": "too many"}}) as crm:
        expected = SourceRejected if key == "error_when" else SourceUnavailable
        with pytest.raises(expected, match=r"\(too many\)"), opened(crm, text):
            pass


SIGNING_IN = """
secrets: {key: planted-key}
auth:
  type: login
  request: {path: login, json: {key: "{{ secrets.key }}"}}
  take: {token: token}
  headers: {Authorization: "Bearer {{ login.token }}"}
"""


def test_a_session_that_has_ended_is_renewed_for_the_list_too() -> None:
    def answer(question: Question) -> Any:
        return listed(LAN) if question.headers["authorization"] == "Bearer two" else Says({}, status=401)

    logins = in_turn({"token": "one"}, {"token": "two"})
    with Crm({"login": logins, "owners": answer}) as crm, opened(crm, SIGNING_IN + TEXT):
        assert paths(crm) == ["login", "owners", "login", "owners"]


def test_the_list_knows_settings_secrets_and_the_login() -> None:
    text = "settings: {team: a b}\n" + SIGNING_IN.lstrip() + TEXT.lstrip()
    text = text.replace("limit: 100", 'team: "{{ settings.team }}", k: "{{ secrets.key }}", t: "{{ login.token }}"')
    with Crm({"login": {"token": "tok"}, "owners": listed(LAN)}) as crm, opened(crm, text):
        assert crm.asked[1].query == [("team", "a b"), ("k", "planted-key"), ("t", "tok")]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"error": "bad planted-key and planted-token", "results": []}, r"error \(bad ••• and •••\)$"),
        ({"error": None, "planted-key": []}, "the fields that came are: error, •••$"),
    ],
)
def test_no_secret_is_in_what_is_told_about_the_list(said: object, told: str) -> None:
    text = SIGNING_IN + TEXT.replace("users:\n", "users:\n  error_when: error\n  error_message: error\n")
    with (
        Crm({"login": {"token": "planted-token"}, "owners": said}) as crm,
        pytest.raises(SourceError, match=f"^users: .*{told}"),
        opened(crm, text),
    ):
        pass


class Heard(logging.Handler):
    """Tells when a line is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.line = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:  # noqa: ARG002 - the standard library's
        self.line.set()


def test_the_list_is_read_again_in_the_background_and_its_trouble_is_told() -> None:
    heard = Heard()
    log = logging.getLogger("connectors.rest.user_list")
    log.addHandler(heard)
    said = in_turn(listed(LAN), listed(LAN), listed(MINH), Says({}, status=500))
    text = TEXT.replace("users:\n", "users:\n  refresh: 10ms\n")
    with Crm({"owners": said, "contacts": owned_by(8)}) as crm, opened(crm, text) as connector:
        assert heard.line.wait(10)
        assert connector.trouble() == f"users: {crm.host} answered 500"
        assert [owner.id for owner in ask(connector)] == ["8"]
    log.removeHandler(heard)


def test_check_is_told_how_many_users_there_are_and_who() -> None:
    with Crm({"owners": listed(LAN, MINH, GONE)}) as crm, opened(crm) as connector:
        assert connector.report()[0].startswith("users: 2 in the list, read ")
        assert connector.owners_known() == (
            Owner("7", "lan@congty.example", name="Lan"),
            Owner("8", "minh@congty.example", name="Minh"),
        )


def test_without_users_nothing_is_read_and_nobody_is_known() -> None:
    before = threading.active_count()
    text = TEXT[TEXT.index("steps:") :]
    with Crm({"contacts": owned_by(7)}) as crm:
        served = threading.active_count()
        with opened(crm, text) as connector:
            assert threading.active_count() == served > before
            assert crm.asked == []
            assert (connector.owners_known(), connector.report(), connector.trouble()) == ((), (), "")
            assert ask(connector) == [Owner("7")]


def test_closing_ends_the_reading() -> None:
    with Crm({"owners": listed(LAN)}) as crm:
        with opened(crm):
            assert [thread for thread in threading.enumerate() if thread.name == "users"]
        assert not [thread for thread in threading.enumerate() if thread.name == "users"]


def test_a_customer_of_whom_the_list_was_never_read_is_a_failure_and_never_nobody() -> None:
    with Crm({"contacts": owned_by(7)}) as crm:
        connector = RestConnector(config(TEXT, crm.url))
        with pytest.raises(SourceError):
            ask(connector)
        connector.close()


def test_a_name_that_two_users_have_is_neithers() -> None:
    other = LAN | {"id": 10, "email": "lan2@congty.example", "name": "LAN"}
    with Crm({"owners": listed(LAN, MINH, other), "contacts": owned_by(7, 8, 10)}) as crm, opened(crm) as connector:
        assert ask(connector) == [
            Owner(id="7", email="lan@congty.example"),
            Owner(id="8", email="minh@congty.example", name="Minh"),
            Owner(id="10", email="lan2@congty.example"),
        ]
        assert "users: several users have the same name, which leads to nobody for that" in told(connector)
        assert [owner.name for owner in connector.owners_known()] == ["Lan", "Minh", "LAN"]


def test_a_name_in_the_customers_record_is_nobodys_either_if_two_users_have_it() -> None:
    text = TEXT.replace("take: {owner_id: owner}", "take: {owner_id: owner, name: owner_name}")
    contact = owned_by(7)[0] | {"owner_name": "lan"}
    with Crm({"owners": listed(LAN, LAN | {"id": 10}), "contacts": [contact]}) as crm, opened(crm, text) as connector:
        assert ask(connector) == [Owner(id="7", email="lan@congty.example")]


@pytest.mark.parametrize(
    ("written", "known"), [("NV\u200b7", True), ("ＮＶ7", True), (" NV7\u00a0", True), ("nv7", False)]
)
def test_an_id_is_one_in_record_and_list_however_it_was_typed(written: str, known: bool) -> None:
    with Crm({"owners": listed(LAN | {"id": "NV7"}), "contacts": owned_by(written)}) as crm, opened(crm) as connector:
        assert [owner.email for owner in ask(connector)] == ["lan@congty.example"] * known


class SharedReading:
    """What the CRM says of its users to two processes of a machine, each reading taking five seconds."""

    def __init__(self, *ids: int) -> None:
        self.ids, self.readings, self.clock = list(ids), 0, FakeClock()
        self._memory = MachineMemory.make()

    def __call__(self) -> list[dict[str, str | int | None]]:
        self.readings += 1
        self.clock.advance(5)
        return [{"owner_id": at, "email": f"nv{at}@congty.example"} for at in self.ids]

    def process(self) -> UserList:
        users = UserList(self, 3600.0, self.clock)
        users.share(MachineNamespace(self._memory, "crm", "crm", self.clock))
        return users


def test_a_list_that_is_read_before_its_time_is_a_new_one_and_the_other_process_has_it_too() -> None:
    reading = SharedReading(7)
    ours, theirs = reading.process(), reading.process()
    for users in (ours, theirs):
        users.update()
    assert reading.readings == 1
    reading.clock.advance(100)
    reading.ids.append(8)
    for users in (ours, theirs):
        users.update()
        assert [row["email"] for row in users.of("8")] == ["nv8@congty.example"]
    assert reading.readings == 2


def test_half_a_list_is_not_believed_because_the_same_reading_says_so_again() -> None:
    reading = SharedReading(*range(40))
    users = reading.process()
    users.update()
    reading.clock.advance(100)
    reading.ids[10:] = []
    users.update()
    assert users.trouble
    assert users.of("39")
    readings = reading.readings
    reading.clock.advance(100)
    users.update()
    assert reading.readings == readings + 1
