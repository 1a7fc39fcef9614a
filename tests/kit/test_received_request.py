"""Which number a request to the kit's CRM is about."""

import json

import pytest

from bridge.sdk import PhoneNumber
from bridge.testing.fake_crm import ReceivedRequest

NUMBER, STRANGER = PhoneNumber.parse("0901234567"), PhoneNumber.parse("01234567890")


def request(target="/", body=b""):
    return ReceivedRequest.read(f"POST {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode() + body)


@pytest.mark.parametrize(
    "text", ["0901234567", "+84 90 123 45 67", "%9%0%1%2%3%4%5%6%7%", "090.123.4567", "(090) 123-4567", "84901234567"]
)
def test_a_number_is_seen_in_every_spelling(text):
    assert request(body=json.dumps({"phone": text}).encode()).names(NUMBER)


def test_numbers_that_stand_side_by_side_are_not_read_across():
    forms = json.dumps({"any_of": list(STRANGER.forms)}).encode()
    assert not request(body=forms).names(NUMBER)
    assert not request(target="/?" + "&".join(f"any_of={form}" for form in STRANGER.forms)).names(NUMBER)
