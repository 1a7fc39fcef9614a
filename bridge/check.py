"""What `omi-bridge check` finds out beyond the configuration itself: whether the sources can be used."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from bridge.app import Service
from bridge.connector import Call
from bridge.errors import SourceError
from bridge.extension_file import ExtensionFileWatch
from bridge.guard import Guard
from bridge.phone import PhoneNumber

PROBE = PhoneNumber("+84999999999")
"""A number that should have no owner: well-formed, and in nobody's address book."""

OPENING_PATIENCE = 30.0
"""Seconds that a command waits for a connector to open: longer than the service, for nobody's call depends on it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    subject: str
    message: str
    failed: bool = False

    def __str__(self) -> str:
        return f"{'FAILED' if self.failed else 'ok':6}  {self.subject}: {self.message}"


def check_service(service: Service, *, online: bool) -> Iterator[Finding]:
    """Open what can be opened on this machine; `online` also opens and asks what lies outside."""
    for file in service.extension_files:
        yield from _extensions(file)
    for part, trouble in service.sharing.probe() if online else ():
        yield Finding(part, trouble or "can be read and written", failed=bool(trouble))
    for guard in service.guards.values():
        if guard.connector.needs_network and not online:
            yield Finding(guard.name, "not asked (--online asks it)")
        else:
            yield from _source(guard, online=online)


def _extensions(file: ExtensionFileWatch) -> Iterator[Finding]:
    file.start()
    try:
        lines = file.report()
    except SourceError as error:
        yield Finding("extensions", str(error), failed=True)
    else:
        yield from (Finding("extensions", line) for line in lines)


def _source(guard: Guard, *, online: bool) -> Iterator[Finding]:
    guard.opening.start()
    if trouble := guard.opening.wait(OPENING_PATIENCE):
        yield Finding(guard.name, f"cannot be opened: {trouble}", failed=True)
        return
    yield Finding(guard.name, "can be opened")
    for line in guard.report():
        yield Finding(guard.name, line)
    if online:
        yield _probe(guard)


def _probe(guard: Guard) -> Finding:
    started = time.monotonic()
    try:
        pending = guard.begin(Call(PROBE))
        pending.wait(guard.timeout)
        answer = pending.answer()
    except SourceError as error:
        return Finding(guard.name, f"{error.reason}: {error}", failed=True)
    milliseconds = (time.monotonic() - started) * 1000
    return Finding(guard.name, f"asked for {PROBE.national}: {len(answer.owners)} owner(s) in {milliseconds:.0f} ms")
