import pytest

from bridge.sdk.suggestion import did_you_mean


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("tokn", ["type", "token"], "token"),
        ("tkae", ["take", "tls"], "take"),
        ("rset", ["rest", "csv"], "rest"),
        ("time_out", ["timeout"], "timeout"),
        ("HubSpot", ["hubspot"], "hubspot"),
        ("nxt", ["next", "more"], "next"),
        ("omicol", ["csv", "omicall"], "omicall"),
        ("time", ["timeout", "tls"], "timeout"),
        ("api_keys", ["api_key", "api_keys"], "api_keys"),
        ("phone", ["phone number"], "phone number"),
        ("md6", ["md5", "sha1"], "md5"),
        ("owner", ["owner_id"], "owner_id"),
        ("mial", ["mail", "main"], "mail"),
    ],
)
def test_a_slip_of_the_finger_is_recognised(word, known, meant):
    assert did_you_mean(word, known) == f", did you mean '{meant}'?"


@pytest.mark.parametrize(
    ("word", "known"),
    [
        ("url", ["base_url", "tls"]),
        ("match", ["auth", "users"]),
        ("path", ["auth"]),
        ("user", ["query", "url"]),
        ("sapo", ["salesforce", "rest"]),
        ("monday", ["kommo"]),
        ("NoSuchConnector", ["Connector", "RestConnector"]),
        ("token hunter2", ["token"]),
        ("", ["url"]),
        ("x", ["tls", "y"]),
        ("phone", ["hotline"]),
    ],
)
def test_a_name_that_is_far_off_is_not_suggested(word, known):
    assert did_you_mean(word, known) == ""
