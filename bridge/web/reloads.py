"""The configuration in force on this machine, and how it changes: in all processes, or in none.

It is held here, in the master, as what was read and not as a file that may be another one by now: who is started anew
gets it from here. A reload has two steps. One worker reads what stands in the files and makes it ready; then the others
make ready what that one has read. If all of them can, each is told to put it in force, and one that does not obey is
ended and started anew; if one cannot, dies or says nothing for too long, all are told to drop it. So a configuration
that cannot be read costs one process, and a list that only one process can read is put in force by none.

The master waits for nobody here: `hear` and `tick` are called by its loop.
"""

import json
import logging
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from bridge.config.content import Content
from bridge.config.identity import changed_modules
from bridge.config.loading import Config, load_config
from bridge.local.packets import Line, Packet
from bridge.sdk.deadline import Clock
from bridge.sdk.errors import ConfigError
from bridge.sdk.secrets import Redaction

_log = logging.getLogger(__name__)

LIMIT = 75.0
"""Seconds after which who has not said that it can follow counts as no: below the 90 that systemd waits."""
_LIMIT_OF_OBEDIENCE = 5.0
_RESTARTED = ("bind", "workers", "threads", "path", "log_level", "log_format", "decisions")


class Process(Protocol):
    """A worker as gunicorn has it: the number of its process, and the master's end of its line."""

    pid: int
    line: Line


@dataclass(frozen=True, slots=True)
class ReloadVerdict:
    """What came of a reload, in lines for whoever asked; `accepted` also if nothing differs."""

    accepted: bool
    lines: tuple[str, ...]


Answer = Callable[[ReloadVerdict], object]


@dataclass(slots=True)
class _Request:
    """A wish to reload, by several who wish it at once; `variables` are new values of the environment."""

    answers: list[Answer] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Judgement:
    """A reload under way: what step it is in, who is still to say a word in it, and until when."""

    number: int
    request: _Request
    end: float
    step: str = "read"
    waiting: list[Process] = field(default_factory=list)
    content: bytes = b""
    differs: Sequence[str] = ()
    remarks: dict[str, None] = field(default_factory=dict)
    verdict: ReloadVerdict = ReloadVerdict(accepted=False, lines=())

    @property
    def is_open(self) -> bool:
        """Whether it is not decided yet."""
        return self.step in {"read", "prepare"}


class Reloads:
    """The configuration in force, and the reload under way. `refused` says why what stands in the file is not it."""

    def __init__(self, config: Config, redaction: Redaction, clock: Clock = time.monotonic) -> None:
        self.config = config
        self.refused = ""
        self._redaction = redaction
        self._started_with = config.settings.server
        self._clock = clock
        self._processes: list[Process] = []
        self._number = 0
        self._judgement: _Judgement | None = None
        self._next: _Request | None = None
        changed_modules(config)  # as they are now that they have been imported

    def ask(self, answer: Answer | None = None, variables: dict[str, str] | None = None) -> None:
        """Reload as soon as no reload is under way, once for all who ask meanwhile; `answer` is told the verdict."""
        self._next = self._next or _Request()
        self._next.variables |= variables or {}
        self._next.answers += [answer] if answer else []

    def processes(self) -> list[Process]:
        """Return the processes that may say something."""
        return [process for process in self._processes if process.line.fileno() >= 0]

    def joined(self, process: Process) -> None:
        """Count a process that has just been forked, with what is in force."""
        self._processes.append(process)
        if (now := self._judgement) and now.step == "prepare":
            self._tell(now, [process], "prepare", now.content)

    def left(self, process: Process) -> None:
        """Count a process no more: it has ended, and says nothing about what it was asked."""
        self._processes.remove(process)
        process.line.close()
        if (now := self._judgement) is None or process not in now.waiting:
            return
        if now.is_open:
            self._refuse(now, [f"process {process.pid} ended in the middle of the reload"])
        else:
            self._done(now, process)

    def hear(self, process: Process) -> None:
        """Take what a process says."""
        with suppress(BlockingIOError, TimeoutError, ValueError, OSError):
            message = process.line.receive(wait=False)
            if message is None:  # it is about to end: to go on listening would keep the master busy until then
                process.line.close()
            now = self._judgement
            if message and now and message.said.get("number") == now.number and process in now.waiting:
                self._take(now, process, message)

    def tick(self) -> None:
        """Begin what is asked for, and end what has taken too long."""
        now = self._judgement
        if now and self._clock() >= now.end:
            self._end_of_patience(now)
        if self._judgement is None and self._next and self._processes:
            request, self._next = self._next, None
            self._number += 1
            self._judgement = now = _Judgement(self._number, request, self._clock() + LIMIT)
            beside = json.dumps(request.variables).encode() if request.variables else b""
            self._tell(now, self._processes[:1], "read", beside)

    def close(self) -> None:
        """Hang up, without a word."""
        for process in self._processes:
            process.line.close()

    def stop(self) -> None:
        """Give up the reload under way: the service ends."""
        if (now := self._judgement) and now.is_open:
            self._refuse(now, ["the service is being stopped"])
        if now and self._judgement is now:
            self._end(now)

    def _take(self, now: _Judgement, process: Process, message: Packet) -> None:
        said = message.said
        now.remarks |= dict.fromkeys(said.get("remarks", ()))
        match said["say"]:
            case "no" if now.is_open:
                self._refuse(now, [self._placed(now, process, problem) for problem in said["problems"]])
            case "same" if now.step == "read":
                self._stay_as_it_is(now)
            case "yes" if now.step == "read":
                now.content, now.differs, now.step = message.beside, said["differs"], "prepare"
                now.waiting = []
                self._tell(now, [one for one in self._processes if one is not process], "prepare", now.content)
            case "yes" if now.step == "prepare":
                now.waiting.remove(process)
            case "done" if not now.is_open:
                self._done(now, process)
        if self._judgement is now and now.step == "prepare" and not now.waiting:
            self._decide(now)

    def _placed(self, now: _Judgement, process: Process, problem: str) -> str:
        """Say of what is wrong in one process alone where that is: the one who read it first could use it."""
        return problem if now.step == "read" else f"{problem} (in process {process.pid} alone)"

    def _tell(self, now: _Judgement, processes: Sequence[Process], word: str, beside: bytes) -> None:
        now.waiting += processes
        for process in processes:
            if not process.line.send({"do": word, "number": now.number}, beside):
                self._refuse(now, [f"process {process.pid} cannot be told of it"])
                return

    def _decide(self, now: _Judgement) -> None:
        """Put the configuration in force: here first, so that who is started from now on has it as well."""
        old = self.config
        try:
            new = load_config(old.file, overrides=old.overrides, content=Content.from_bytes(now.content))
        except ConfigError as error:
            self._refuse(now, list(map(str, error.problems)))
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, the service goes on
            self._refuse(now, [f"a bug of omi-bridge: {type(error).__name__}"])
            return
        self.config, self.refused = new, ""
        self._redaction.replace_secrets(old.secrets | new.secrets)
        changed_modules(new)
        server, before = new.settings.server, self._started_with
        changed = [key for key in _RESTARTED if getattr(server, key) != getattr(before, key)]
        reminders = [f"server.{key} has changed: it takes effect when the service is restarted" for key in changed]
        told = f"configuration reloaded from {new.file}; changed: {', '.join(now.differs)}"
        now.verdict = ReloadVerdict(accepted=True, lines=(told, *reminders, *now.remarks))
        self._close(now, "commit", {"do": "commit", "number": now.number})

    def _stay_as_it_is(self, now: _Judgement) -> None:
        """Say that nothing differs, and where it was looked: a new value elsewhere cannot be seen."""
        told = f"configuration read again from {self.config.file}: nothing differs from what is in force"
        variables = ", ".join(f"${name}" for name in sorted(self.config.content.variables))
        if variables and not now.request.variables:
            told += f"; {variables} as since the start: omi-bridge reload or a restart brings new values"
        now.verdict = ReloadVerdict(accepted=True, lines=(told, *now.remarks))
        self._drop(now, "")

    def _refuse(self, now: _Judgement, problems: Sequence[str]) -> None:
        told = (f"not reloaded, the old configuration stays in force: {problem}" for problem in problems)
        now.verdict = ReloadVerdict(accepted=False, lines=tuple(told))
        self._drop(now, problems[0])

    def _drop(self, now: _Judgement, refused: str) -> None:
        self.refused = refused
        self._close(now, "drop", {"do": "drop", "number": now.number, "refused": refused})

    def _close(self, now: _Judgement, step: str, order: Mapping[str, object]) -> None:
        """Tell all what was decided. The verdict is told when they have done it: then it is true of each of them."""
        now.step, now.end = step, self._clock() + _LIMIT_OF_OBEDIENCE
        now.waiting = list(self._processes)
        for process in self._processes:
            process.line.send(order)
        if not now.waiting:
            self._end(now)

    def _done(self, now: _Judgement, process: Process) -> None:
        now.waiting.remove(process)
        if not now.waiting:
            self._end(now)

    def _end_of_patience(self, now: _Judgement) -> None:
        """Count who says nothing as no; end who was to put it in force and has not, and have it started anew."""
        silent = ", ".join(str(process.pid) for process in now.waiting)
        if now.is_open:
            self._refuse(now, [f"process {silent} did not say within {LIMIT:.0f} s whether it can follow"])
            return
        if now.step == "commit":
            _log.error("process %s does not put the configuration in force: it is ended, and started anew", silent)
            for process in now.waiting:
                with suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
        self._end(now)

    def _end(self, now: _Judgement) -> None:
        self._judgement = None
        verdict = ReloadVerdict(now.verdict.accepted, tuple(map(self._redaction, now.verdict.lines)))
        for line in verdict.lines:
            _log.log(logging.INFO if verdict.accepted else logging.ERROR, "%s", line)
        for answer in now.request.answers:
            answer(verdict)
