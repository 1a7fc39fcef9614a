"""Those who should not ask, or ask in bad manners, over the wire; and callers who do not notice.

Bad manners are tried at the service itself and at the proxies as deploy/ sets them up, which the internet reaches.
"""

from contextlib import ExitStack, suppress

import pytest

from tests.support.certificates import make_certificate
from tests.support.proxies import KINDS, RunningProxy
from tests.support.service import RunningService

OFFENDER, OMICALL = "203.0.113.7", "198.51.100.9"
TARGET = b"/get_owner_contact_by_phone?phoneNumber=0901234567"


@pytest.fixture
def start(tmp_path):
    (tmp_path / "customers.csv").write_text("phone,extension\n0901234567,101\n", encoding="utf-8")

    def start(server="{}", *options):
        config = tmp_path / "config.yaml"
        config.write_text(
            f"api_keys: [change-me]\nserver: {server}\nconnectors: {{customers: {{type: csv, path: customers.csv}}}}\n"
        )
        return RunningService(config, *options)

    return start


def get(*fields, target=TARGET):
    return b"\r\n".join(
        [b"GET " + target + b" HTTP/1.1", b"Host: 127.0.0.1", b"X-API-KEY: change-me", *fields, b"", b""]
    )


def statuses(answers):
    return [int(part.split()[0]) for part in answers.split(b"HTTP/1.1 ")[1:]]


def received(client):
    """Return all that comes until the other end closes, or says nothing for ten seconds."""
    answer = b""
    with suppress(OSError):
        while chunk := client.recv(4096):
            answer += chunk
    return answer


def last(*fields, target=TARGET):
    return get(b"Connection: close", *fields, target=target)


def test_only_allowed_networks_are_answered_whatever_the_key(start):
    with start("{allow: [198.51.100.0/24]}") as service:
        assert service.ask(headers={"X-Forwarded-For": OMICALL}).body == b"101"
        for forwarded in (OFFENDER, f"{OMICALL}, {OFFENDER}", "", "rubbish", "127.0.0.1"):
            reply = service.ask(headers={"X-Forwarded-For": forwarded})
            assert (reply.status, reply.body) == (403, b"")
            assert reply.headers["X-Bridge-Outcome"] == "unauthorized"
        service.wait_for_log(f"server.allow does not name {OFFENDER}: turned away")


def test_on_an_open_connection_each_request_is_looked_at_anew(start):
    with start("{allow: [198.51.100.0/24]}") as service:
        good, bad = f"X-Forwarded-For: {OMICALL}".encode(), f"X-Forwarded-For: {OFFENDER}".encode()
        assert statuses(service.raw(get(good) + get(bad) + last(good))) == [200, 403, 200]


def test_this_machine_sees_the_pages_even_if_it_may_not_ask(start):
    with start("{allow: [198.51.100.0/24]}") as service:
        assert statuses(service.raw(last(target=b"/healthz"))) == [200]
        assert statuses(service.raw(last(b"X-Forwarded-For: 203.0.113.7", target=b"/healthz"))) == [403]


def test_a_changed_list_of_networks_is_put_in_force_by_a_signal(start, tmp_path):
    with start() as service:
        assert service.ask().status == 200
        config = tmp_path / "config.yaml"
        config.write_text(config.read_text().replace("server: {}", "server: {allow: [198.51.100.0/24]}"))
        service.hang_up()
        service.wait_for_log("configuration reloaded")
        assert service.ask().status == 403


@pytest.mark.parametrize(
    "field", [b"PATH_INFO: /healthz", b"SCRIPT_NAME: /x", b"X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: off"]
)
def test_gunicorn_s_own_headers_for_proxies_mean_nothing(start, field):
    with start() as service:
        assert service.raw(last(field)).endswith(b"\r\n\r\n101")


def test_wrong_keys_cost_no_right_one_its_answer(start):
    with start("{}", "--threads", "2") as service:
        for _ in range(100):
            assert service.ask(headers={"X-API-KEY": "wrong", "X-Forwarded-For": OFFENDER}).status == 401
        assert service.ask(headers={"X-Forwarded-For": OFFENDER}).body == b"101"
        service.wait_for_log(f"unauthorized .* reason=a wrong key from {OFFENDER}")


@pytest.fixture(scope="module", params=["directly", *KINDS])
def asked(request, tmp_path_factory):
    """The service with two threads, and what stands in front of it."""
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "customers.csv").write_text("phone,extension\n0901234567,101\n", encoding="utf-8")
    config = folder / "config.yaml"
    config.write_text("api_keys: [change-me]\nconnectors: {customers: {type: csv, path: customers.csv}}\n")
    with RunningService(config, "--threads", "2") as service:
        if request.param == "directly":
            yield service
        else:
            with RunningProxy(request.param, folder, make_certificate(folder), service.port) as proxy:
                yield proxy


def test_requests_sent_in_one_go_are_answered_one_by_one(asked):
    assert asked.raw(get() * 5 + last()).count(b"\r\n\r\n101") == 6


def test_a_request_that_comes_byte_by_byte_is_answered(asked):
    with asked.connect(b"") as client:
        for byte in last():
            client.send(bytes([byte]))
        assert received(client).endswith(b"\r\n\r\n101")


def test_what_is_left_of_a_body_is_never_taken_for_a_request(asked):
    length = b"Content-Length: %d" % (len(get()) + 3)
    with asked.connect(get(length) + b"abc") as client:
        answer = client.recv(4096)
        with suppress(OSError):
            client.sendall(get())
        assert statuses(answer + received(client)).count(200) <= 1


def test_a_body_that_is_there_does_no_harm(asked):
    assert statuses(asked.raw(get(b"Content-Length: 3") + b"abc" + last())) == [200, 200]


@pytest.mark.parametrize("body", [b"zz\r\n", b"5\r\nab", b"ffffffffffffffffff\r\n", b"5\r\nabcdeXX"])
def test_a_broken_body_ends_the_connection_and_no_other(asked, body):
    assert statuses(asked.raw(get(b"Transfer-Encoding: chunked") + body + get())).count(200) <= 1
    assert asked.ask("phoneNumber=0901234567" if isinstance(asked, RunningProxy) else "0901234567").body == b"101"


@pytest.mark.parametrize("bytes_sent", [b"", get()[:60], last(), get(b"Content-Length: 10") + b"abc"])
def test_clients_that_linger_cost_no_call_its_answer(asked, bytes_sent):
    """They say nothing, half a request or half a body, or do not close; two threads are soon held by so many."""
    with ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(asked.connect(bytes_sent))
        if isinstance(asked, RunningProxy):
            assert asked.ask("phoneNumber=0901234567").seconds < 2
        else:
            assert asked.ask_until("0901234567", b"101").seconds < 2


def test_a_stop_does_not_wait_for_those_who_say_nothing(start):
    with start() as service, service.connect(b""), service.connect(b"GET /"):
        assert service.ask().body == b"101"
        assert service.stop() == 0
