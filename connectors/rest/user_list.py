"""The list of users in force: read when the connector is opened, and again in a thread of its own.

No call ever waits for it. A reading that fails, or finds nobody where somebody was, leaves the last good list in force,
and so does one that has lost more than half of them, unless the next one says the same: whoever may read himself alone
sees such a list. Somebody whom the list does not know may be new: then it is read before its time, but at most once a
minute, and the log names him once. Where several processes or instances share what they know, one of them reads.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bridge.sdk import (
    BackgroundLoop,
    Clock,
    Deadline,
    LastGood,
    ListState,
    Owner,
    Owners,
    Shared,
    SourceError,
    SourceUnavailable,
    UnexpectedAnswer,
    newer_than_seen,
    shared_names,
    told_apart,
    visible,
)
from connectors.rest.answer_rules import AnswerRules
from connectors.rest.config.users import Users
from connectors.rest.records import RecordReader, Row
from connectors.rest.request_sender import RequestSender, RestContext

_log = logging.getLogger(__name__)

_LEAST_PAUSE = 60.0
_MOST_PAGES = 100
_MOST_USERS = 10_000
_MOST_NAMED = 1000


@dataclass(frozen=True, slots=True)
class _List:
    rows: Mapping[str, Sequence[Row]]
    read_at: float
    shared_names: frozenset[str] = frozenset()


class UserList:
    """Knows the users by their ids, as texts.

    `read` returns what is taken from the CRM's answers, or raises SourceError. `refresh` is in seconds of `clock`;
    `kept` gives where other processes learn what is doubted.
    """

    def __init__(
        self,
        read: Callable[[], Sequence[Row]],
        refresh: float,
        clock: Clock = time.monotonic,
        kept: Callable[[], ListState] = ListState,
    ) -> None:
        self._read = read
        self._refresh = refresh
        self._clock = clock
        self._kept = kept
        self._good: LastGood[_List] = LastGood("users", "the last good list of users stays in force", _log)
        self._named: set[str] = set()
        self._not_before = float("-inf")
        self._shared = Shared()
        self._seen_at: float | None = None
        self._loop = BackgroundLoop("users", self._round)

    def share(self, shared: Shared) -> None:
        """Take what another instance has read since the last reading here, and let the others have ours."""
        self._shared = shared

    def open(self) -> None:
        """Read the list, and go on reading it from now on. Raises SourceError."""
        self._good.put(self._reading())
        self._loop.start(self._refresh)

    def content_age(self) -> float | None:
        """Return how many seconds ago the list in force was read; None if there is none."""
        return None if self._good.content is None else self._clock() - self._good.content.read_at

    @property
    def trouble(self) -> str:
        """Why the list could not be read the last time, or nothing."""
        return self._good.trouble

    def close(self) -> None:
        """Stop reading. A reading that is under way is not waited for long."""
        self._loop.close()

    def rows(self) -> list[Row]:
        """Return what is known of all users. Raises SourceUnavailable if the list was never read."""
        return [row for rows in self._good.current().rows.values() for row in rows]

    def of(self, owner_id: str) -> Sequence[Row]:
        """Return what is known of a user, nothing if there is none such; then the list is read again soon.

        Raises SourceUnavailable if the list was never read.
        """
        found = self._good.current().rows.get(visible(owner_id), ())
        if not found and self._clock() >= self._not_before:
            self._loop.wake()
        return found

    def told_apart(self, owners: Owners, say: Callable[[str], None]) -> Owners:
        """Return owners without a name that several users have: nobody can tell whom it means."""
        apart = told_apart(owners, self._good.content.shared_names if self._good.content else ())
        if apart != owners:
            say("users: several users have the same name, which leads to nobody for that")
        return apart

    def complete(self, rows: Sequence[Row], say: Callable[[str], None]) -> list[Row]:
        """Return the rows with what the list knows of their owners, without those whose owner it does not know.

        What a row holds itself is left as it is, and so is a row without an owner's id.
        """
        if any(row.get("owner_id") is not None for row in rows):
            say(f"users: {self}")
        result: list[Row] = []
        for row in rows:
            result += [row] if row.get("owner_id") is None else self._completed(row, say)
        return result

    def _completed(self, row: Row, say: Callable[[str], None]) -> list[Row]:
        owner_id = row["owner_id"]
        own = {name: value for name, value in row.items() if value is not None}
        known = self.of(str(owner_id))
        if not known:
            say(f"owner_id {owner_id} does not count: it is not among the users")
            self._name(str(owner_id))
        for user in known:
            for name in [name for name in user if name not in own]:
                say(f"owner_id {owner_id}: {name} = {user[name]!r} (users)")
        return [{**user, **own} for user in known]

    def __str__(self) -> str:
        current = self._good.content
        if current is None:
            return "not read yet"
        return f"{len(current.rows)} in the list, read {self._clock() - current.read_at:.0f} s ago"

    def update(self) -> None:
        """Read the list once; a failure is told once as long as its reason stays the same."""
        try:
            self._take(self._reading(self._pause_after))
        except SourceError as error:
            self._refuse(str(error), self._pause_after(error))
        except Exception as error:  # noqa: BLE001 - a bug must not end the reading; its words may quote a value
            self._refuse(f"users: reading failed: {type(error).__name__}", self._refresh)

    def _take(self, new: _List) -> None:
        """Put a list in force, unless it is doubtful. Raises SourceUnavailable then, for the next reading may tell."""
        if loss := self._good.loss(new, lambda users: frozenset(users.rows), self._kept()):
            raise SourceUnavailable(
                f"users: {loss} are left in the list: if the next reading says so again, or "
                f"`omi-bridge confirm {self._kept().name}`, it is believed; may the credentials read all users?"
            )
        self._good.put(new)

    def _name(self, owner_id: str) -> None:
        """Log once for each id that it is not among the users: to a call, its customers have no owner."""
        if owner_id not in self._named and len(self._named) < _MOST_NAMED:
            self._named.add(owner_id)
            _log.warning("owner_id %s is not among the users (%s): nobody is told for his customers", owner_id, self)

    def _pause_after(self, error: SourceError) -> float:
        """Return for how many seconds the CRM is left alone."""
        pause = (error.retry_after or 0.0) if isinstance(error, SourceUnavailable) else self._refresh
        return max(pause, _LEAST_PAUSE)

    def _reading(self, pause: Callable[[SourceError], float] = lambda _failure: 0.0) -> _List:
        begun = self._clock()
        self._not_before = begun + _LEAST_PAUSE
        seconds = newer_than_seen(self._refresh, None if self._seen_at is None else begun - self._seen_at)
        found = self._shared.once(
            "users", self._written, seconds=seconds, patience=_LEAST_PAUSE, good=_is_list, pause=pause
        )
        self._seen_at = self._clock() - found.age
        rows: dict[str, list[Row]] = {}
        for row in json.loads(found.content):
            if row["owner_id"] is not None:
                rows.setdefault(visible(str(row["owner_id"])), []).append(row)
        if not rows:
            raise UnexpectedAnswer("users: there is nobody in the list: may the credentials read users?")
        users = (Owner(id=id_, name=str(user["name"])) for id_ in rows for user in rows[id_] if user.get("name"))
        return _List(rows, begun - found.age, shared_names(users))

    def _written(self) -> bytes:
        return json.dumps([*self._read()]).encode()

    def _refuse(self, reason: str, pause: float) -> None:
        """Keep what is in force and say why; leave the CRM alone for so many seconds, but a minute at least."""
        self._not_before = self._clock() + max(pause, _LEAST_PAUSE)
        if not self._loop.is_closing:
            self._good.refuse(reason)

    def _round(self) -> float:
        """Read the list; return how long to wait for the next reading, as long as it takes if this one failed."""
        self.update()
        return max(0.0, self._not_before - self._clock()) if self.trouble else self._refresh


def _is_list(written: bytes) -> bool:
    """Tell whether it is what this version writes."""
    try:
        rows = json.loads(written)
    except ValueError:
        return False
    return isinstance(rows, list) and all(isinstance(row, dict) and "owner_id" in row for row in rows)


def read_users(context: RestContext, users: Users, say: Callable[[str], None]) -> Sequence[Row]:
    """Return what is taken from the CRM's list of users, all pages of it; `say` hears of each. Raises SourceError."""
    mask = context.mask.text
    deadline = Deadline.after(users.timeout)
    rules = AnswerRules(None, mask, say)
    names, limit = context.config.own_names(), f"{_MOST_PAGES} pages"
    sender = RequestSender(context, names, deadline, _MOST_PAGES, limit, explained=True, in_background=True)
    spoilt: list[str] = []
    reader = RecordReader(None, context.config.region, sender.turn, most=_MOST_USERS, leave_out=spoilt.append)
    try:
        reading = reader.read(users, sender.answers(users, {}, rules))
        if reading.problem:  # a list without one of the users would take his customers from him
            raise reading.problem
    except SourceError as error:
        error.args = (mask(f"users: {error}"),)
        raise
    if spoilt:
        _log.warning(
            "users: %d text(s) with bytes that are not UTF-8 are left out: %s",
            len(spoilt),
            ", ".join(sorted({*spoilt})),
        )
    return reading.rows
