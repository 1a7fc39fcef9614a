"""What is told of the sources as all processes see them: the last failure, rows, certificates, and OMICall's key."""

import time
from contextlib import closing, contextmanager

import pytest

from bridge.config.loading import load_config
from bridge.diagnosis.finding import Severity
from bridge.diagnosis.sources import check_service
from bridge.insight.line_mask import LineMask
from bridge.insight.seen import SeenByAll
from bridge.insight.sources import Sources
from bridge.sdk.secrets import Redaction
from bridge.sdk.shared import Turns
from bridge.service import Service
from bridge.storage.machine import MachineMemory
from bridge.storage.noticeboard import Slips
from bridge.testing.fakes import FakeClock
from bridge.web.incoming import Incoming
from tests.support.application import opened, reload
from tests.support.certificates import make_certificate
from tests.support.consoled import write_config
from tests.support.known_customers import KnownCrm, expecting
from tests.support.servers import HttpServer, Reply


@pytest.fixture(autouse=True)
def crm(monkeypatch):
    monkeypatch.setattr(KnownCrm, "instead", "")
    monkeypatch.setattr(KnownCrm, "asked", [])
    return KnownCrm


class Process:
    """One of a machine's processes: what it serves, and what it says of that."""

    def __init__(self, bridge, memory):
        self.bridge = bridge
        redaction = Redaction()
        self.seen = SeenByAll(lambda: bridge.service, Slips(memory, "seen"), redaction)
        self.sources = Sources(
            lambda: bridge.service,
            bridge.health.page,
            LineMask(redaction),
            Turns(6, 60.0, FakeClock()),
            self.seen,
            bridge.incoming,
        )

    def look(self):
        self.seen.look(self.bridge.troubles())

    def told(self):
        return self.sources.answer({})


@contextmanager
def process_of(config, memory):
    with opened(config) as app:
        yield app, Process(app.extensions["omi_bridge"], memory)


def call(app, phone="0901234567", key="change-me"):
    ask = {"phoneNumber": phone}
    return app.test_client().get("/get_owner_contact_by_phone", query_string=ask, headers={"X-API-KEY": key})


def test_the_last_failure_is_told_though_the_source_is_well_again(tmp_path, crm):
    with process_of(expecting(tmp_path), MachineMemory()) as (app, process):
        assert process.told()["connectors"][0]["failure"] is None
        call(app)
        crm.instead, begin = "refused", time.time()
        call(app, "0987654321")
        (source,) = process.told()["connectors"]
        failure = source["failure"]
        assert (failure["kind"], failure["words"], failure["answered_since"]) == ("rejected", "401 Unauthorized", False)
        crm.instead = ""
        call(app, "0977000111")
        (source,) = process.told()["connectors"]
    assert source["failure"] == failure | {"answered_since": True}
    assert failure["at"] >= time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(begin))


def test_a_secret_and_a_number_stand_in_no_failure(tmp_path, crm, monkeypatch):
    def fail(_self, _call, _deadline):
        raise ValueError("hunter2-hunter2 and 0987 654 321")

    monkeypatch.setattr(crm, "find_owners", fail)
    with process_of(expecting(tmp_path), MachineMemory()) as (app, process):
        process.seen._redaction = Redaction(["hunter2-hunter2"])  # noqa: SLF001 - as the service's own
        call(app)
        told = str(process.told()["connectors"])
    assert "hunter2" not in told
    assert "654 321" not in told
    assert "'kind': 'bug'" in told


def test_what_another_process_has_seen_is_told(tmp_path, crm):
    memory = MachineMemory()
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    one, other = (expecting(tmp_path / name) for name in ("one", "other"))
    with process_of(one, memory) as (app, first), process_of(other, memory) as (_, second):
        call(app)
        crm.instead = "down"
        call(app, "0987654321")
        first.look()
        crm.instead = ""
        (source,) = second.told()["connectors"]
    assert source["failure"]["words"] == "the CRM is down"
    assert sorted(source["remembered"]) == [0, 1]


def test_a_list_of_extensions_tells_its_rows(tmp_path):
    config = expecting(tmp_path)
    text = config.file.read_text(encoding="utf-8")
    (tmp_path / "staff.csv").write_text("email,extension\nan@congty.example,103\n", encoding="utf-8")
    config.file.write_text(text.replace("extensions:", "extensions:\n  csv: {path: staff.csv}"), encoding="utf-8")
    with process_of(load_config(config.file), MachineMemory()) as (_, process):
        (found,) = process.told()["lists"]
    assert (found["name"], found["rows"], found["failure"]) == ("extensions.csv", [1, None], None)


def test_a_list_tells_its_rows_now_and_before_and_what_failed(tmp_path):
    config = write_config(tmp_path, "0912345678,lan@congty.example")
    customers = tmp_path / "customers.csv"
    whole = customers.read_text(encoding="utf-8")
    with process_of(load_config(config), MachineMemory()) as (app, process):
        watched = app.extensions["omi_bridge"].service.guards["customers"].connector._file  # noqa: SLF001 - to look now
        watched._loop.close()  # noqa: SLF001
        (source,) = process.told()["connectors"]
        assert source["rows"] == [2, None]
        customers.write_text(whole + "0977000111,lan@congty.example\n", encoding="utf-8")
        watched.poll(), watched.poll()
        assert process.told()["connectors"][0]["rows"] == [3, 2]
        customers.write_text("no table\n", encoding="utf-8")
        watched.poll(), watched.poll()
        process.look()
        customers.write_text(whole, encoding="utf-8")
        watched.poll(), watched.poll()
        (source,) = process.told()["connectors"]
    assert source["rows"] == [2, 3]
    assert source["failure"]["kind"] == "trouble"
    assert "customers.csv" in source["failure"]["words"]


REST = """
api_keys: [change-me]
connectors:
  crm:
    type: rest
    base_url: {url}
    tls: {tls}
    steps:
      - {{path: contacts, query: {{q: "{{{{ caller.e164 }}}}"}}, records: rows, match: phone, take: {{email: owner}}}}
extensions: {{inline: {{lan@congty.example: 101}}}}
"""


def rest_of(folder, url, tls):
    file = folder / "config.yaml"
    file.write_text(REST.format(url=url, tls=tls), encoding="utf-8")
    return load_config(file)


ROW = Reply(body=b'{"rows": [{"phone": "0901234567", "owner": "lan@congty.example"}]}')


def test_the_days_of_a_certificate_are_those_that_the_server_has_shown(tmp_path):
    certificate = make_certificate(tmp_path, valid=(-1, 9))
    with HttpServer(lambda _: ROW, certificate.server) as server:
        config = rest_of(tmp_path, server.url, f"{{ca_file: {certificate.file}}}")
        with process_of(config, MachineMemory()) as (app, process):
            (before,) = process.told()["connectors"]
            call(app)
            (source,) = process.told()["connectors"]
        assert len(server.requests) == 1  # nobody was asked for it
    assert (before["tls"], before["certificates"]) == ("https", [])
    (shown,) = source["certificates"]
    assert (shown["host"], shown["days"], shown["is_near"]) == ("127.0.0.1", 8, True)


@pytest.mark.parametrize(("days", "told"), [(9, ["crm: the certificate of 127.0.0.1 ends in 8 days"]), (16, [])])
def test_a_check_warns_of_a_certificate_that_ends_soon(tmp_path, days, told):
    certificate = make_certificate(tmp_path, valid=(-1, days))
    with HttpServer(lambda _: ROW, certificate.server) as server:
        config = rest_of(tmp_path, server.url, f"{{ca_file: {certificate.file}}}")
        with closing(Service(config)) as service:
            service.open(10.0)
            found = [one for one in check_service(service, online=True) if "certificate" in one.message]
    assert [f"{one.subject}: {one.message.partition(',')[0]}" for one in found] == told
    assert {one.severity for one in found} <= {Severity.WARNING}


def test_a_certificate_that_nobody_checks_has_no_days(tmp_path):
    certificate = make_certificate(tmp_path)
    with HttpServer(lambda _: ROW, certificate.server) as server:
        config = rest_of(tmp_path, server.url, "{verify: false}")
        with process_of(config, MachineMemory()) as (app, process):
            call(app)
            (source,) = process.told()["connectors"]
    assert (source["tls"], source["certificates"]) == ("unchecked", [])


def test_another_source_and_a_closed_one_tell_nothing_of_it(tmp_path):
    certificate = make_certificate(tmp_path, valid=(-1, 9))
    with HttpServer(lambda _: ROW, certificate.server) as server:
        config = rest_of(tmp_path, server.url, f"{{ca_file: {certificate.file}}}")
        with process_of(config, MachineMemory()) as (app, process):
            call(app)
            config.file.write_text(config.file.read_text(encoding="utf-8").replace("  crm:", "  other:"))
            assert reload(process.bridge)
            (source,) = process.told()["connectors"]
    assert (source["name"], source["certificates"]) == ("other", [])


def test_the_key_of_the_last_call_is_told_by_its_place_in_the_keys_of_now(tmp_path):
    config = expecting(tmp_path)
    file = config.file
    file.write_text(file.read_text(encoding="utf-8").replace("[change-me]", "[change-me, the-second-of-keys]"))
    with process_of(load_config(file), MachineMemory()) as (app, process):
        assert process.told()["last_key"] is None
        call(app, key="the-second-of-keys")
        found = process.told()
        assert (found["last_key"], found["keys"]) == (2, 2)
        call(app, key="another")
        assert process.told()["last_key"] == 2
        file.write_text(file.read_text(encoding="utf-8").replace("[change-me, ", "["))
        assert reload(process.bridge)
        assert (process.told()["last_key"], process.told()["keys"]) == (1, 1)
        file.write_text(file.read_text(encoding="utf-8").replace("[the-second-of-keys]", "[a-third-of-keys]"))
        assert reload(process.bridge)
        assert process.told()["last_key"] == 0
        assert "second-of" not in str(process.told())


def test_the_processes_of_a_machine_know_one_key():
    memory = MachineMemory.make()
    one, other = Incoming(memory, "/"), Incoming(MachineMemory(memory._file), "/")  # noqa: SLF001 - what a child inherits
    one.accept(b"second")
    assert other.last_key([b"first", b"second"]) == 2
    other.accept(b"first")
    assert one.last_key([b"first", b"second"]) == 1
