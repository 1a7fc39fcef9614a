"""An answer of a CRM that is not whole, in a route: whoever is known in time rings, and nothing of it is remembered."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bridge.config.loading import load_config
from bridge.lookup.decision import Decision
from bridge.sdk import Deadline
from bridge.service import Service
from tests.support.crm import Crm, Question, Says

CONFIG = """
api_keys: [key]
connectors:
  crm:
    type: rest
    base_url: URL
    users: {path: users, where: active, take: {owner_id: id, email: mail}}
    steps:
      - path: contacts
        query: {phone: "{{ caller.nsn }}"}
        match: phone
        take: {contact: id}
      - path: "contacts/{{ contact }}"
        take: {owner_id: owner}
  customers: {type: csv, path: customers.csv}
extensions: {inline: {lan@congty.example: 101, minh@congty.example: 102, huong@congty.example: 103}}
"""
USERS = [
    {"id": 1, "mail": "lan@congty.example", "active": True},
    {"id": 2, "mail": "minh@congty.example", "active": True},
    {"id": 3, "mail": "nghi@congty.example", "active": False},
    {"id": 4, "mail": "nghi@congty.example", "active": True},
]
CONTACTS = [{"phone": "0901234567", "id": at} for at in (1, 2)]


@contextmanager
def running(folder: Path, first: object, second: object) -> Iterator[Service]:
    (folder / "customers.csv").write_text("phone,email owner\n0901234567,huong@congty.example\n", encoding="utf-8")
    with Crm({"users": USERS, "contacts": CONTACTS, "contacts/1": first, "contacts/2": second}) as crm:
        (folder / "config.yaml").write_text(CONFIG.replace("URL", crm.url), encoding="utf-8")
        service = Service(load_config(folder / "config.yaml"))
        try:
            service.open(5.0)
            yield service
        finally:
            service.close()


def decide(service: Service, seconds: float = 5.0) -> Decision:
    return service.lookup.answer(["0901234567"], [], Deadline.after(seconds))


def rung(decision: Decision) -> tuple[str, str, str | None]:
    return decision.outcome.value, decision.body, decision.connector


def test_whoever_is_known_when_the_time_is_over_rings_and_all_of_them_for_the_next_call(tmp_path: Path) -> None:
    over = threading.Event()

    def late(_question: Question) -> object:
        over.wait(10)
        return {"owner": 1}

    with running(tmp_path, late, {"owner": 2}) as service:
        early = decide(service, 1.5)
        assert rung(early) == ("found", "102", "crm")
        assert early.reason == "partial: no answer in time"
        over.set()
        assert rung(decide(service)) == ("found", "101:102", "crm")
        assert decide(service).freshness == "cached"


def test_a_contact_that_cannot_be_read_does_not_lose_the_other_and_is_asked_for_again(tmp_path: Path) -> None:
    with running(tmp_path, {"owner": 1}, Says(status=500)) as service:
        for _ in range(2):
            decision = decide(service)
            assert rung(decision) == ("found", "101", "crm")
            assert decision.freshness == "live"
            assert "partial (step 2 (contacts/…): " in next(decision.because())


def test_a_contact_that_cannot_be_read_beside_one_without_an_owner_is_no_nobody(tmp_path: Path) -> None:
    with running(tmp_path, {"owner": None}, Says(status=500)) as service:
        decision = decide(service)
        assert rung(decision) == ("found", "103", "customers")
        assert str(decision.attempts[0]).startswith("crm: unavailable: ")


def test_an_owner_who_has_left_lets_the_next_connector_answer(tmp_path: Path) -> None:
    with running(tmp_path, {"owner": 3}, {"owner": 3}) as service:
        assert rung(decide(service)) == ("found", "103", "customers")


def test_an_owner_without_an_extension_is_an_owner_and_no_other_connector_answers(tmp_path: Path) -> None:
    with running(tmp_path, {"owner": 4}, {"owner": 4}) as service:
        assert rung(decide(service)) == ("unmapped", "", "crm")
