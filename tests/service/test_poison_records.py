"""Customers whom the CRM answers in no usable way: however often they call, the next customer is answered."""

from contextlib import contextmanager

from tests.support.crm import Crm, Says
from tests.support.service import RunningService

CONFIG = """
api_keys: [change-me]
connectors:
  crm:
    type: rest
    base_url: {url}
    max_requests: 3
    steps:
      - path: contacts
        query: {{phone: "{{{{ caller.national }}}}", page: "{{{{ page }}}}"}}
        records: data
        match: phone
        pages: {{more: more}}
        take: {{email: owner.email}}
extensions: {{inline: {{lan@congty.example: 101}}}}
"""


def record(phone: str) -> dict[str, object]:
    return {"phone": phone, "owner": {"email": "lan@congty.example"}}


POISON = {
    "0901234501": Says(raw=b'{"data": [{"phone": "0901234501", "owner": {"email": "L\xe2n"}}]}'),
    "0901234502": Says(status=400),
    "0901234503": Says(status=500),
    "0901234504": Says(status=403),
    "0901234505": {"data": [record("0901234505")] * 1001, "more": False},
    "0901234506": {"data": [{"telephone": "0901234506"}], "more": False},
    "0901234507": Says(raw=b"<html>Server Error in '/' Application.</html>"),
    "0901234508": {"data": [record("0901234508")], "more": True},
    "0901234509": Says({"message": "Timeout expired"}, status=504),
}


def answered(asked):
    phone = dict(asked.query)["phone"]
    return POISON.get(phone, {"data": [record(phone)], "more": False})


@contextmanager
def running(tmp_path):
    with Crm({"contacts": answered}) as crm:
        config = tmp_path / "config.yaml"
        config.write_text(CONFIG.format(url=crm.url), encoding="utf-8")
        with RunningService(config) as service:
            yield service


def outcome(service: RunningService, phone: str) -> str | None:
    return service.ask(phone).headers["X-Bridge-Outcome"]


def test_however_often_one_of_them_calls_the_next_customer_is_answered(tmp_path):
    with running(tmp_path) as service:
        for number, phone in enumerate(POISON):
            assert [outcome(service, phone) for _ in range(12)] == ["unavailable"] * 12
            assert service.ask(f"091200000{number}").body == b"101"
        assert not [line for line in service.log if "left alone" in line]


def test_even_if_all_of_them_call_the_next_customers_are_answered(tmp_path):
    with running(tmp_path) as service:
        assert outcome(service, "0912000001") == "found"
        for _ in range(3):
            assert {outcome(service, phone) for phone in POISON} == {"unavailable"}
        assert [service.ask(f"091200000{number}").body for number in range(2, 5)] == [b"101"] * 3


def test_even_if_they_are_the_first_of_all_to_call_the_next_customers_are_answered_soon(tmp_path):
    with running(tmp_path) as service:
        assert {outcome(service, phone) for phone in POISON} == {"unavailable"}
        assert service.ask_until("0912000002", b"101").body == b"101"
        assert [service.ask(f"091200000{number}").body for number in range(3, 5)] == [b"101"] * 2
