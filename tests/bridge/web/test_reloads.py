"""How the master has all processes reload together: what they say and how long they take is played here."""

import json
from dataclasses import dataclass

import pytest

from bridge.config.loading import load_config
from bridge.local.packets import Line
from bridge.sdk.secrets import Redaction
from bridge.web.reloads import LIMIT, Reloads
from tests.support.fakes import FakeClock

FILE = "api_keys: [change-me]\nconnectors: {crm: {type: 'bridge.testing.fakes:FakeConnector'}}\n"
DEADLINE = FILE + "server: {deadline: 1.5s}\n"


@dataclass
class Worker:
    """A worker's number and the master's end of its line; `other` is its own end."""

    pid: int
    line: Line
    other: Line

    @classmethod
    def made(cls, pid):
        return cls(pid, *Line.pair())

    def told(self):
        """Return everything that the master has said and was not read yet."""
        found = []
        try:
            while True:
                found.append(self.other.receive(wait=False))
        except BlockingIOError:
            return found


class Machine:
    """The master's part, with so many workers, of which each says what a test has it say."""

    def __init__(self, file, workers):
        self.file = file
        self.clock = FakeClock()
        self.reloads = Reloads(load_config(file), Redaction(), self.clock)
        self.workers = [Worker.made(number + 1) for number in range(workers)]
        self.verdicts = []
        for worker in self.workers:
            self.reloads.joined(worker)

    def ask(self, **variables):
        self.reloads.ask(self.verdicts.append, variables)
        self.reloads.tick()

    def say(self, worker, word, number=1, beside=b"", **more):
        worker.other.send({"say": word, "number": number, **more}, beside)
        self.reloads.hear(worker)

    def read(self, worker, text, number=1):
        """Have a worker say what the judge says when the file holds this text, and can be used."""
        self.file.write_text(text, encoding="utf-8")
        content = load_config(self.file).content.to_bytes()
        self.say(worker, "yes", number, content, differs=["config.yaml"], remarks=[])

    def close(self):
        for worker in self.workers:
            worker.line.close()
            worker.other.close()


@pytest.fixture
def machine(tmp_path):
    made = []

    def make(workers=3):
        (tmp_path / "config.yaml").write_text(FILE, encoding="utf-8")
        made.append(Machine(tmp_path / "config.yaml", workers))
        return made[-1]

    yield make
    for one in made:
        one.close()


def words(worker):
    return [message.said["do"] for message in worker.told()]


def test_one_worker_reads_the_others_follow_what_it_has_read_and_all_put_it_in_force_at_a_word(machine):
    one = machine()
    first, *others = one.workers
    one.ask()
    assert [words(worker) for worker in one.workers] == [["read"], [], []]
    one.read(first, DEADLINE)
    for worker in others:
        (message,) = worker.told()
        assert (message.said["do"], json.loads(message.beside)[0]) == ("prepare", DEADLINE)
    one.say(others[0], "yes", remarks=[])
    assert words(first) == []
    assert one.reloads.config.settings.server.deadline == 1.8
    one.say(others[1], "yes", remarks=[])
    assert [words(worker) for worker in one.workers] == [["commit"]] * 3
    assert one.reloads.config.settings.server.deadline == 1.5
    for worker in one.workers:
        assert one.verdicts == []
        one.say(worker, "done")
    (verdict,) = one.verdicts
    assert verdict.accepted
    assert verdict.lines == (f"configuration reloaded from {one.file}; changed: config.yaml",)


def test_one_process_is_enough(machine):
    one = machine(1)
    (worker,) = one.workers
    one.ask()
    one.read(worker, DEADLINE)
    one.say(worker, "done")
    assert words(worker) == ["read", "commit"]
    assert one.verdicts[0].accepted


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (lambda one: one.say(one.workers[1], "no", problems=["no list"]), "no list (in process 2 alone)"),
        (lambda one: one.reloads.left(one.workers[1]), "process 2 ended in the middle of the reload"),
        (lambda one: one.clock.advance(LIMIT), f"process 2, 3 did not say within {LIMIT:.0f} s whether it can follow"),
        (lambda one: one.reloads.stop(), "the service is being stopped"),
    ],
)
def test_what_one_process_cannot_follow_is_put_in_force_by_none(machine, happens, why):
    one = machine()
    one.ask()
    one.read(one.workers[0], DEADLINE)
    happens(one)
    one.reloads.tick()
    assert words(one.workers[0]) == ["read", "drop"]
    one.clock.advance(10)
    one.reloads.tick()
    (verdict,) = one.verdicts
    assert (verdict.accepted, verdict.lines) == (
        False,
        (f"not reloaded, the old configuration stays in force: {why}",),
    )
    assert one.reloads.config.settings.server.deadline == 1.8
    assert one.reloads.refused == why


def test_what_cannot_be_read_is_told_by_one_process_and_made_ready_by_none(machine):
    one = machine()
    one.ask()
    one.say(one.workers[0], "no", problems=["line 3", "line 5"])
    assert [words(worker) for worker in one.workers] == [["read", "drop"], ["drop"], ["drop"]]
    for worker in one.workers:
        one.say(worker, "done")
    assert [line.rpartition(": ")[2] for line in one.verdicts[0].lines] == ["line 3", "line 5"]


def test_that_nothing_differs_is_said_together_with_what_a_signal_cannot_bring(machine, monkeypatch):
    monkeypatch.setenv("KEY_OF_OMICALL", "planted-secret")
    one = machine(1)
    one.file.write_text(FILE.replace("change-me", "'${KEY_OF_OMICALL}'"))
    one.reloads.config = load_config(one.file)
    for variables in ({}, {"KEY_OF_OMICALL": "planted-secret"}):
        one.ask(**variables)
        number = one.workers[0].told()[0].said["number"]
        one.say(one.workers[0], "same", number, remarks=[])
        one.say(one.workers[0], "done", number)
        one.workers[0].told()
    told = [verdict.lines[0].partition("nothing differs")[2] for verdict in one.verdicts]
    hint = "; $KEY_OF_OMICALL as since the start: omi-bridge reload or a restart brings new values"
    assert told == [f" from what is in force{hint}", " from what is in force"]
    assert all(verdict.accepted for verdict in one.verdicts)


def test_who_asks_while_a_reload_is_judged_is_served_by_the_next_one_together_with_all_others(machine):
    one = machine(1)
    (worker,) = one.workers
    one.ask()
    for value in ("1", "2"):
        one.ask(A=value)
    assert words(worker) == ["read"]
    one.say(worker, "same", remarks=[])
    one.say(worker, "done")
    one.reloads.tick()
    message = worker.told()[-1]
    assert (message.said, json.loads(message.beside)) == ({"do": "read", "number": 2}, {"A": "2"})
    one.say(worker, "same", 2, remarks=[])
    one.say(worker, "done", 2)
    one.reloads.tick()
    assert len(one.verdicts) == 3
    assert words(worker) == ["drop"]


def test_a_process_that_is_forked_in_the_middle_follows_as_well(machine):
    one = machine(2)
    one.ask()
    one.read(one.workers[0], DEADLINE)
    late = Worker.made(9)
    one.workers.append(late)
    one.reloads.joined(late)
    one.say(one.workers[1], "yes", remarks=[])
    assert words(one.workers[0]) == ["read"]
    one.say(late, "yes", remarks=[])
    assert words(late) == ["prepare", "commit"]


def test_who_does_not_put_in_force_what_was_decided_is_ended(machine, monkeypatch):
    ended = []
    monkeypatch.setattr("os.kill", lambda pid, number: ended.append((pid, number.name)))
    one = machine(2)
    one.ask()
    one.read(one.workers[0], DEADLINE)
    one.say(one.workers[1], "yes", remarks=[])
    one.say(one.workers[0], "done")
    one.clock.advance(5)
    one.reloads.tick()
    assert ended == [(2, "SIGKILL")]
    assert one.verdicts[0].accepted


def test_who_hangs_up_is_not_listened_to_any_more_and_counts_as_no(machine):
    one = machine(2)
    one.workers[1].other.close()
    one.reloads.hear(one.workers[1])
    assert one.reloads.processes() == one.workers[:1]
    one.ask()
    one.read(one.workers[0], DEADLINE)
    assert one.reloads.refused == "process 2 cannot be told of it"


def test_a_word_about_an_earlier_reload_counts_for_nothing(machine):
    one = machine(1)
    (worker,) = one.workers
    one.ask()
    one.clock.advance(LIMIT)
    one.reloads.tick()
    one.say(worker, "done")
    one.ask()
    one.say(worker, "same", 1, remarks=[])
    assert words(worker) == ["read", "drop", "read"]
