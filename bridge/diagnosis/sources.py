"""What `omi-bridge check` finds out beyond the configuration itself: whether the sources can be used."""

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

from bridge.config.expectations import Expectation
from bridge.config.loading import Config
from bridge.config.values import is_this_machine
from bridge.diagnosis.certificates import judge_certificates
from bridge.diagnosis.deputies import DeputyReport
from bridge.diagnosis.directory import DirectoryReport
from bridge.diagnosis.finding import Finding, Severity
from bridge.diagnosis.known_customers import Tried, ask_known_customers, name_known_customers
from bridge.diagnosis.probing import probe
from bridge.diagnosis.reading_ahead import judge_snapshot
from bridge.diagnosis.settings import settings_to_look_at
from bridge.extensions.deputy_file import DeputyFileWatch
from bridge.extensions.extension_file import ExtensionFileWatch
from bridge.extensions.polled_list import PolledList
from bridge.lookup.guard import Guard
from bridge.resilience.sanitizing import bug_in, sanitised_customers, sanitised_owners
from bridge.sdk.connector import Attention, Owner
from bridge.sdk.deadline import Deadline
from bridge.sdk.disk.list_state import ListState
from bridge.sdk.errors import SourceError, SourceUnavailable
from bridge.sdk.threads.single_flight import SingleFlight
from bridge.service import Service
from bridge.storage.sqlite_file import obstacle

OPENING_PATIENCE = 30.0
"""Seconds that a command waits for a connector to open: longer than the service, for nobody's call depends on it."""

IN_A_CONTAINER = (Path("/.dockerenv"), Path("/run/.containerenv"))
"""Files that Docker and Podman make in each container."""

_MOST_OWNERS = 100_000
_Known = tuple[Sequence[Owner], Mapping[Owner, int]]
"""All owners of a connector, and how many customers each has, as far as it can tell."""
_NAMING_KEYS = ("owners_query", "users")
"""Optional settings of the connectors that come along: with one, a connector can name all its owners."""


def check_service(service: Service, *, online: bool, more: Sequence[Expectation] = ()) -> Iterator[Finding]:
    """Open what can be opened on this machine; `online` also opens and asks what lies outside.

    `more` are known customers beside those of the configuration.
    """
    tried, known = Tried(), (*service.config.expectations, *more)
    yield from _listens(service.config.settings.server.bind)
    yield from _kept_in(service.config)
    yield from settings_to_look_at(service.config)
    for file in service.extensions.files():
        yield from _file(file, online=online)
    for source in service.extensions.sources:
        yield from _list(source) if online else [Finding(source.name, "not asked (--online asks it)")]
    for part, trouble in service.sharing.probe() if online else ():
        yield Finding(part, trouble or "can be read and written", Severity.FAILED if trouble else Severity.OK)
    for guard in service.guards.values():
        if guard.connector.needs_network and not online:
            yield Finding(guard.name, "not asked (--online asks it)")
            yield from _own_trouble(guard)
        else:
            yield from _source(guard, tried if online else None)
    yield from ask_known_customers(service, known, tried) if online else name_known_customers(service, known)
    yield from judge_certificates(time.time())
    if online:
        yield from judge_directory(service)
    else:
        yield from _nobody_rings(service)
        yield from DeputyReport(service.extensions).findings()


def _nobody_rings(service: Service) -> Iterator[Finding]:
    """Tell what of the directory fails, where nothing outside this machine has a say in it."""
    elsewhere = [guard.connector.needs_network for guard in service.guards.values()]
    elsewhere += [file.needs_network for file in service.extensions.files()]
    if not any(elsewhere) and not service.extensions.sources:
        yield from (finding for finding in judge_directory(service) if finding.failed)


def _listens(bind: str) -> Iterator[Finding]:
    """Tell if others than this machine reach the service without a proxy; a container has a network of its own."""
    host = bind.rpartition(":")[0].strip("[]")
    if is_this_machine(host) or any(mark.exists() for mark in IN_A_CONTAINER):
        return
    yield Finding(
        "server.bind",
        f"other machines reach {bind}: in plain HTTP, and without a proxy that keeps slow and countless connections"
        " away. Write 127.0.0.1, and put nginx or Caddy in front, as docs/deploy.md shows",
        Severity.WARNING,
    )


def _kept_in(config: Config) -> Iterator[Finding]:
    """Tell which of the service's own files this user could not write, without writing."""
    files = {"server.decisions": config.decisions_file, "cache.path": config.settings.cache.path}
    for part, path in files.items():
        if path and (why := obstacle(path)):
            yield Finding(part, f"{path} cannot be written: {why}", Severity.WARNING)


def _file(file: ExtensionFileWatch | DeputyFileWatch, *, online: bool) -> Iterator[Finding]:
    if file.needs_network and not online:
        yield Finding("extensions", "not asked (--online asks it)")
        return
    file.start()
    file.wait(OPENING_PATIENCE)
    why = ""
    try:
        lines = file.report()
    except SourceError as error:
        yield Finding("extensions", why := str(error), Severity.FAILED)
    else:
        yield from (_told("extensions", line) for line in lines)
    if file.trouble and file.trouble != why:
        yield Finding("extensions", file.trouble, _as_bad_as(file.kept))


def _as_bad_as(kept: ListState) -> Severity:
    """Tell how bad a trouble is: where only a copy answers, somebody has to act before the file changes again."""
    return Severity.FAILED if kept.stands_in and not kept.doubted else Severity.WARNING


def _told(subject: str, line: str) -> Finding:
    return Finding(subject, line, Severity.WARNING if isinstance(line, Attention) else Severity.OK)


def _list(source: PolledList) -> Iterator[Finding]:
    source.start(writes=False)
    source.wait(source.settings.config.timeout + OPENING_PATIENCE)
    if source.failure:
        yield Finding(source.name, source.failure, Severity.FAILED)
    else:
        yield from (_told(source.name, line) for line in source.report())
    if source.cannot_keep:
        yield Finding(source.name, source.cannot_keep, Severity.WARNING)


def _source(guard: Guard, tried: Tried | None) -> Iterator[Finding]:
    started = time.monotonic()
    guard.opening.start()
    if trouble := guard.opening.wait(max(OPENING_PATIENCE, guard.connector.opening_takes)):
        yield Finding(guard.name, f"cannot be opened: {trouble}", Severity.FAILED)
        return
    if guard.connector.kept.stands_in:
        told = "answers from the copy that was kept of its last good version:"
        yield Finding(guard.name, told, Severity.WARNING)
    else:
        yield Finding(guard.name, f"can be opened{_after(time.monotonic() - started)}")
    yield from (_told(guard.name, line) for line in guard.report())
    if guard.read_ahead:
        yield from judge_snapshot(guard, guard.read_ahead.snapshot, online=tried is not None)
    if guard.trouble:
        yield Finding(guard.name, guard.trouble, _as_bad_as(guard.connector.kept))
    if guard.read_ahead and guard.read_ahead.knows_nobody_yet:
        told = "snapshot: no customer is known before the service has run for as long as reading them takes"
        yield Finding(guard.name, told, Severity.WARNING)
    elif tried:
        yield from probe(guard, tried)


def _after(seconds: float) -> str:
    return f", in {seconds:.1f} s (connecting, signing in, reading lists: not at each call)" if seconds >= 1 else ""


def _own_trouble(guard: Guard) -> Iterator[Finding]:
    if trouble := guard.own_trouble:
        yield Finding(guard.name, trouble, Severity.WARNING)


def judge_directory(service: Service) -> Iterator[Finding]:
    """Compare the owners that the connectors can name with the lists of extensions."""
    if closed := [name for name, guard in service.guards.items() if guard.opening.trouble]:
        yield Finding("directory", f"not judged: {', '.join(closed)} cannot be opened", Severity.WARNING)
        yield from DeputyReport(service.extensions).findings()
        return
    named: dict[str, Sequence[Owner]] = {}
    customers: dict[str, Mapping[Owner, int]] = {}
    for name, guard in service.guards.items():
        try:
            owners, customers[name] = _owners_known(guard)
        except SourceError as error:
            yield Finding(name, f"cannot name its owners now: {error}", Severity.WARNING)
        else:
            if owners:
                named[name] = owners
    silent = {name: _naming_key(guard) for name, guard in service.guards.items() if name not in named}
    yield from DirectoryReport(service.extensions, named, silent, customers).findings()
    everybody = None if silent else tuple(chain.from_iterable(named.values()))
    yield from DeputyReport(service.extensions, everybody).findings()


def _naming_key(guard: Guard) -> str:
    """Return the setting with which the connector could name its owners, or nothing."""
    config = guard.connector.config
    return next((key for key in _NAMING_KEYS if getattr(config, key, ...) is None), "")


def _owners_known(guard: Guard) -> _Known:
    """Ask a connector, which is somebody else's code, for all its owners. Raises SourceError."""

    def ask() -> _Known:
        try:
            owners = sanitised_owners(guard.connector.owners_known(), _MOST_OWNERS)
            return owners, sanitised_customers(guard.connector.customers_known())
        except SourceError:
            raise
        except BaseException as error:  # noqa: BLE001 - a stranger's code may even call sys.exit()
            raise bug_in(guard.name, error) from None

    deadline = Deadline.after(OPENING_PATIENCE)
    try:
        flight = SingleFlight[_Known](f"owners-{guard.name}", 1).start(guard.name, ask, deadline)
        return flight.result.result(deadline.remaining())
    except TimeoutError:
        raise SourceUnavailable(f"it did not answer within {OPENING_PATIENCE:.0f} s") from None
