"""A fault's trial: several broken CRMs at once behind one service, each with callers of its own, and what came of it.

Each fault has its connector, its hotline and its load, beside them a CRM that is well: so a fault that spoils anything
for others shows up there. Known callers were answered once before; their answers are past their life all the time.
"""

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count, cycle
from pathlib import Path

from tests.support.faults import extension_of, number
from tests.support.faulty_crm import FaultyCrms
from tests.support.footprint import Footprint, Peak, footprint
from tests.support.load import Caller, Load, Seen, call
from tests.support.service import RunningService

PROCESSES = 2
RATE = 6.0
FAULT_SECONDS = 6.0  # longer than a connector's 4 s, and long enough for the breaker's trials, one each 2 s
RECOVERY_SECONDS = 5.0
_WATCHED_AFTER = 7.0
_KNOWN = 6
_THREADS = 128
MAX_IN_FLIGHT = 8
ROOT = Path(__file__).parents[2]
_CONNECTOR = """
  c{line}:
    type: {type}
    base_url: http://{host}:{port}/owner
    timeout: 4s
    max_in_flight: {in_flight}
    settings: {{silence: {silence}}}
    steps:
      - query: {{phone: "{{{{ caller.national }}}}"}}
        records: records
        match: phone
        take: {{extension: owner}}
"""


@dataclass(frozen=True)
class Figures:
    """What one fault came to; calls are those that began while it lasted, or after it."""

    during: Sequence[Seen]
    after: Sequence[Seen]
    ended: float
    requests: int
    requests_after: int
    calls_before: int
    server_lines: Sequence[str]
    memory: float
    """MB that the processes have grown by, once all was over; the same for all faults of one trial."""
    peak: float

    @property
    def seen(self) -> Sequence[Seen]:
        return [*self.during, *self.after]

    @property
    def recovery(self) -> float:
        """Seconds from the fault's end to the first right answer for a new customer with no other after it."""
        asked = sorted((one for one in self.after if one.caller.extension and not one.caller.known), key=_began)
        bad = [index for index, one in enumerate(asked) if not one.right]
        following = asked[bad[-1] + 1 :] if bad else asked
        return max(0.0, _ended(following[0]) - self.ended) if following else float("inf")


def _began(seen: Seen) -> float:
    return seen.began


def _ended(seen: Seen) -> float:
    return seen.began + seen.seconds


@dataclass(frozen=True)
class Trial:
    """Figures of each fault by its name, and what the workers held before and afterwards."""

    figures: dict[str, Figures]
    before: Footprint
    afterwards: Footprint


def hotline_of(line: int) -> str:
    return f"0283812{line:04}"


def known(line: int) -> list[Caller]:
    phones = [number(line, 1, serial) for serial in range(_KNOWN)]
    return [Caller(phone, hotline_of(line), extension_of(phone), known=True) for phone in phones]


def callers(line: int) -> Iterator[Caller]:
    """Give who calls next: a known customer, or one never heard of before, or nobody; each stranger only once."""
    regulars = cycle(known(line))
    for serial in count():
        yield next(regulars)
        for kind in (2, 3):
            phone = number(line, kind, serial)
            yield Caller(phone, hotline_of(line), extension_of(phone))
        yield next(regulars)
        phone = number(line, 4, serial)
        yield Caller(phone, hotline_of(line), extension_of(phone))
        yield Caller(number(line, 0, serial), hotline_of(line))


def write_config(folder: Path, ports: Sequence[int], faults: Sequence[str]) -> Path:
    text = "api_keys: [change-me]\ncache: {ttl: 1s, negative_ttl: 1s}\nconnectors:"
    for line, (port, fault) in enumerate(zip(ports, faults, strict=True)):
        kind = "tests.support.nameless:NamelessConnector" if fault == "no dns" else "rest"
        host = "crm.example" if fault == "no dns" else "127.0.0.1"
        silence = folder / "silence"
        text += _CONNECTOR.format(line=line, type=kind, host=host, port=port, silence=silence, in_flight=MAX_IN_FLIGHT)
    text += "routes:\n"
    text += "".join(f'  - {{hotlines: "{hotline_of(line)}", connectors: c{line}}}\n' for line in range(len(ports)))
    config = folder / "config.yaml"
    config.write_text(text, encoding="utf-8")
    return config


def environment() -> dict[str, str]:
    return {**os.environ, "NO_PROXY": "*", "PYTHONPATH": str(ROOT)}


def try_out(folder: Path, faults: Sequence[str]) -> Trial:
    """Let all faults happen at the same time, once, and return what was seen."""
    shown = ["well", *faults]
    with ExitStack() as stack:
        crms = stack.enter_context(FaultyCrms(len(shown)))
        config = write_config(folder, crms.ports, shown)
        options = ["--threads", str(_THREADS), "--workers", str(PROCESSES)]
        service = stack.enter_context(RunningService(config, *options, environment=environment()))
        service.wait_for_workers(PROCESSES)
        for line in range(len(shown)):
            for caller in known(line):
                seen = call(service, caller)
                assert seen.right, f"{caller} was answered {seen.body!r}, {seen.outcome} before any fault"
        return _during_load(folder, service, crms, shown)


def _during_load(folder: Path, service: RunningService, crms: FaultyCrms, shown: Sequence[str]) -> Trial:
    workers = service.begun
    with ExitStack() as stack:
        loads = [Load(service, callers(line).__next__, RATE, f"{line}-") for line in range(len(shown))]
        for load in loads:
            stack.enter_context(load)
            threading.Event().wait(1 / RATE / len(loads))
        threading.Event().wait(2.0)
        before, peak = footprint(workers), stack.enter_context(Peak(workers))
        asked, begun = crms.requests(), time.monotonic()
        for line, fault in enumerate(shown):
            crms.show(line, fault)
        (folder / "silence").touch()
        threading.Event().wait(FAULT_SECONDS)
        for line in range(len(shown)):
            crms.show(line, "well")
        (folder / "silence").unlink()
        asked_during, ended = crms.requests(), time.monotonic()
        threading.Event().wait(_WATCHED_AFTER)
        asked_after = crms.requests()
    afterwards = settled(workers, before.threads)
    assert service.begun == workers, "a worker died"
    return Trial(
        {
            fault: Figures(
                list(load.between(begun, ended)),
                list(load.between(ended)),
                ended,
                asked_during[line] - asked[line],
                asked_after[line] - asked_during[line],
                len(list(load.between(begun - 2.0, begun))),
                [text for text in service.log if f" {line}-" in text],
                afterwards.memory - before.memory,
                peak.memory - before.memory,
            )
            for line, (fault, load) in enumerate(zip(shown, loads, strict=True))
        },
        before,
        afterwards,
    )


def settled(workers: Sequence[int], threads: int) -> Footprint:
    """Return what the workers hold once no more than so many threads are left, or after some seconds."""
    end = time.monotonic() + 8.0
    while (now := footprint(workers)).threads > threads and time.monotonic() < end:
        threading.Event().wait(0.1)
    return now
