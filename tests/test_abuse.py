"""Those who should not ask, ask too much or ask in bad manners, over the wire; and callers who do not notice."""

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from bridge.wrong_keys import MOST_WRONG_KEYS
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
    return b"\r\n".join([b"GET " + target + b" HTTP/1.1", b"Host: x", b"X-API-KEY: change-me", *fields, b"", b""])


def statuses(answers):
    return [int(part.split()[0]) for part in answers.split(b"HTTP/1.1 ")[1:]]


def last(*fields, target=TARGET):
    return get(b"Connection: close", *fields, target=target)


def besiege(service):
    for _ in range(MOST_WRONG_KEYS + 1):
        assert service.ask(headers={"X-API-KEY": "wrong", "X-Forwarded-For": OFFENDER}).status == 401


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
        assert statuses(service.raw(get(good) + get(good) + get(bad) + get(good))) == [200, 200, 403]


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


def test_wrong_keys_from_one_address_hurt_nobody_else_and_no_right_key(start):
    with start() as service:
        besiege(service)
        late = service.ask(headers={"X-API-KEY": "wrong", "X-Forwarded-For": OFFENDER})
        assert (late.status, late.body, late.headers["Connection"]) == (401, b"", "close")
        assert late.headers["X-Bridge-Outcome"] == "unauthorized"
        assert service.ask(headers={"X-Forwarded-For": OFFENDER}).body == b"101"
        assert service.ask(headers={"X-Forwarded-For": OMICALL}).body == b"101"
        other = service.ask(headers={"X-API-KEY": "wrong", "X-Forwarded-For": OMICALL})
        assert (other.status, other.headers["Connection"]) == (401, "keep-alive")
        service.wait_for_log(f"unauthorized .* reason=a wrong key from {OFFENDER}")
        assert sum("wrong keys in a minute" in line for line in service.log) == 1


def test_late_answers_hold_no_thread(start):
    with start("{}", "--threads", "2") as service, ThreadPoolExecutor(20) as offenders:
        besiege(service)
        wrong = {"X-API-KEY": "wrong", "X-Forwarded-For": OFFENDER}
        waiting = [offenders.submit(service.ask, headers=wrong) for _ in range(20)]
        assert service.ask().seconds < 2.0
        assert {one.result().status for one in waiting} == {401}
        assert sum("reason=a wrong key" in line for line in service.log) == MOST_WRONG_KEYS + 1


def test_requests_sent_in_one_go_are_answered_one_by_one(start):
    with start() as service:
        assert service.raw(get() * 5 + last()).count(b"\r\n\r\n101") == 6


def test_a_request_that_comes_byte_by_byte_is_answered(start):
    with start() as service, service.connect(b"") as client:
        for byte in last():
            client.send(bytes([byte]))
        answer = b""
        while chunk := client.recv(4096):
            answer += chunk
        assert answer.endswith(b"\r\n\r\n101")


def test_what_is_left_of_a_body_is_never_taken_for_a_request(start):
    length = b"Content-Length: %d" % (len(get()) + 3)
    with start() as service, service.connect(get(length) + b"abc") as client:
        answer = b""
        while chunk := client.recv(4096):
            if not answer:
                client.sendall(get())
                client.shutdown(socket.SHUT_WR)
            answer += chunk
        assert statuses(answer) == [200]


def test_a_body_that_is_there_does_no_harm(start):
    with start() as service:
        assert statuses(service.raw(get(b"Content-Length: 3") + b"abc" + last())) == [200, 200]


@pytest.mark.parametrize("body", [b"zz\r\n", b"5\r\nab", b"ffffffffffffffffff\r\n", b"5\r\nabcdeXX"])
def test_a_broken_body_in_pieces_ends_the_connection(start, body):
    with start() as service:
        assert statuses(service.raw(get(b"Transfer-Encoding: chunked") + body + get()))[:1] == [200]
        assert service.ask().body == b"101"


def test_many_clients_who_do_not_close_hold_no_thread(start):
    with start("{}", "--threads", "2") as service, ExitStack() as stack:
        for _ in range(50):
            stack.enter_context(service.connect(last()))
        assert service.ask().seconds < 2.0


def test_a_stop_does_not_wait_for_those_who_say_nothing(start):
    with start() as service, service.connect(b""), service.connect(b"GET /"):
        assert service.ask().body == b"101"
        assert service.stop() == 0
