"""From what is wrong to what real servers receive: once a machine, through deaths, restarts, reloads and outages."""

import json
import logging
from contextlib import ExitStack

import pytest

from bridge.alerts.watch import AlertWatch
from bridge.config.loading import load_config
from bridge.storage.machine import MachineMemory
from tests.support.kept import until
from tests.support.mail_server import MailServer
from tests.support.rounds import Rounds
from tests.support.scripted import dead_port
from tests.support.servers import HttpServer, Reply

CRM = {"connector crm": "rejected: crm.example answered 401"}
FILE = """
api_keys: [change-me]
server: {{bind: "{bind}"}}
connectors: {{customers: {{type: csv, path: customers.csv}}}}
"""


class Clock:
    now = 1_700_000_000.0

    def __call__(self):
        return self.now


class Machine:
    """A machine on which processes start and end; what is wrong is what the test says of each."""

    def __init__(self, folder, bind="127.0.0.1:9"):
        self.folder, self.bind = folder, bind
        self.clock, self.memory = Clock(), MachineMemory()
        self.troubles, self.watches, self.rounds = {}, {}, {}
        self.counted = []

    def configure(self, alerts):
        text = FILE.format(bind=self.bind) + (f"alerts: {json.dumps(alerts)}\n" if alerts else "")
        (self.folder / "config.yaml").write_text(text, encoding="utf-8")
        return load_config(self.folder / "config.yaml", {})

    def start(self, name, config):
        self.rounds[name], self.troubles[name] = Rounds(), {}
        watch = AlertWatch(
            config, self.memory, lambda: self.troubles[name], self, wall_clock=self.clock, wait=self.rounds[name]
        )
        self.watches[name] = watch
        watch.start()

    def kill(self, name):
        """End a process as its death would: the kernel gives back its locks, and it says nothing more."""
        watch = self.watches.pop(name)
        self.rounds.pop(name).end()
        watch.close()
        watch._loop._thread.join(10)  # noqa: SLF001 - the lock is given back by then

    def look(self, seconds=0.0):
        self.clock.now += seconds
        for rounds in self.rounds.values():
            rounds.step()

    def settle(self, sent):
        """Wait until so many messages are known to be out, and that is kept."""
        until(lambda: self.counted.count(("webhook", "sent")) >= sent)
        self.look()

    def close(self):
        for name in list(self.watches):
            self.kill(name)

    def alert_sent(self, channel):
        self.counted.append((channel, "sent"))

    def alert_failed(self, channel):
        self.counted.append((channel, "failed"))

    def alerts_waiting(self, channel, count):
        self.counted.append((channel, count))


@pytest.fixture
def machine(tmp_path):
    found = Machine(tmp_path)
    yield found
    found.close()


@pytest.fixture
def hook():
    with HttpServer(lambda _: Reply(b"ok")) as server:
        yield server


def subjects(server, count):
    until(lambda: len(server.requests) >= count)
    return [json.loads(asked.body)["subject"].partition(": ")[2] for asked in server.requests]


def test_of_several_processes_one_tells_what_any_of_them_sees(machine, hook):
    config = machine.configure({"webhook": {"url": hook.url}})
    for name in ("a", "b", "c"):
        machine.start(name, config)
    machine.look()
    machine.troubles["b"] = CRM
    machine.troubles["c"] = {**CRM, "extensions.csv": "cannot be read"}
    for _ in range(30):
        machine.look(5)
    machine.troubles = {name: {} for name in "abc"}
    for _ in range(200):
        machine.look(5)
    assert subjects(hook, 4) == [
        "degraded: connector crm",
        "degraded: extensions.csv",
        "still degraded, well again: connector crm",
        "well again: extensions.csv",
    ]


def test_the_death_of_who_tells_neither_loses_nor_doubles(machine, hook):
    config = machine.configure({"webhook": {"url": hook.url}})
    machine.start("a", config)
    machine.look()
    machine.start("b", config)
    machine.troubles["a"] = CRM
    machine.look(5)
    assert subjects(hook, 1) == ["degraded: connector crm"]
    machine.settle(1)
    machine.kill("a")
    machine.start("c", config)  # a new process, which has not yet met the trouble
    for _ in range(60):
        machine.look(5)
    machine.troubles["c"] = CRM
    for _ in range(300):
        machine.look(5)
    machine.troubles["c"] = {"cache.path": "rejected"}
    for _ in range(20):
        machine.look(5)
    assert sorted(subjects(hook, 3)) == [
        "degraded: cache.path",
        "degraded: connector crm",
        "still degraded, well again: connector crm",
    ]


def test_what_is_over_by_then_is_not_called_still_wrong(machine, hook):
    machine.start("a", machine.configure({"webhook": {"url": hook.url}}))
    machine.troubles["a"] = {**CRM, "extensions.csv": "rejected: cannot be read"}
    machine.look()
    for _ in range(30):
        machine.look(5)
    machine.troubles["a"] = {**CRM, "api_keys": "rejected: came without a key"}
    machine.look(5)
    subjects(hook, 2)
    last = json.loads(hook.requests[-1].body)
    assert [one["part"] for one in last["troubles"]] == ["api_keys", "connector crm"]
    assert "extensions.csv" not in last["text"]


def test_what_only_a_process_that_died_saw_is_not_taken_to_be_over(machine, hook):
    config = machine.configure({"webhook": {"url": hook.url}})
    machine.start("a", config)
    machine.look()
    machine.start("b", config)
    machine.troubles["b"] = CRM
    for _ in range(200):
        machine.look(5)
    machine.kill("b")
    machine.start("c", config)
    for _ in range(60):
        machine.look(5)
    machine.troubles["c"] = CRM
    for _ in range(300):
        machine.look(5)
    machine.troubles["c"] = {}
    for _ in range(20):
        machine.look(5)
    assert subjects(hook, 2) == ["degraded: connector crm", "well again: connector crm"]


def test_a_restart_tells_nothing_again(machine, hook):
    config = machine.configure({"webhook": {"url": hook.url}})
    machine.start("a", config)
    machine.troubles["a"] = CRM
    machine.look(5)
    assert subjects(hook, 1) == ["degraded: connector crm"]
    machine.settle(1)
    machine.kill("a")
    machine.memory = MachineMemory()  # nothing in memory outlives the service
    machine.start("b", config)
    machine.look(30)
    machine.troubles["b"] = CRM
    for _ in range(300):
        machine.look(5)
    assert subjects(hook, 1) == ["degraded: connector crm"]


def test_what_could_not_be_sent_is_sent_after_a_restart_with_its_time(machine, caplog):
    with dead_port() as port:
        config = machine.configure({"webhook": {"url": f"http://127.0.0.1:{port}/hunter2"}})
        machine.start("a", config)
        machine.troubles["a"] = CRM
        at = machine.clock.now + 5
        machine.look(5)
        until(machine.watches["a"].troubles)
    told = f"127.0.0.1:{port} refuses the connection"
    assert machine.watches["a"].troubles() == {"alerts.webhook": f"cannot be sent: {told}"}
    assert f"alerts.webhook: a message could not be sent, and is tried again: {told}" in caplog.text
    assert "hunter2" not in caplog.text
    assert ("webhook", "failed") in machine.counted
    machine.kill("a")
    machine.memory = MachineMemory()
    machine.clock.now += 7200
    with HttpServer(lambda _: Reply(b"ok")) as late:
        machine.start("b", machine.configure({"webhook": {"url": late.url}}))
        machine.look()
        assert subjects(late, 1) == ["degraded: connector crm"]
        until(lambda: ("webhook", "sent") in machine.counted)
        body = json.loads(late.requests[0].body)
    assert "This could not be sent before" in body["text"]
    assert body["at"] != body["sent_at"]
    assert body["at"][14:19] == f"{int(at) % 3600 // 60:02}:{int(at) % 60:02}"
    assert machine.watches["b"].troubles() == {}


def test_every_process_knows_which_channel_fails(machine):
    with dead_port() as port:
        config = machine.configure({"webhook": {"url": f"http://127.0.0.1:{port}/"}})
        machine.start("a", config)
        machine.look()
        machine.start("b", config)
        machine.troubles["b"] = CRM
        machine.look(5)
        machine.look(5)
        until(machine.watches["b"].troubles)
    assert machine.watches["a"].troubles() == machine.watches["b"].troubles()


def test_a_message_goes_out_over_each_channel_and_one_that_fails_holds_up_no_other(machine, hook):
    with ExitStack() as stack:
        mails = stack.enter_context(MailServer(answer=lambda: "451 later"))
        email = {"host": "127.0.0.1", "port": mails.port, "tls": "none", "from": "a@b.example", "to": "c@d.example"}
        machine.start("a", machine.configure({"webhook": {"url": hook.url}, "email": email}))
        machine.troubles["a"] = CRM
        machine.look(5)
        assert subjects(hook, 1) == ["degraded: connector crm"]
        until(machine.watches["a"].troubles)
    assert list(machine.watches["a"].troubles()) == ["alerts.email"]


def test_a_reload_puts_other_alerts_in_force(machine, hook):
    machine.start("a", machine.configure(None))
    config = machine.configure({"webhook": {"url": hook.url}})
    machine.watches["a"].adopt(config)
    machine.troubles["a"] = CRM
    machine.look(5)
    assert subjects(hook, 1) == ["degraded: connector crm"]
    with HttpServer(lambda _: Reply(b"ok")) as other:
        machine.watches["a"].adopt(machine.configure({"for": "5s", "webhook": {"url": other.url}}))
        machine.troubles["a"] = {**CRM, "cache.path": "the disk is full"}
        machine.look()
        machine.look(5)
        assert subjects(other, 1) == ["degraded: cache.path"]
    machine.watches["a"].adopt(machine.configure(None))
    machine.troubles["a"] = {"another": "rejected"}
    machine.look(1000)
    machine.look(1000)
    assert len(hook.requests) == 1


def test_the_ping_tells_that_a_worker_answers_and_what_is_wrong(tmp_path, hook):
    with HttpServer(lambda _: Reply()) as worker:
        machine = Machine(tmp_path, worker.host)
        machine.start("a", machine.configure({"ping": {"url": f"{hook.url}/uuid"}}))
        machine.start("b", machine.configure({"ping": {"url": f"{hook.url}/uuid"}}))
        machine.look()
        until(lambda: hook.requests)
        machine.troubles["a"] = CRM
        machine.look(5)
        until(lambda: len(hook.requests) > 1)
        machine.close()
    assert [(asked.method, asked.path) for asked in hook.requests] == [("GET", "/uuid"), ("POST", "/uuid/fail")]
    assert hook.requests[1].body.decode().startswith("connector crm: rejected: crm.example answered 401\n  Since ")
    assert [asked.path for asked in worker.requests] == ["/healthz", "/healthz"]


def test_the_ping_stops_when_no_worker_answers(tmp_path, hook, caplog):
    with dead_port() as port:
        machine = Machine(tmp_path, f"127.0.0.1:{port}")
        machine.start("a", machine.configure({"ping": {"url": hook.url}}))
        machine.look()
        until(lambda: ("ping", "failed") in machine.counted)
        machine.close()
    assert hook.requests == []
    assert f"alerts.ping: no worker answers at 127.0.0.1:{port}: no ping is sent" in caplog.text


def test_a_file_of_somebody_else_is_left_alone(machine, hook, caplog):
    (machine.folder / "alerts.json").write_text('{"mine": 1}')
    machine.start("a", machine.configure({"webhook": {"url": hook.url}}))
    machine.troubles["a"] = CRM
    machine.look(5)
    assert subjects(hook, 1) == ["degraded: connector crm"]
    until(lambda: "cannot be written" in caplog.text)
    assert (machine.folder / "alerts.json").read_text() == '{"mine": 1}'
    assert "alerts.json cannot be written: there is a file that omi-bridge did not make" in caplog.text


def test_a_damaged_state_is_begun_anew(machine, hook, caplog):
    caplog.set_level(logging.WARNING)
    (machine.folder / "alerts.json").write_text('{"made_by": "omi-bridge alerts 1", "parts": [{"part": 3}]}')
    machine.start("a", machine.configure({"webhook": {"url": hook.url}}))
    machine.troubles["a"] = CRM
    machine.look(5)
    assert subjects(hook, 1) == ["degraded: connector crm"]
    assert "alerts.json does not hold what it should: begun anew" in caplog.text
