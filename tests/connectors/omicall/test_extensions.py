import gc
import json
import logging
import traceback

import pytest
from pydantic import ValidationError

from bridge.extensions.index import ExtensionMap
from bridge.sdk import Deadline, Owner, SourceError, SourceRejected, SourceUnavailable, UnexpectedAnswer
from bridge.sdk.http import Response
from connectors.omicall.answers import has_more, payload_of
from connectors.omicall.extensions import OmicallConfig, OmicallExtensions
from tests.support.fakes import FakeClock
from tests.support.omicall import API_KEY, Omicall, answer, is_list, phone, sip_password
from tests.support.servers import Reply

LAN = phone("101", "lan@congty.example", "Nguyễn Thị Lan", "6209c98561c1cb163ded25fa")
MINH = phone("0102", "Minh@congty.example", "Trần Minh", "62d563113127de2eac6b8cbf")


@pytest.fixture
def omicall():
    with Omicall(LAN, MINH) as server:
        yield server


@pytest.fixture
def source(omicall):
    made = OmicallExtensions(omicall.source().config)
    yield made
    made.close()


def read(source):
    return source.read(Deadline.after(10))


def entries(source):
    return ExtensionMap(read(source))


def failure(source):
    with pytest.raises(SourceError) as caught:
        read(source)
    return caught.value


def on_the_list(reply):
    return lambda asked: reply if is_list(asked) else None


def test_an_email_an_agents_id_and_a_full_name_lead_to_the_extension(source):
    found = entries(source)
    for owner in (
        Owner(email="LAN@congty.example"),
        Owner(id="6209c98561c1cb163ded25fa"),
        Owner(name="nguyễn thị lan"),
    ):
        assert found.extensions_of(owner) == ("101",)
    assert found.extensions_of(Owner(email="minh@congty.example")) == ("0102",)
    assert source.report() == ()


def test_all_pages_are_read(omicall, source):
    omicall.phones = [phone(str(100 + number), f"agent{number}@congty.example") for number in range(120)]
    assert len(read(source)) == 120
    assert omicall.pages_asked == ["1", "2", "3"]
    assert omicall.signed_in == 1


def test_pages_smaller_than_asked_for_are_all_read(omicall, source):
    omicall.phones = [phone(str(100 + number)) for number in range(7)]
    omicall.page_size = 3
    assert [entry.extensions for entry in read(source)][-1] == ("106",)


@pytest.mark.parametrize(
    ("payload", "page", "more"),
    [
        ({"has_next": True}, 1, True),
        ({"has_next": False, "total_pages": 3}, 2, True),
        ({"has_next": False, "total_pages": 3}, 3, False),
        ({"total_pages": "3"}, 2, True),
        ({"total_pages": "3"}, 3, False),
        ({"has_next": "yes", "total_pages": True}, 1, False),
        ({}, 1, False),
    ],
)
def test_a_page_is_asked_for_as_long_as_the_answer_says_that_there_is_one(payload, page, more):
    assert has_more({"items": [{}], **payload}, page, 2) is more


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"has_next": "yes", "total_pages": "many"},
        {"has_next": None, "total_pages": 1.5},
        {"page_size": 20},
    ],
)
def test_a_full_page_that_does_not_say_whether_it_is_the_last_is_no_list(omicall, source, payload):
    phones = [phone(str(100 + number)) for number in range(payload.get("page_size", 50))]
    omicall.fault = on_the_list(answer({"items": phones, **payload}))
    error = failure(source)
    assert isinstance(error, UnexpectedAnswer)
    assert "does not say whether it has another page" in str(error)


def test_a_list_without_an_end_is_given_up(omicall, source):
    omicall.fault = on_the_list(answer({"items": [], "has_next": True}))
    assert isinstance(failure(source), UnexpectedAnswer)
    assert len(omicall.pages_asked) == 300


def test_the_token_is_used_for_a_day_and_renewed_ahead(omicall):
    clock = FakeClock()
    source = OmicallExtensions(omicall.source().config, clock=clock)
    try:
        read(source)
        clock.advance(23 * 3600)
        read(source)
        assert omicall.signed_in == 1
        clock.advance(2 * 3600)
        read(source)
        assert omicall.signed_in == 2
    finally:
        source.close()


def test_a_token_that_was_called_back_is_renewed_within_the_same_reading(omicall, source):
    read(source)
    omicall.call_back_tokens()
    assert len(read(source)) == 2
    assert omicall.signed_in == 2


def test_a_token_that_is_refused_with_401_is_renewed_as_well(omicall, source):
    read(source)
    left = [Reply(b"", 401)]
    omicall.fault = lambda asked: left.pop() if is_list(asked) and left else None
    assert len(read(source)) == 2
    assert omicall.signed_in == 2


def test_a_list_that_is_refused_with_every_token_is_asked_for_twice_and_no_more(omicall, source):
    omicall.fault = on_the_list(answer(None, -9999, message="no_permission"))
    error = failure(source)
    assert isinstance(error, SourceRejected)
    assert str(error) == (
        f"{omicall.host} refuses the list of internal phones (status_code -9999): may the account of 'api_key' read it?"
    )
    assert omicall.signed_in == 2


def test_a_wrong_key_is_told_in_omicalls_words(omicall):
    source = OmicallExtensions(omicall.source(api_key="wrong-key-0815").config)
    try:
        error = failure(source)
    finally:
        source.close()
    assert isinstance(error, SourceRejected)
    assert str(error) == f"{omicall.host} refuses: api_key_invalid: is 'api_key' right?"


def test_omicalls_words_for_a_refused_key_hold_no_secret(omicall, source):
    words = f"key {API_KEY}, password of 101 is {sip_password('101')}\n"
    omicall.fault = lambda asked: None if is_list(asked) else answer(None, -9999, message=words)
    assert str(failure(source)) == f"{omicall.host} refuses: key •••, …: is 'api_key' right?"


@pytest.mark.parametrize("said", ["message", "status_code"])
def test_a_refused_list_is_told_in_no_words_of_omicalls(omicall, source, said):
    refusal = {"status_code": -9999, "message": "", said: f"101 {sip_password('101')}"}
    omicall.fault = on_the_list(Reply(json.dumps(refusal).encode()))
    assert sip_password("101")[:8] not in str(failure(source))


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (Reply(b"", 401), SourceRejected, "answered 401: is 'api_key' right, and still valid?"),
        (Reply(b"", 503, (("Retry-After", "30"),)), SourceUnavailable, "answered 503"),
        (Reply(b"", 429), SourceUnavailable, "answered 429"),
        (Reply(b"", 404), UnexpectedAnswer, "answered 404: is 'url' right?"),
        (Reply(b"<html>"), UnexpectedAnswer, "answered something that is not OMICall's: is 'url' right?"),
        (Reply(b'{"items": []}'), UnexpectedAnswer, "answered something that is not OMICall's: is 'url' right?"),
        (answer([]), UnexpectedAnswer, "answered without a payload"),
        (answer({"items": {}}), UnexpectedAnswer, "a list of internal phones that has another shape"),
        (answer({"items": ["101"]}), UnexpectedAnswer, "a list of internal phones that has another shape"),
        (answer({"items": [{"extension": "101"}]}), UnexpectedAnswer, "has another shape"),
        (answer({}, "-9999"), SourceRejected, "refuses the list of internal phones (status_code -9999)"),
    ],
)
def test_what_is_no_list_is_an_error_that_says_what_to_look_at(omicall, source, reply, kind, words):
    omicall.fault = on_the_list(reply)
    error = failure(source)
    assert type(error) is kind
    assert words in str(error)


def test_a_failed_page_fails_the_whole_reading(omicall, source):
    omicall.phones = [phone(str(100 + number)) for number in range(60)]
    omicall.fault = lambda asked: Reply(b"", 500) if "page=2" in asked.path else None
    assert isinstance(failure(source), SourceUnavailable)


def test_a_sign_in_without_a_token_is_no_sign_in(omicall, source):
    omicall.fault = lambda asked: None if is_list(asked) else answer({"access_token": None})
    assert "answered the sign-in without a token" in str(failure(source))


def test_one_persons_two_phones_ring_both(omicall, source):
    omicall.phones.append({**LAN, "sip_user": "103"})
    found = entries(source)
    assert found.extensions_of(Owner(email="lan@congty.example")) == ("101", "103")
    assert found.extensions_of(Owner(name="Nguyễn Thị Lan")) == ("101", "103")
    assert source.report() == ()


def test_a_full_name_that_two_people_have_leads_to_nobody_but_emails_and_ids_do(omicall, source):
    omicall.phones.append(phone("103", "lan.hn@congty.example", "NGUYỄN THỊ  LAN", "62ff11b208d4bf3ea694a6f3"))
    found = entries(source)
    assert found.extensions_of(Owner(name="Nguyễn Thị Lan")) == ()
    assert found.extensions_of(Owner(email="lan@congty.example")) == ("101",)
    assert found.extensions_of(Owner(id="62ff11b208d4bf3ea694a6f3")) == ("103",)
    assert list(found.ambiguous) == ["Nguyễn Thị Lan"]


def test_a_full_name_that_is_somebody_elses_email_leads_to_nobody_by_name(omicall, source):
    omicall.phones.append(phone("103", "x@congty.example", "lan@congty.example"))
    assert entries(source).extensions_of(Owner(email="lan@congty.example")) == ("101",)


def test_two_phones_of_one_name_without_email_or_id_may_be_two_people(omicall, source):
    omicall.phones = [phone("101", name="Lan"), phone("102", name="Lan")]
    assert len(entries(source)) == 0


def test_a_full_name_without_letters_is_no_name_for_it_would_pass_for_an_id(omicall, source):
    omicall.phones = [phone("147", "147@congty.example", "147")]
    assert entries(source).extensions_of(Owner(id="147")) == ()


@pytest.mark.parametrize("url", ["omicall.example", "ftp://omicall.example", "https://a:b@x.example", "https://x/?a=1"])
def test_an_address_that_is_none_is_told_at_load(url):
    with pytest.raises(ValidationError, match="write https://HOST"):
        OmicallConfig.model_validate({"api_key": "k", "url": url})


def test_the_kept_list_lies_beside_the_configuration_unless_told_otherwise(tmp_path):
    chosen = OmicallConfig.model_validate({"api_key": "k"}, context={"directory": tmp_path})
    assert chosen.keep == tmp_path / "omicall-extensions.json"
    assert OmicallConfig.model_validate({"api_key": "k", "keep": None}).keep is None


# Every extension's SIP password stands in OMICall's answer.


def bodies():
    """Return all ways in which an answer with a password in it can be wrong."""
    with Omicall(LAN, MINH) as server:
        page = server.page(1, 50)
    whole = answer(page).body
    nested = {**page, "items": [{"password": {"sip_user": sip_password("101")}}]}
    return {
        "cut off": Reply(whole[:-40]),
        "cut off in the password": Reply(whole[: whole.index(b'"password"') + 20]),
        "another shape": answer(page["items"]),
        "items that are none": answer({"items": [sip_password("101")]}),
        "the password where the extension was": answer(nested),
        "HTML": Reply(f"<html>{sip_password('101')}</html>".encode()),
        "status 500": Reply(whole, 500),
        "status 401": Reply(whole, 401),
        "status 404": Reply(whole, 404),
        "status 302": Reply(whole, 302, (("Location", "http://elsewhere.example/"),)),
        "an error that quotes it": answer(page, -9999, message=f"password: {sip_password('101')}"),
        "a number beyond all bounds": Reply(whole.replace(b"9999", b"9" * 5000)),
        "another encoding": Reply(whole.replace(b"}", b"\xff}")),
        "a password as key": Reply(json.dumps({sip_password("101"): 1, "status_code": 1}).encode()),
    }


@pytest.mark.parametrize("how", list(bodies()))
@pytest.mark.parametrize("where", ["the list", "the sign-in"])
def test_no_error_log_or_traceback_shows_a_sip_password(omicall, source, caplog, how, where):
    caplog.set_level(logging.DEBUG)
    reply = bodies()[how]
    omicall.fault = lambda asked: reply if is_list(asked) == (where == "the list") else None
    error = failure(source)
    told = "".join(traceback.format_exception(error)) + repr(error) + str(error.args) + caplog.text
    told += repr([vars(record) for record in caplog.records])
    for extension in ("101", "0102"):
        for length in (24, 12):
            assert sip_password(extension)[:length] not in told
    assert API_KEY not in told
    assert error.__cause__ is None
    assert error.__context__ is None or sip_password("101") not in repr(error.__context__)


def test_no_sip_password_stays_in_memory(omicall, source):
    found = read(source)
    omicall.fault = lambda asked: bodies()["status 500"] if is_list(asked) else None
    failure(source)
    omicall.fault = lambda asked: None if is_list(asked) else bodies()["status 500"]
    omicall.call_back_tokens()
    failure(source)
    assert len(found) == 2
    assert holders_of(sip_password("101")) == []


def holders_of(text):
    """Return the kinds of all live objects that hold the text, as a text or as bytes, directly."""
    gc.collect()
    needle = text.encode()

    def holds(held):
        if isinstance(held, str):
            return held is not text and text in held
        return isinstance(held, (bytes, bytearray)) and held is not needle and needle in held

    return [type(holder).__name__ for holder in gc.get_objects() for held in gc.get_referents(holder) if holds(held)]


def test_the_search_of_the_memory_would_find_a_password():
    planted = ["x" + sip_password("101")]
    assert "list" in holders_of(sip_password("101"))
    assert planted


def test_what_is_parsed_holds_only_what_is_needed(omicall):
    reply = answer(omicall.page(1, 50))
    payload = payload_of(Response(200, body=reply.body), str)
    assert set(payload) == {"items", "has_next", "total_pages", "page_size"}
    assert all(set(item) == {"sip_user", "email", "agent_id", "full_name"} for item in payload["items"])
    assert sip_password("101") not in repr(Response(200, body=reply.body))
