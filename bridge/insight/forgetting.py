"""A caller is forgotten everywhere, by the running service too, and what cannot be is said.

The processes are told first, and the files cleared second: see `bridge.storage.forgotten`. What holds the number
because somebody else keeps it there (the CRM, the list of customers) is theirs to delete, and deleted there first: else
the next call brings the caller back.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from typing import NamedTuple

from bridge.config.identity import identity_of
from bridge.config.loading import Config
from bridge.observability.decision_log import sought_in
from bridge.observability.decision_table import DecisionTable
from bridge.sdk.connector import Call
from bridge.sdk.errors import BridgeError
from bridge.sdk.phone.number import PhoneNumber
from bridge.service import forgotten_of
from bridge.storage.answer_table import AnswerTable
from bridge.storage.cache import AnswerCache
from bridge.storage.shared.answers import SharedAnswers
from bridge.storage.shared.sharing import Sharing
from bridge.storage.snapshot.keeper import forget_read_ahead
from bridge.storage.snapshot.snapshot import Files
from bridge.storage.sqlite_file import SqliteFile, Unusable


class Cleared(NamedTuple):
    """A part of what is remembered, what came of clearing it, and whether that failed."""

    part: str
    told: str
    failed: bool


def forget_everywhere(config: Config, caller: PhoneNumber) -> Iterator[Cleared]:
    """Forget a caller, part by part, as somebody takes what is said of them; parts that are not in use say nothing.

    Not within a process that has the files open: SQLite's locks are its process's.
    """
    sharing = Sharing(config)
    hotlines = _hotlines(config)  # before the decisions that name them are deleted
    parts: list[tuple[str, Callable[[], str]]] = [
        ("the running service", lambda: _tell(config, sharing, caller)),
        ("server.decisions", lambda: _decisions(config, caller)),
        ("cache.path", lambda: _remembered(config, caller)),
        ("snapshots", lambda: _read_ahead(config, caller)),
        ("cache.url", lambda: _shared(config, sharing, [Call(caller, one) for one in hotlines])),
    ]
    for part, clear in parts:
        try:
            told = clear()
        except (BridgeError, OSError) as failure:
            yield Cleared(part, _why(failure), failed=True)
        else:
            if told:
                yield Cleared(part, told, failed=False)
    sharing.close()


def _tell(config: Config, sharing: Sharing, caller: PhoneNumber) -> str:
    """Tell every process, here and elsewhere."""
    forgotten = forgotten_of(config)
    forgotten.shared = sharing.of_all()
    forgotten.forget(caller)
    return f"each process forgets within 2 s, by {forgotten.path}; a service with another $STATE_DIRECTORY does not"


def _decisions(config: Config, caller: PhoneNumber) -> str:
    path = config.decisions_file
    if not path.exists():
        return f"there is no {path}"
    with closing(SqliteFile(path, DecisionTable)) as file, file.table() as table:
        count = table.forget(sought_in(config, caller))
    others = ""
    if config.settings.server.decisions.callers == "masked":
        others = f": all that end in {caller.masked}, for masked callers cannot be told apart"
    return f"{count} call(s) deleted in {path}{others}"


def _remembered(config: Config, caller: PhoneNumber) -> str:
    path = config.settings.cache.path
    if path is None or not path.exists():
        return f"there is no {path}" if path else ""
    with closing(SqliteFile(path, AnswerTable)) as file, file.table() as table:
        return f"{table.forget(caller)} answer(s) deleted in {path}"


def _read_ahead(config: Config, caller: PhoneNumber) -> str:
    """Delete the number from what was read ahead, and from what is being read."""
    counts = [
        forget_read_ahead(Files(config.snapshots_folder, name), caller)
        for name, source in config.sources.items()
        if source.config.snapshot
    ]
    return f"{sum(counts)} record(s) deleted in {config.snapshots_folder}" if counts else ""


def _shared(config: Config, sharing: Sharing, calls: Sequence[Call]) -> str:
    """Delete the answers under the hotlines that are known; others are not used any more, and end by themselves."""
    if not config.settings.cache.url:
        return ""
    if trouble := next((trouble for _, trouble in sharing.probe() if trouble), ""):
        raise Unusable(trouble)
    count = 0
    for source in config.sources.values():
        namespace = sharing.namespace(source.name, identity_of(source, config))
        answers = SharedAnswers(namespace, AnswerCache(config.settings.cache)) if namespace else None
        count += sum(answers.remove(call) for call in calls) if answers else 0
    return f"{count} answer(s) deleted in the Redis; instances on other machines forget within 2 s"


def _hotlines(config: Config) -> Sequence[PhoneNumber | None]:
    """Return the hotlines under which something may be shared: none, those of routes and of calls."""
    known: dict[PhoneNumber | None, None] = {None: None}
    known |= dict.fromkeys(hotline for route in config.routes for hotline in route.hotlines)
    with suppress(BridgeError, OSError):
        if config.decisions_file.exists():
            with closing(SqliteFile(config.decisions_file, DecisionTable)) as file, file.table() as table:
                known |= dict.fromkeys(map(PhoneNumber, table.hotlines()))
    return tuple(known)


def not_touched(config: Config) -> Iterator[str]:
    """Say what else may hold a number."""
    yield f"the sources themselves ({', '.join(config.sources)}): whoever is in there is known again at the next call"
    copies = sorted(path for ending in ("good", "downloaded") for path in config.lists_folder.glob(f"*.{ending}"))
    if copies:
        names = ", ".join(map(str, copies))
        yield f"{names}: what a file of yours held when it was read last; replaced once the file is changed"
    for path in filter(None, (config.decisions_file, config.settings.cache.path)):
        for old in sorted(path.parent.glob(f"{path.name}.damaged-*")):
            yield f"{old}: moved away as damaged: delete it"
    yield "logs and the journal, which have the last three digits; backups of all this; OMICall"


def _why(failure: Exception) -> str:
    if isinstance(failure, PermissionError):
        return f"{failure.filename}: {failure.strerror}: run it as the service's user"
    return (isinstance(failure, OSError) and failure.strerror) or str(failure)
