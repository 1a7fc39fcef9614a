"""Questions to a database, each within its deadline, with lost connections replaced on the way.

Every query only reads, so asking once more can do no harm. A connection that was kept since the last call may be dead
without anybody knowing; a server that restarts takes a moment. Neither costs a call its answer, if there is time.
"""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, TextClause

from bridge.sdk import Deadline, SourceBusy, SourceError, SourceUnavailable, UnexpectedAnswer, Watchdog
from connectors.sql.database.address import place_of
from connectors.sql.database.connect import cut_off
from connectors.sql.database.engine import MOST_ROWS, make_engine
from connectors.sql.database.errors import Lost, Unreachable, is_lost, judged
from connectors.sql.database.settings import DatabaseKeys

_LONGEST_PAUSE = 0.4


@dataclass(frozen=True, slots=True)
class Found:
    """What a query returned: the names of its columns in small letters, its rows, and the seconds that it took."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]
    seconds: float


class SqlDatabase:
    """One database; may be asked by many threads at once, `places` of them at the same time."""

    def __init__(self, keys: DatabaseKeys, timeout: float, places: int, most: int = MOST_ROWS) -> None:
        self.place = place_of(keys.url)
        self._kind = keys.kind
        self._engine = make_engine(keys, timeout, places, most)
        self._places = threading.BoundedSemaphore(places)
        self._closed = threading.Event()

    def ask(
        self, query: TextClause, values: Mapping[str, object], deadline: Deadline, *, most: int = MOST_ROWS
    ) -> Found:
        """Run a query and return all its rows.

        Raises SourceUnavailable, SourceRejected, or UnexpectedAnswer for more than `most` rows.
        """
        if not self._places.acquire(timeout=deadline.remaining()):
            raise SourceBusy(f"{self.place}: all connections are in use")
        try:
            return self._ask_until_none_is_lost(query, values, deadline, most)
        finally:
            self._places.release()

    def stream(self, query: TextClause, deadline: Deadline, size: int) -> Iterator[Found]:
        """Run a query and give its rows, `size` at a time, held by the server until they are taken.

        `deadline` is that of the whole reading. Raises SourceError.
        """
        with Watchdog(deadline) as watchdog:
            try:
                connection = self._engine.connect()
            except Exception as error:  # noqa: BLE001 - the drivers raise anything
                raise self._failure(error, watchdog, connecting=True) from None
            try:
                with connection:
                    watchdog.over(cut_off(self._kind, connection.connection.dbapi_connection))
                    yield from self._streamed(connection, query, size)
                    connection.invalidate()  # what it was told of time is not what calls are told
            except GeneratorExit:
                raise
            except Exception as error:  # noqa: BLE001 - the drivers raise anything
                raise self._failure(error, watchdog) from None

    def _streamed(self, connection: Connection, query: TextClause, size: int) -> Iterator[Found]:
        started = time.monotonic()
        options = {"stream_results": True, "max_row_buffer": size}
        with connection.execute(query, execution_options=options) as result:
            columns = tuple(name.casefold() for name in result.keys())  # noqa: SIM118 - a result is no mapping
            while rows := result.fetchmany(size):
                yield Found(columns, rows, time.monotonic() - started)
            yield Found(columns, (), time.monotonic() - started)

    def close(self) -> None:
        """Close all connections; those in use are closed once they are no longer."""
        self._closed.set()
        self._engine.dispose()

    def _ask_until_none_is_lost(
        self, query: TextClause, values: Mapping[str, object], deadline: Deadline, most: int
    ) -> Found:
        """Ask again if a connection was lost; only who had one waits for the server to come back."""
        had_one, pause = False, 0.0
        while True:
            try:
                return self._ask(query, values, deadline, most)
            except (Lost, Unreachable) as error:
                had_one = had_one or isinstance(error, Lost)
                if not had_one or pause >= deadline.remaining() or self._closed.wait(pause):
                    raise
                pause = min(_LONGEST_PAUSE, 2 * pause or 0.05)

    def _ask(self, query: TextClause, values: Mapping[str, object], deadline: Deadline, most: int) -> Found:
        with Watchdog(deadline) as watchdog:
            try:
                connection = self._engine.connect()
            except Exception as error:  # noqa: BLE001 - the drivers raise anything
                raise self._failure(error, watchdog, connecting=True) from None
            with connection:
                try:
                    watchdog.over(cut_off(self._kind, connection.connection.dbapi_connection))
                    found = self._run(connection, query, values, most)
                    connection.rollback()
                except Exception as error:  # noqa: BLE001 - the drivers raise anything
                    failure = self._failure(error, watchdog)
                    if isinstance(failure, Lost) or watchdog.expired or not _could_be_ended(connection):
                        connection.invalidate()
                    raise failure from None
                else:
                    return found
                finally:
                    if self._closed.is_set() and not connection.invalidated:
                        connection.detach()

    def _run(self, connection: Connection, query: TextClause, values: Mapping[str, object], most: int) -> Found:
        started = time.monotonic()
        with connection.execute(query, values) as result:
            if not result.returns_rows:
                raise UnexpectedAnswer(f"{self.place}: the query returned nothing that has rows")
            columns = tuple(name.casefold() for name in result.keys())  # noqa: SIM118 - a result is no mapping
            rows = result.fetchmany(most + 1)
        if len(rows) > most:
            raise UnexpectedAnswer(f"{self.place}: the query returned more than {most} rows: it asks for too much")
        return Found(columns, rows, time.monotonic() - started)

    def _failure(self, error: BaseException, watchdog: Watchdog, *, connecting: bool = False) -> SourceError:
        if watchdog.expired:
            return SourceUnavailable(f"{self.place}: did not answer in time")
        failure = error if isinstance(error, SourceError) else judged(error, self.place)
        if connecting and isinstance(failure, SourceUnavailable):
            return Unreachable(str(failure))
        return Lost(str(failure)) if is_lost(error) else failure


def _could_be_ended(connection: Connection) -> bool:
    """Leave the transaction of a question that failed; tell whether the connection is as good as before."""
    try:
        connection.rollback()
    except Exception:  # noqa: BLE001 - the drivers raise anything
        return False
    return True
