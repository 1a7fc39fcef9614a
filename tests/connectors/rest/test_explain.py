"""What `lookup --explain` tells about a lookup, and what it never shows."""

import re
import threading

import pytest

from bridge.sdk import Call, Deadline, PhoneNumber, Redaction, SourceError
from connectors.rest.connector import RestConnector
from connectors.rest.masking import Mask
from connectors.rest.templates.template import Template
from tests.support.crm import Crm, Says, config, in_turn, lookup, owners

TEXT = """
secrets: {hook: planted/the hook}
auth: {type: query, name: apiKey, value: planted-key}
headers: {X-Token: planted-header}
steps:
  - path: "{{ secrets.hook }}/contacts"
    query: {phone: "{{ form }}", session_id: planted-session}
    forms: [national, e164]
    records: results
    match: [phone, mobile]
    where: open
    take: {owner_id: owner.id, email: owner.email}
  - path: "users/{{ owner_id }}"
    take: {name: name}
"""


def test_each_request_each_record_and_each_value_is_explained() -> None:
    records = [
        {"phone": "0901234566", "mobile": None, "open": True, "owner": {"id": 5, "email": None}},
        {"phone": "0901234567", "mobile": "", "open": False, "owner": {"id": 6, "email": None}},
        {"phone": "0901234567", "mobile": "", "open": True, "owner": {"id": 7, "email": None}},
    ]
    answers = in_turn({"results": records[:1]}, {"results": records})
    with Crm({"planted%2Fthe%20hook/contacts": answers, "users/7": {"name": "Lan"}}) as crm:
        found = lookup(crm, TEXT)
        lines = [line.rpartition(" after ")[0] if line.endswith(" ms") else line for line in found.lines]
        first = "step 1 (…/contacts): "
        assert lines == [
            f"{first}GET {crm.url}/•••/contacts?phone=0901234567&session_id=•••&apiKey=•••",
            f"{first}200",
            f"{first}1 record(s)",
            f"{first}record 1 does not count: it does not hold the caller's number in phone, mobile (…566)",
            f"{first}GET {crm.url}/•••/contacts?phone=%2B84901234567&session_id=•••&apiKey=•••",
            f"{first}200",
            f"{first}3 record(s)",
            f"{first}record 1 does not count: it does not hold the caller's number in phone, mobile (…566)",
            f"{first}record 2: an item does not count, open does not hold",
            f"{first}record 3: owner_id = 7 (owner.id)",
            f"{first}record 3: email = None (owner.email)",
            f"step 2 (users/…): GET {crm.url}/users/7?apiKey=•••",
            "step 2 (users/…): 200",
            "step 2 (users/…): 1 record(s)",
            "step 2 (users/…): record 1: name = 'Lan' (name)",
        ]
        assert ("apiKey", "planted-key") in crm.asked[0].query


def test_a_customer_without_an_owner_is_explained() -> None:
    text = "steps: [{path: '{{ caller.nsn }}', match: phone, take: {owner_id: owner}}]"
    with Crm({"901234567": [{"phone": "0901234567", "owner": None}]}) as crm:
        assert lookup(crm, text).lines[-1] == "what was found has no owner who counts"


@pytest.mark.parametrize(
    "said", [{"error": "planted-key planted/the hook planted%2Fthe%20hook"}, Says(status=500), {"results": "planted"}]
)
def test_no_secret_is_in_an_error(said: object) -> None:
    text = TEXT.replace("records:", "error_when: error || ''\n    error_message: error\n    records:")
    with Crm({"planted%2Fthe%20hook/contacts": said}) as crm, pytest.raises(SourceError) as error:
        owners(crm, text)
    assert "planted" not in f"{error.value!r} {error.value.__cause__!r}"


def test_a_live_token_is_masked() -> None:
    text = """
    auth: {type: login, request: {path: login, json: {}}, take: {token: token}, query: {q: "{{ login.token }}"}}
    steps:
      - path: "by/{{ login.token }}"
        query: {n: "{{ caller.e164 }}"}
        match: exact
        error_when: error
        error_message: error
        take: {owner_id: id}
    """
    with Crm({"login": {"token": "planted-token"}, "by/planted-token": {"id": "planted-token", "error": None}}) as crm:
        assert "planted" not in "".join(lookup(crm, text).lines)
        crm.scripts["by/planted-token"] = {"error": "bad planted-token"}
        with pytest.raises(SourceError, match=r"\(bad •••\)"):
            owners(crm, text)


def test_opening_signs_in_ahead_of_the_first_call() -> None:
    text = """
    auth: {type: login, request: {path: login, json: {}}, take: {token: token}, headers: {A: "{{ login.token }}"}}
    steps: [{path: c, match: phone, take: {owner_id: id}}]
    """
    with Crm({"login": {"token": "t"}}) as crm:
        connector = RestConnector(config(text, crm.url))
        assert crm.asked == []
        connector.open()
        connector.close()
        assert [question.path for question in crm.asked] == ["/api/login"]


ONE_STEP = "steps: [{path: contacts, query: {phone: '{{ form }}'}, forms: [e164], match: phone, take: {owner_id: id}}]"


def explained(crm: Crm, text: str, seconds: float) -> list[str]:
    """Return the lines that are told about a lookup that fails."""
    lines: list[str] = []
    connector = RestConnector(config(text, crm.url))
    with pytest.raises(SourceError):
        connector.find_owners(Call(PhoneNumber.parse("0901234567"), None, lines.append), Deadline.after(seconds))
    connector.close()
    return lines


def test_a_request_without_an_answer_is_told_before_it_is_waited_for() -> None:
    gate = threading.Event()
    with Crm({"contacts": lambda _: gate.wait(10)}) as crm:
        lines = explained(crm, ONE_STEP, 0.2)
        gate.set()
        assert lines == [f"step 1 (contacts): GET {crm.url}/contacts?phone=%2B84901234567"]


def test_a_request_for_which_no_time_is_left_is_told() -> None:
    with Crm({}) as crm:
        told = f"step 1 (contacts): not asked, for no time is left: GET {crm.url}/contacts?phone=%2B84901234567"
        assert explained(crm, ONE_STEP, 0) == [told]
        assert crm.asked == []


def test_a_redirect_that_was_followed_is_told() -> None:
    there = Says(status=301, headers=(("Location", "/api/there?token=planted&phone=%2B84"),))
    with Crm({"contacts": there, "there": []}) as crm:
        lines = lookup(crm, ONE_STEP).lines
        assert f"step 1 (contacts): redirected to {crm.url}/there?token=•••&phone=%2B84" in lines


def test_a_key_that_the_query_carries_is_hidden_whatever_its_name_and_length() -> None:
    with Crm({"contacts": []}) as crm:
        line = lookup(crm, ONE_STEP + "\nauth: {type: query, name: 'a b', value: xyz}").lines[0]
        assert line.endswith("&a%20b=•••")
        assert ("a b", "xyz") in crm.asked[0].query


@pytest.mark.parametrize("text", ["headers: {X-Api-Key: planted}", "headers: {Authorization: 'Bearer planted'}"])
@pytest.mark.parametrize("place", ["connector", "step"])
def test_a_credential_that_is_written_into_a_header_is_masked(text: str, place: str) -> None:
    step = ONE_STEP.replace("take:", "error_when: error, error_message: error, take:")
    settings = f"{step}\n{text}" if place == "connector" else step.replace("path:", text + ", path:")
    with (
        Crm({"contacts": {"error": "planted is no key"}}) as crm,
        pytest.raises(SourceError, match=r"\(••• is no key\)"),
    ):
        owners(crm, settings)


@pytest.mark.parametrize(
    "text",
    [
        "headers: {Cookie: 'lang=vi; sid=planted'}",
        "headers: {X-Session-Token: planted}",
        "headers: {x-client-secret: planted}",
        "headers: {X-Password: planted}",
        "auth: {type: login, request: {path: contacts, headers: {X-Key: planted}}, cookies: true}",
        "auth: {type: login, request: {path: contacts}, cookies: true, headers: {X-Key: planted}}",
    ],
)
def test_every_name_that_tells_a_credential_is_known(text: str) -> None:
    settings = config(f"{ONE_STEP}\n{text}")
    assert Mask(settings, tuple).text("it is planted.") == "it is •••."


@pytest.mark.parametrize(
    "written",
    [
        "apikey: planted-1}",
        "access_token: [planted-1]}",
        "x: y}, form: {password: planted-1}",
        "x: y}, json: {login: {secret_key: planted-1}}",
        "x: y}, json: [{token: planted-1}]",
        "filter: {json: {api_key: planted-1}}}",
    ],
)
def test_a_credential_that_is_written_into_a_query_or_a_body_is_masked_where_the_crm_quotes_it(written: str) -> None:
    settings = config(ONE_STEP.replace("form }}'}", f"form }}}}', {written}"))
    assert Mask(settings, tuple).text("planted-1 is wrong") == "••• is wrong"


def test_a_word_under_such_a_name_is_none() -> None:
    settings = config(ONE_STEP.replace("form }}'}", "form }}', key: phone, keyword: customers, sort: created-2026}"))
    assert Mask(settings, tuple).text("phone customers created-2026") == "phone customers created-2026"


def test_other_headers_are_no_secret() -> None:
    settings = config(ONE_STEP + "\nheaders: {X-Client: omi-bridge}")
    assert Mask(settings, tuple).text("omi-bridge") == "omi-bridge"


def test_fields_of_the_items_are_told_where_an_expression_fits_nowhere() -> None:
    text = ONE_STEP.replace("match: phone", "match: ['phones[].phone', tel]")
    record = {"id": 1, "phones": [{"number": "0901234567", "kind": "home"}]}
    told = "no `phones[].phone` and `tel`; the fields that came are: id, phones; and further in, "
    told += "where `phones[].phone` ends: number, kind"
    with Crm({"contacts": [record]}) as crm, pytest.raises(SourceError, match=re.escape(told) + "$"):
        owners(crm, text)


def test_a_page_for_people_is_told_as_such() -> None:
    told = r"an HTML page, not JSON: is the address right, or is it a login page\?$"
    with Crm({"contacts": Says(raw=b"<html>Sign in</html>")}) as crm, pytest.raises(SourceError, match=told):
        owners(crm, ONE_STEP)


def test_what_is_sent_as_a_body_is_told_without_its_secrets() -> None:
    text = """
    secrets: {key: 'planted "khóa"'}
    steps:
      - path: search
        json: {q: "{{ caller.national }}", args: ["{{ secrets.key }}"], session: planted-2, team: Hà Nội}
        match: phone
        take: {owner_id: id}
      - path: users
        form: {id: "{{ owner_id }}", sessionName: planted-3, key: "{{ secrets.key }}", note: "NOTE"}
        take: {email: email}
    """.replace("NOTE", "x" * 600)
    with Crm({"search": [{"phone": "0901234567", "id": 7}], "users": {"email": None}}) as crm:
        bodies = [line.partition(": ")[2] for line in lookup(crm, text).lines if ": with " in line]
    assert bodies[0] == 'with {"q": "0901234567", "args": ["•••"], "session": "•••", "team": "Hà Nội"}'
    assert bodies[1].startswith("with id=7&sessionName=•••&key=•••&note=xxx")
    assert bodies[1].endswith("x…")
    assert len(bodies[1]) == len("with ") + 500 + 1


def test_the_label_of_a_step_tells_for_which_value_it_is_made_and_hides_templates() -> None:
    text = """
    steps:
      - for_each: {kind: [leads, deals]}
        path: "{{ kind }}"
        query: {p: "{{ caller.e164 }}"}
        match: phone
        take: {a: id}
      - {path: "u/{{ a }}{% if hotline %}x{% endif %}", take: {email: email}}
    """
    with Crm({"leads": [], "deals": [{"phone": "0901234567", "id": 7}], "u/7": {"email": "lan@congty.example"}}) as crm:
        labels = dict.fromkeys(line.partition(": ")[0] for line in lookup(crm, text).lines)
        assert list(labels) == ["step 1, kind leads", "step 1, kind deals", "step 2 (u/…x…)"]
        crm.scripts["leads"] = Says(status=500)
        with pytest.raises(SourceError, match=r"^step 1, kind leads: "):
            owners(crm, text)


SIGNED = """
secrets: {key: planted-key-4711, user: planted-user}
steps:
  - path: contacts
    query:
      phone: "{{ caller.national }}"
      a: "{{ secrets.key | md5 }}"
      b: "{{ (secrets.key ~ caller.national) | sha256 | upper }}"
      c: "x{{ caller.national | hmac_sha256(secrets.key) }}y"
      d: "{% if caller.national %}{{ secrets.key | base64 }}{% endif %}"
      e: "{{ caller.national | md5 }}"
    error_message: message
    match: phone
    take: {email: email}
"""


def test_what_a_template_makes_of_a_secret_is_masked_like_the_secret() -> None:
    lines: list[str] = []
    with Crm({"contacts": lambda asked: Says({"message": " ".join(value for _, value in asked.query)}, 400)}) as crm:
        connector = RestConnector(config(SIGNED, crm.url))
        with pytest.raises(SourceError) as error:
            connector.find_owners(Call(PhoneNumber.parse("0901234567"), None, lines.append), Deadline.after(5))
        connector.close()
        sent = dict(crm.asked[0].query)
    told = "\n".join((*lines, str(error.value)))
    assert "a=•••&b=•••&c=x•••y&d=•••&e=" in told
    for name in "abcd":
        assert sent[name].strip("xy") not in told
        assert Redaction(["another secret"])(f"log: {sent[name].strip('xy')} end") == "log: ••• end"
    assert sent["e"] in told  # made of nothing secret
    assert "0901234567" in told


def test_of_what_was_derived_the_newest_are_known() -> None:
    template = Template("{{ secrets.key | hmac_sha256(caller.e164) }}", {"secrets.key", "caller.e164"})
    made = [template.render({"secrets": {"key": "k"}, "caller": {"e164": str(at)}}) for at in range(600)]
    assert Redaction()(made[-1]) == "•••"
    assert Redaction()(made[0]) == made[0]


SIGN_IN = """
secrets: {password: planted-password}
auth:
  type: login
  request: {method: POST, path: login, json: {user: bridge, password: "{{ secrets.password }}"}}
  take: {session: session}
  headers: {X-Session: "{{ login.session }}"}
users: {path: users, take: {owner_id: id, email: email}, records: users}
steps: [{path: contacts, match: phone, take: {owner_id: owner}}]
"""


def test_the_sign_in_and_the_list_of_users_are_explained_like_a_step() -> None:
    lines: list[str] = []
    scripts = {"login": {"session": "planted-session"}, "users": {"users": [{"id": 7, "email": "lan@congty.example"}]}}
    with Crm(scripts) as crm:
        connector = RestConnector(config(SIGN_IN, crm.url))
        connector.explain_ahead = lines.append
        connector.open()
        connector.close()
    told = [re.sub(" after [0-9]+ ms$", "", line) for line in lines]
    assert told == [
        f"sign-in: POST {crm.url}/login",
        'sign-in: with {"user": "bridge", "password": "•••"}',
        "sign-in: 200",
        f"users: GET {crm.url}/users",
        "users: 200",
    ]
    assert told != lines


def test_a_sign_in_that_is_refused_is_explained_before_it_is_told() -> None:
    lines: list[str] = []
    with Crm({"login": Says({"error": "no"}, 403)}) as crm:
        connector = RestConnector(config(SIGN_IN, crm.url))
        connector.explain_ahead = lines.append
        with pytest.raises(SourceError):
            connector.open()
        connector.close()
    assert lines[-1].startswith("sign-in: 403 after ")


def test_a_password_of_the_sign_in_is_masked_under_whatever_name_it_stands() -> None:
    lines: list[str] = []
    odd = SIGN_IN.replace("bridge,", "bridge, mat_khau: planted-odd, args: [planted-first, {p: planted-second}],")
    with Crm(
        {"login": {"session": "planted-session"}, "users": {"users": [{"id": 7, "email": "lan@congty.example"}]}}
    ) as crm:
        connector = RestConnector(config(odd, crm.url))
        connector.explain_ahead = lines.append
        connector.open()
        connector.close()
    assert '"user": "bridge"' in lines[1]
    assert "planted" not in lines[1]
