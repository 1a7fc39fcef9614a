"""The whole service under the real gunicorn, asked over the wire."""

import json
import os
import re
import resource
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.support.crm import Crm
from tests.support.dripping import dripping
from tests.support.service import RunningService

BODY = re.compile(rb"([0-9]+(:[0-9]+)*)?")
SECRET = "planted-secret-0123456789"
QUESTION = b"GET /get_owner_contact_by_phone?phoneNumber=0901234567"
REST = b" HTTP/1.1\r\nHost: x\r\nX-API-KEY: change-me\r\nConnection: close\r\n\r\n"


def write_config(folder, *, rows="0901234567,101\n0901234567,102\n", extra=""):
    (folder / "customers.csv").write_text("phone,extension\n" + rows, encoding="utf-8")
    config = folder / "config.yaml"
    config.write_text(
        "api_keys: [change-me]\nconnectors:\n  customers: {type: csv, path: customers.csv}\n" + extra, encoding="utf-8"
    )
    return config


@pytest.fixture
def service(tmp_path):
    with RunningService(write_config(tmp_path)) as running:
        yield running


def test_owners_are_answered_over_the_wire_in_the_contract_s_own_form(service):
    reply = service.ask("%2B84901234567")
    assert (reply.status, reply.body, reply.headers["X-Bridge-Outcome"]) == (200, b"101:102", "found")
    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert reply.headers["Content-Length"] == "7"


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /get_owner_contact_by_phone?phoneNumber=" + b"9" * 10_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 65536 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-Many: a\r\n" * 200 + b"\r\n", 431),
        (b"rubbish\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHo st: x\r\n\r\n", 400),
        (b"GET /get_owner_contact_by_phone?phoneNumber=\xff\x00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 400),
        (QUESTION + b"&a=1" * 10_000 + REST, 414),
        (QUESTION + REST.replace(b"\r\n", b"\n"), 400),
        *(
            (QUESTION + b" HTTP/1.1\r\nHost: x\r\n" + header + b"\r\n\r\n", status)
            for header, status in [
                (b"Content-Length: 6\r\nTransfer-Encoding: chunked", 400),
                (b"Content-Length: 6\r\nContent-Length: 0", 400),
                (b"Transfer-Encoding: xchunked", 400),
                (b"Host: y", 400),
                (b"X-API-KEY: change-\r\n me", 400),
                (b"X-API-KEY : change-me", 400),
                (b"X-API-KEY: change-me\0", 400),
                (b"X_API_KEY: change-me\r\nConnection: close", 401),
                (b"X-API-KEY: wrong\r\nX-API-KEY: change-me\r\nConnection: close", 401),
            ]
        ),
    ],
)
def test_what_is_no_proper_request_gets_a_status_and_no_body(service, request_bytes, status):
    head, _, body = service.raw(request_bytes).partition(b"\r\n\r\n")
    assert int(head.split()[1]) == status
    assert body == b""
    assert b"Traceback" not in head


def test_questions_one_behind_the_other_are_answered_each_also_if_nothing_more_will_come(service):
    keeps = QUESTION + b" HTTP/1.1\r\nHost: x\r\nX-API-KEY: change-me\r\n\r\n"
    with service.connect(keeps * 9 + QUESTION + REST) as client:
        client.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: client.recv(65536), b""))
    assert received.count(b"HTTP/1.1 200 OK") == received.count(b"\r\n\r\n101:102") == 10


def test_what_follows_a_question_as_its_body_is_no_question(service):
    body = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    said = f"X-API-KEY: change-me\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
    received = service.raw(QUESTION + b" HTTP/1.1\r\nHost: x\r\n" + said + body)
    assert received.endswith(b"\r\n\r\n101:102")
    assert received.count(b"HTTP/1.1") == 1


def test_a_changed_configuration_is_put_in_force_by_a_signal_and_loses_no_call(tmp_path):
    config = write_config(tmp_path)
    with RunningService(config) as service, ThreadPoolExecutor(4) as callers:
        config.write_text(config.read_text() + "extensions: {inline: {nobody: 1}}\n")
        config.write_text(config.read_text().replace("change-me", "change-me, second-key"))
        answers = [callers.submit(service.ask) for _ in range(200)]
        service.hang_up()
        service.wait_for_log("configuration reloaded")
        assert {answer.result().body for answer in answers} == {b"101:102"}
        assert service.ask(headers={"X-API-KEY": "second-key"}).status == 200


def test_a_wrong_configuration_is_refused_with_its_place_and_the_old_one_stays(tmp_path):
    config = write_config(tmp_path)
    with RunningService(config) as service:
        config.write_text(config.read_text() + "servre: {}\n")
        service.hang_up()
        line = service.wait_for_log("not reloaded")
        assert "config.yaml:4:1: servre: unknown key, did you mean 'server'?" in line
        assert service.ask().body == b"101:102"


def test_a_configuration_that_is_not_in_force_is_a_trouble_until_the_next_good_one(tmp_path):
    config = write_config(tmp_path)
    good = config.read_text()
    with RunningService(config) as service:
        config.write_text(good + "servre: {}\n")
        service.hang_up()
        service.wait_for_log("not reloaded")
        problem = "config.yaml:4:1: servre: unknown key, did you mean 'server'?"
        told = service.page("/healthz").text
        assert '"configuration":"not reloaded: ' in told
        assert problem in told
        assert "omi_bridge_troubles 1.0" in service.page("/metrics").text
        worker = int(re.search(r"pid: (\d+)", service.wait_for_log("Booting worker"))[1])
        os.kill(worker, signal.SIGKILL)
        service.wait_for_log(f"Booting worker with pid: (?!{worker})")
        service.ask_until("0901234567", b"101:102")
        assert problem in service.page("/healthz").text, "the next worker knows of it as well"
        config.write_text(good)
        service.hang_up()
        service.wait_for_log("nothing differs from what is in force")
        assert "configuration" not in service.page("/healthz").text


def test_a_changed_file_is_picked_up_without_a_signal(tmp_path):
    config = write_config(tmp_path)
    with RunningService(config, "--threads", "4") as service:
        write_config(tmp_path, rows="0912345678,103\n")
        service.wait_for_log("1 row, 1 telephone")
        assert service.ask_until("0912345678", b"103").status == 200


def test_being_told_to_stop_ends_the_service_cleanly(tmp_path):
    with RunningService(write_config(tmp_path)) as service:
        assert service.stop() == 0


def test_a_worker_that_dies_is_replaced(tmp_path):
    with RunningService(write_config(tmp_path)) as service:
        worker = int(re.search(r"pid: (\d+)", service.wait_for_log("Booting worker")).group(1))
        os.kill(worker, signal.SIGKILL)
        service.wait_for_log(r"was sent SIGKILL")
        assert service.ask().body == b"101:102"


def test_each_log_line_of_a_call_has_its_id_also_as_json(tmp_path):
    config = write_config(tmp_path, extra="server: {log_format: json}\n")
    with RunningService(config) as service:
        service.ask(headers={"X-Request-ID": "call-42"})
        line = json.loads(service.wait_for_log("call-42"))
        assert (line["request_id"], line["level"]) == ("call-42", "info")
        assert "…567" in line["message"]


def test_a_configuration_that_cannot_be_used_stops_the_start_with_all_problems(tmp_path):
    config = write_config(tmp_path, extra="server: {deadlin: 1s}\nphone: {region: XX}\n")
    service = RunningService(config)
    assert service.process.wait(20) == 2
    assert service.stop() == 2
    text = "\n".join(service.log)
    assert "server.deadlin: unknown key, did you mean 'deadline'?" in text
    assert "phone.region: is no country's code" in text


def test_clients_that_do_not_close_their_end_cost_nobody_anything(tmp_path):
    request = b"GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with RunningService(write_config(tmp_path), "--threads", "4") as service, ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(service.connect(request))
        assert service.ask().seconds < 2.0


def test_clients_that_connect_and_send_nothing_cost_nobody_anything(tmp_path):
    with RunningService(write_config(tmp_path), "--threads", "4") as service, ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(service.connect(b""))
        assert service.ask().seconds < 2.0


def test_a_reload_keeps_what_is_remembered_of_connectors_that_did_not_change(tmp_path):
    with Crm({"owner": {"phone": "0901234567", "owner": "101"}}) as crm:
        config = tmp_path / "config.yaml"
        step = "{path: owner, query: {p: '{{ caller.e164 }}'}, match: phone, take: {extension: owner}}"
        rest = f"connectors: {{crm: {{type: rest, base_url: '{crm.url}', steps: [{step}]}}}}\n"
        config.write_text("api_keys: [change-me]\n" + rest, encoding="utf-8")
        with RunningService(config) as service:
            assert [service.ask().headers["X-Bridge-Answer"] for _ in range(2)] == ["live", "cached"]
            config.write_text(config.read_text() + "extensions: {inline: {x: 1}}\n", encoding="utf-8")
            service.hang_up()
            service.wait_for_log("configuration reloaded")
            assert service.ask().headers["X-Bridge-Answer"] == "cached"


def test_a_reload_that_would_lose_the_list_of_extensions_is_refused(tmp_path):
    (tmp_path / "staff.csv").write_text("email,extension\nlan@congty.example,201\n", encoding="utf-8")
    config = write_config(tmp_path, extra="extensions: {csv: {path: staff.csv}}\n")
    with RunningService(config) as service:
        config.write_text(config.read_text().replace("staff.csv", "stuff.csv"))
        service.hang_up()
        assert "stuff.csv" in service.wait_for_log("not reloaded")
        assert service.ask().body == b"101:102"


def test_half_a_request_does_not_hold_a_thread_for_good(tmp_path):
    with RunningService(write_config(tmp_path), "--threads", "4") as service, ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(service.connect(b"GET /get_owner_contact_by_phone?phoneNumber=09"))
        assert service.ask_until("0901234567", b"101:102").seconds < 2.0


def test_a_head_that_drips_is_cut_off_after_a_second(tmp_path):
    with (
        RunningService(write_config(tmp_path), "--threads", "4") as service,
        dripping(service.port, b"GET /", 8) as clients,
    ):
        began = time.monotonic()
        assert [client.recv(1) for client in clients[:4]] == [b""] * 4
        assert time.monotonic() - began < 3.0
        assert service.ask_until("0901234567", b"101:102").seconds < 2.0


def test_a_body_that_does_not_come_does_not_hold_a_thread(tmp_path):
    request = b"GET /get_owner_contact_by_phone HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"
    with RunningService(write_config(tmp_path), "--threads", "4") as service, ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(service.connect(request))
        assert service.ask().seconds < 2.0


def test_many_open_connections_cost_nobody_an_answer(tmp_path):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with RunningService(write_config(tmp_path)) as service, ExitStack() as stack:
        for _ in range(1100):
            stack.enter_context(service.connect(b""))
        assert service.ask().body == b"101:102"


def test_a_reload_does_not_put_a_half_written_file_in_force(tmp_path):
    config = write_config(tmp_path, rows="0901234567,1024\n")
    with RunningService(config) as service:
        assert service.ask().body == b"1024"
        (tmp_path / "customers.csv").write_text("phone,extension\n0901234567,102", encoding="utf-8")
        service.wait_for_log("half-written")
        config.write_text(config.read_text() + "cache: {ttl: 7m}\nserver: {deadline: 1700ms}\n", encoding="utf-8")
        service.hang_up()
        service.wait_for_log("configuration reloaded")
        assert service.ask().body == b"1024"


def test_a_reload_that_would_lose_a_source_is_refused(tmp_path):
    config = write_config(tmp_path)
    with RunningService(config) as service:
        config.write_text(config.read_text().replace("customers.csv", "customer.csv"), encoding="utf-8")
        service.hang_up()
        assert "connector customers: " in service.wait_for_log("not reloaded")
        assert service.ask().body == b"101:102"
