"""`POST /owner_changed`: who may, what is read of the bodies that CRMs send, and what comes back."""

import logging

import pytest
from flask import Flask

from bridge.config.loading import load_config
from bridge.testing import FakeCrm
from bridge.web.purge import PURGES_A_SECOND
from tests.support.application import opened
from tests.support.kept import until
from tests.support.purged import STEPS

CONFIG = (
    """
api_keys: [change-me]
purge_keys: [planted-purge-key, the-next-one]
"""
    + STEPS
)
CALLER, OTHER = "+84901234567", "+84912345678"
KEY = "planted-purge-key"


class Source:
    """Who owns whom; a test changes it, and sees what was asked."""

    def __init__(self) -> None:
        self.items = {CALLER: {"id": 42, "owner": 7}, OTHER: {"id": "ab-43", "owner": 7}}
        self.asked: list[str] = []

    def __call__(self, request):
        phone = request.query["phone"]
        self.asked.append(phone)
        item = self.items.get(phone)
        return {"items": [{"phone": phone, **item}] if item else []}


@pytest.fixture
def source():
    return Source()


@pytest.fixture
def app(tmp_path, source):
    with FakeCrm(source) as crm:
        file = tmp_path / "config.yaml"
        file.write_text(CONFIG.format(url=crm.url), encoding="utf-8")
        with opened(load_config(file, {})) as made:
            yield made


def ask(app: Flask, caller: str = CALLER) -> tuple[str, str]:
    headers = {"X-API-KEY": "change-me"}
    reply = app.test_client().get("/get_owner_contact_by_phone", query_string={"phoneNumber": caller}, headers=headers)
    return reply.text, reply.headers.get("X-Bridge-Answer", "")


def purge(app: Flask, query: str = f"key={KEY}", **more):
    return app.test_client().post(f"/owner_changed?{query}", **more)


BITRIX24 = (
    "event=ONCRMCONTACTUPDATE&event_handler_id=3&data%5BFIELDS%5D%5BID%5D=42&ts=1736405807"
    "&auth%5Bdomain%5D=congty.bitrix24.example&auth%5Bapplication_token%5D=planted-token-of-bitrix"
)
HUBSPOT = [
    {
        "eventId": 100,
        "subscriptionId": 200,
        "portalId": 300,
        "occurredAt": 1736405807000,
        "subscriptionType": "contact.propertyChange",
        "attemptNumber": 0,
        "objectId": 42,
        "propertyName": "hubspot_owner_id",
        "propertyValue": "8",
    }
]
ODOO = {"_action": "Owner changed(#12)", "_id": 42, "_model": "res.partner", "id": 42, "user_id": 8}
ESPOCRM = [{"id": "42", "assignedUserId": "8"}, {"id": "99"}]
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("query", "body", "forgotten"),
    [
        ("", {"data": BITRIX24, "content_type": FORM}, {"numbers": 0, "owners": 0, "records": 1}),
        ("", {"json": HUBSPOT}, {"numbers": 0, "owners": 0, "records": 1}),
        ("", {"json": ODOO}, {"numbers": 0, "owners": 0, "records": 1}),
        ("", {"json": ESPOCRM}, {"numbers": 0, "owners": 0, "records": 2}),
        ("", {"json": {"phone": "0901 234 567"}}, {"numbers": 1, "owners": 0, "records": 0}),
        (
            "",
            {"json": {"phone": ["0901234567", "+84 90 123 45 67", "no number"]}},
            {"numbers": 1, "owners": 0, "records": 0},
        ),
        (
            "",
            {"data": '\ufeff{"phone": "0901234567"}'.encode(), "content_type": "application/json"},
            {"numbers": 1, "owners": 0, "records": 0},
        ),
        (
            "",
            {"data": '{"phone": "0901234567"}'.encode("utf-16"), "content_type": "application/json"},
            {"numbers": 1, "owners": 0, "records": 0},
        ),
        ("", {"data": "phone=0901234567", "content_type": "text/plain"}, {"numbers": 1, "owners": 0, "records": 0}),
        ("", {"json": {"owner": 7}}, {"numbers": 0, "owners": 1, "records": 0}),
        ("&record=42&owner=8", {}, {"numbers": 0, "owners": 1, "records": 1}),
        ("&phone=%2B84901234567", {}, {"numbers": 1, "owners": 0, "records": 0}),
        (
            "&record_in=meta.entity",
            {"json": {"meta": {"entity": 42}, "id": "of the event"}},
            {"numbers": 0, "owners": 0, "records": 1},
        ),
        (
            "&record_in=contacts.update.*.id",
            {"data": "contacts[update][0][id]=42&contacts[update][1][id]=43&account[id]=1", "content_type": FORM},
            {"numbers": 0, "owners": 0, "records": 2},
        ),
    ],
)
def test_the_next_call_hears_what_the_crm_says_by_now(app, source, query, body, forgotten) -> None:
    assert [ask(app), ask(app)] == [("101", "live"), ("101", "cached")]
    source.items[CALLER] = {"id": 42, "owner": 8}
    reply = purge(app, f"key={KEY}{query}", **body)
    assert (reply.status_code, reply.json) == (200, {"forgotten": forgotten})
    assert [ask(app), ask(app)] == [("102", "live"), ("102", "cached")]
    assert purge(app, f"key={KEY}{query}", **body).json == reply.json


def test_what_is_not_named_stays(app) -> None:
    ask(app), ask(app, OTHER)
    assert purge(app, f"key={KEY}&record=42").status_code == 200
    assert (ask(app, OTHER), ask(app)) == (("101", "cached"), ("101", "live"))


def test_a_new_record_ends_what_was_known_of_nobody(app, source) -> None:
    owner = source.items.pop(CALLER)
    assert [ask(app), ask(app)] == [("", "live"), ("", "cached")]
    source.items[CALLER] = owner
    purge(app, f"key={KEY}", json={"record": "42"})
    assert ask(app) == ("101", "live")


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("key=the-next-one", {}),
        ("", {"X-API-KEY": KEY}),
        ("key=wrong", {"X-API-KEY": "the-next-one"}),
    ],
)
def test_each_key_counts_in_the_header_or_in_the_address(app, query, headers) -> None:
    assert purge(app, query, headers=headers, json={"record": 1}).status_code == 200


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("", {}),
        ("key=", {}),
        ("key=wrong", {}),
        ("key=change-me", {}),
        ("", {"X-API-KEY": "change-me"}),
        ("key=%C3%A9", {}),
    ],
)
def test_without_a_key_of_its_own_nothing_is_forgotten_nor_read(app, query, headers) -> None:
    ask(app)
    reply = purge(app, query, headers=headers, json={"record": 42})
    assert (reply.status_code, ask(app)) == (401, ("101", "cached"))


def test_the_key_of_purges_asks_for_no_owner(app) -> None:
    reply = app.test_client().get("/get_owner_contact_by_phone?phoneNumber=0901234567", headers={"X-API-KEY": KEY})
    assert (reply.status_code, reply.data) == (401, b"")


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"json": {}}, 400, "neither phone nor owner nor record"),
        ({"json": {"record": None, "owner": True, "phone": {}}}, 400, "neither phone nor owner nor record"),
        ({"json": {"record": "x" * 201}}, 400, "neither phone nor owner nor record"),
        ({"json": {"phone": "none"}}, 400, "phone is no telephone number"),
        ({"json": [{"record": number} for number in range(1001)]}, 400, "more than 1000"),
        ({"data": b"{" * 9_000}, 400, "no JSON"),
        ({"data": b"[" * 200_000}, 400, "more than 10000 lists and objects"),
        ({"json": [{}] * 10_000}, 400, "more than 10000 lists and objects"),
        ({"data": b"[" * 500 + b"]" * 500}, 400, "neither phone nor owner nor record"),
        ({"data": b"a&" * 100_000}, 400, "fields"),
        ({"data": ("x" + "[a]" * 5000 + "=1&x=2").encode()}, 400, "neither phone nor owner nor record"),
        ({"data": b"\xff\xfe"}, 400, "neither phone nor owner nor record"),
        ({"data": b" " * 262_145}, 413, "too long"),
    ],
)
def test_what_names_nothing_or_too_much_is_told_in_words(app, body, status, error) -> None:
    reply = purge(app, **body)
    assert reply.status_code == status
    assert error in reply.json["error"]


def test_so_many_places_are_looked_at_and_no_more(app) -> None:
    places = [f"record_in={name}.*" for name in "abcdefghijk"]
    few, many = (f"key={KEY}&{'&'.join(some)}" for some in (places[:10], places))
    assert purge(app, few, json={"j": {"x": 42}}).json == {"forgotten": {"numbers": 0, "owners": 0, "records": 1}}
    reply = purge(app, many, json={"k": {"x": 42}})
    assert (reply.status_code, "more than 10 times" in reply.json["error"]) == (400, True)


def test_a_place_that_is_no_place_is_told(app) -> None:
    assert purge(app, f"key={KEY}&record_in={'a.' * 50}", json={}).status_code == 400


def test_other_methods_are_refused_and_the_address_is_off_without_keys(app, tmp_path) -> None:
    reply = app.test_client().get(f"/owner_changed?key={KEY}&record=42")
    assert (reply.status_code, reply.headers["Allow"]) == (405, "POST")
    file = tmp_path / "config.yaml"
    file.write_text(file.read_text().replace("purge_keys: [planted-purge-key, the-next-one]\n", ""), encoding="utf-8")
    with opened(load_config(file, {})) as off:
        assert purge(off, json={"record": 42}).status_code == 404


def test_the_log_has_no_number_and_no_key(app, caplog) -> None:
    caplog.set_level(logging.INFO)
    purge(app, f"key={KEY}&phone=0901234567&record=42", headers={"X-Request-ID": "from-the-crm"})
    purge(app, "key=planted-wrong-key&phone=0901234567")
    text = caplog.text
    assert "purged numbers=1 owners=0 records=1 callers=…567 unread=0 client=127.0.0.1" in text
    assert "purge refused: no key of purge_keys, from 127.0.0.1" in text
    assert not any(secret in text for secret in ("901234567", KEY, "planted-wrong-key"))


def test_more_than_so_many_a_second_are_told_when_to_come_again(app) -> None:
    bridge = app.extensions["omi_bridge"]
    for _ in range(PURGES_A_SECOND):
        bridge.purge_turns.note(0.0)
    reply = purge(app, json={"record": 42})
    assert (reply.status_code, reply.headers["Retry-After"]) == (429, "1")
    assert purge(app, "key=wrong").status_code == 401  # whoever has no key takes nobody's place
    assert b'omi_bridge_purges_total{result="busy"} 1.0' in app.test_client().get("/metrics").data


def test_a_purge_that_cannot_be_written_down_is_in_force_and_asked_for_again(app, tmp_path) -> None:
    ask(app)
    (tmp_path / "purged").mkdir()
    reply = purge(app, json={"record": 42})
    assert (reply.status_code, reply.headers["Retry-After"]) == (503, "1")
    assert ask(app)[1] == "live"
    assert "purge_keys" in app.test_client().get("/healthz").json["troubles"]
    (tmp_path / "purged").rmdir()
    assert purge(app, json={"record": 42}).status_code == 200
    assert "purge_keys" not in app.test_client().get("/healthz").json["troubles"]


LISTED = """
        match: phone
        take: {{owner_id: owner}}
    list: [{{like: 1, path: all, query: {{}}}}]
    snapshot: {{every: 10m}}
"""


def test_what_is_read_ahead_tells_whose_numbers_a_record_has(tmp_path) -> None:
    source = Source()

    def answer(request):
        if request.path.endswith("/all"):
            return {"items": [{"phone": phone, **item} for phone, item in source.items.items()]}
        return source(request)

    with FakeCrm(answer) as crm:
        file = tmp_path / "config.yaml"
        head = CONFIG.partition("        match: phone")[0]
        file.write_text((head + LISTED.lstrip("\n")).format(url=crm.url), encoding="utf-8")
        with opened(load_config(file, {})) as app:
            until(lambda: ask(app) == ("101", "snapshot"))
            source.asked.clear()
            source.items[CALLER] = {"id": 42, "owner": 8}
            purge(app, json={"record": 42})
            assert (ask(app), ask(app, OTHER)) == (("102", "live"), ("101", "snapshot"))
            assert source.asked == [CALLER]
