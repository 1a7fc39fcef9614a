"""The CRM's own words for its error: told with every kind of error, and never with a secret or the caller's number."""

import pytest

from bridge.sdk import SourceError, SourceRejected, SourceUnavailable, UnexpectedAnswer
from tests.support.crm import Crm, Says, owners

TEXT = """
secrets: {key: planted-key}
steps:
  - path: contacts
    query: {phone: "{{ caller.national }}"}
    busy_when: busy
    error_message: error.message
    match: phone
    take: {owner_id: id}
"""


def words(said: object, text: str = TEXT, caller: str = "0901234567") -> str:
    """Return the error that an answer leads to."""
    with Crm({"contacts": said}) as crm, pytest.raises(SourceError) as error:
        owners(crm, text, caller)
    return str(error.value)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, SourceRejected),
        (401, SourceRejected),
        (403, SourceRejected),
        (404, UnexpectedAnswer),
        (409, SourceRejected),
        (422, SourceRejected),
        (429, SourceUnavailable),
        (500, SourceUnavailable),
        (503, SourceUnavailable),
    ],
)
def test_a_failure_is_told_in_the_crms_words(status: int, error: type[Exception]) -> None:
    said = Says({"error": {"message": "field 'phone' is unknown"}}, status=status)
    with Crm({"contacts": said}) as crm, pytest.raises(error, match=r" \(field 'phone' is unknown\)$"):
        owners(crm, TEXT)


def test_a_crm_that_is_busy_may_say_why() -> None:
    assert words({"busy": True, "error": {"message": "limit"}}).endswith("asks to try again later (limit)")


def test_several_words_are_all_told() -> None:
    text = TEXT.replace("error.message", "errors[].detail")
    said = Says({"errors": [{"detail": "one"}, {"detail": 2}, {"detail": None}, {"detail": {}}]}, status=422)
    assert words(said, text).endswith(" (one; 2)")


@pytest.mark.parametrize(
    "said",
    [
        Says(raw=b"<html>", status=400),
        Says(raw=b"", status=400),
        Says(["other"], status=400),
        Says({"error": {"message": {"a": 1}}}, status=400),
        Says({"error": {"message": ""}}, status=400),
    ],
)
def test_without_words_the_error_stays_what_it_is(said: Says) -> None:
    assert words(said).endswith("look at method, path, query and json of this step")


def test_words_that_cannot_be_found_do_not_hide_the_error() -> None:
    assert "answered 422" in words(Says({"error": 5}, status=422), TEXT.replace("error.message", "length(error)"))


def test_who_does_not_ask_for_the_words_is_told_how_to() -> None:
    text = TEXT.replace("error_message: error.message", "nobody_status: 404")
    assert words(Says({}, status=422), text).endswith("of this step; error_message: … shows the CRM's own words")


@pytest.mark.parametrize(
    "number",
    [
        "0901234567",
        "+84901234567",
        "84901234567",
        "0084901234567",
        "901234567",
        "(090) 123-4567",
        "+84 90 123 45 67",
        "%2B84901234567",
        "%9%0%1%2%3%4%5%6%7",
        "%259%250%251%252%253%254%255%256%257",
    ],
)
def test_the_callers_number_is_masked_however_it_is_spelt(number: str) -> None:
    told = words(Says({"error": {"message": f"no {number}!"}}, status=400)).rpartition("of this step ")[2]
    assert "…567!" in told
    assert "90" not in told
    assert "123" not in told


def test_the_number_of_before_2018_is_masked_too() -> None:
    told = words(Says({"error": {"message": "no 0123 456 7890"}}, status=400), caller="0834567890")
    assert told.endswith("…890)")
    assert "3 45" not in told


def test_long_words_are_cut_without_showing_half_a_secret_or_number() -> None:
    for secret in ("planted-key", "0901234567"):
        for length in range(180, 201):
            told = words(Says({"error": {"message": "x" * length + secret}}, status=400)).partition("xxx")[2]
            assert len(told) < 202
            assert "pla" not in told
            assert "090" not in told


def test_words_on_several_lines_are_told_on_one() -> None:
    assert words(Says({"error": {"message": "a\nb\x1b[0m"}}, status=400)).endswith("(a b [0m)")
