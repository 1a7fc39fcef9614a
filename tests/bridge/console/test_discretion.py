"""What no page of the console shows, whatever sources say and wherever a secret stands: the real service behind it."""

from functools import partial

import pytest

from bridge.console.app import create_app
from bridge.insight.client import ask_service
from bridge.testing import FakeCrm
from tests.bridge.console.test_console import LOCAL, PAGES, Seen, post, signed_in
from tests.support.application import opened
from tests.support.consoled import with_console

MARKUP = "<script>alert(1)</script><img src=x onerror=alert(1)>"
NUMBERS = ("0987654321", "84911222333", "987 654 321")
HOSTILE = f"{MARKUP} for kh0987654321, %2B84911222333 and 0987\xa0654\xa0321"
CONFIG = """
api_keys: [planted-api-key-1]
purge_keys: [planted-purge-key]
connectors:
  crm:
    type: rest
    base_url: {url}
    auth: {{type: bearer, token: planted-token-1}}
    headers: {{X-Tenant: planted-header-1}}
    steps:
      - path: search
        query: {{phone: "{{{{ caller.e164 }}}}", apikey: planted-query-1}}
        error_when: error
        error_message: error
        records: items
        record: id
        match: phone
        take: {{owner_id: owner, name: name}}
  db:
    type: sql
    url: postgresql://user:planted-password@127.0.0.1:1/db?options=planted-option-1
    query: SELECT owner_id, phone FROM customers WHERE phone = :e164
extensions:
  inline: {{"{markup}": 103}}
alerts:
  webhook: {{url: "https://127.0.0.1:1/planted-webhook-1", headers: {{X: planted-header-2}}}}
# planted-comment-1
"""


def answer(request):
    """Know a customer with a hostile name and another one with another's numbers; refuse the third in such words."""
    phone = request.query["phone"]
    if phone.endswith("1"):
        return {"items": [{"phone": phone, "id": MARKUP, "owner": 7, "name": HOSTILE}]}
    if phone.endswith("2"):
        return {"items": [{"phone": "0987654321", "id": 1, "owner": HOSTILE}, {"phone": phone, "owner": HOSTILE}]}
    return {"error": f"{HOSTILE} key=planted-token-1 planted-query-1"}


CHANGES = {
    "valid": lambda text: text,
    "misspelt": lambda text: text.replace("purge_keys: [", "purge_kyes: [planted-new-key-1, "),
    "no YAML": lambda text: f"broken: [\n{text}",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_no_page_shows_a_secret_or_a_number_or_runs_what_a_source_says(tmp_path, caplog, change):
    caplog.set_level("INFO")
    with FakeCrm(answer) as crm:
        file = tmp_path / "config.yaml"
        file.write_text(CONFIG.format(url=crm.url, markup=MARKUP), encoding="utf-8")
        config, settings = with_console(file)
        with opened(config) as service:
            for last in "123":
                ask, headers = {"phoneNumber": f"090123456{last}"}, {"X-API-KEY": "planted-api-key-1"}
                service.test_client().get("/get_owner_contact_by_phone", query_string=ask, headers=headers)
            file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")
            client = signed_in(create_app(settings, partial(ask_service, file)).test_client())
            answers = [post(client, "/", {"number": f"090123456{last}"}) for last in "123"]
            service.extensions["omi_bridge"].decisions.close()
            answers += [client.get(path, **LOCAL) for path in PAGES]
            answers.append(post(client, "/calls", {"owner": "kh"}))
            told = service.test_client().get("/healthz").get_data(as_text=True)
    pages = [one.get_data(as_text=True) for one in answers]
    assert {one.status_code for one in answers} == {200}
    assert any("kh…321" in page for page in pages)
    for page in pages:
        seen = Seen()
        seen.feed(page)
        assert {"img", "b"}.isdisjoint(tag for tag, _ in seen.tags)
        assert [name for name, _ in seen.attributes if name.startswith("on")] == []
    for text in (*pages, told):
        assert "planted" not in text
        assert [number for number in NUMBERS if number in text.replace("\xa0", " ").replace("\\xa0", " ")] == []
    assert "planted" not in "".join(one.getMessage() for one in caplog.records if one.name.startswith("bridge.console"))
