"""How a connection to each kind of database is made, within the deadline, and how one that hangs is cut off.

Each opener takes what SQLAlchemy makes of the address and returns a connection of the driver's, watched over from its
first byte on. Names are resolved by our own resolver, because the drivers would wait for a dead name server for long.
"""

import math
import selectors
import socket
import sqlite3
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from bridge.sdk import Resolver, current_watchdog, hang_up

Options = dict[str, Any]
Opener = Callable[[Options, float], Any]

_RESOLVER = Resolver()
_POSTGRESQL_PORT, _MYSQL_PORT, _MSSQL_PORT = 5432, 3306, 1433
_MSSQL_PROTOCOL = "7.4"
"""That of SQL Server 2012 and later; without it FreeTDS tries one version after the other, each for the whole time."""

_KEEPALIVE = {"keepalives": 1, "keepalives_idle": 60, "keepalives_interval": 10, "keepalives_count": 3}
_NAME = "omi-bridge"


def cut_off(kind: str, opened: Any) -> Callable[[], None]:  # noqa: ANN401 - the drivers' own types
    """Return what ends every wait on a connection, whoever waits; the connection cannot be used any more then."""
    match kind:
        case "postgresql":
            return lambda: hang_up(opened.fileno)
        case "mysql":
            return lambda: hang_up(opened._sock.fileno)  # noqa: SLF001 - pymysql shows it in no other way
        case "sqlite":
            return opened.interrupt  # type: ignore[no-any-return]
        case _:
            return lambda: None


def open_postgresql(options: Options, timeout: float) -> Any:  # noqa: ANN401 - the drivers' own types
    """Connect by psycopg: libpq itself without blocking, for psycopg waits at least two seconds."""
    from psycopg import Connection, OperationalError, conninfo, pq  # noqa: PLC0415 - an extra

    tcp = {**_KEEPALIVE, "tcp_user_timeout": math.ceil(timeout * 1000), "application_name": _NAME}
    options.pop("context", None)  # SQLAlchemy's, for types that no owner has
    made = conninfo.make_conninfo("", **{**tcp, **options, **_resolved(options)})
    connection = pq.PGconn.connect_start(made.encode())
    try:
        while connection.status != pq.ConnStatus.BAD:
            match connection.connect_poll():
                case pq.PollingStatus.OK:
                    connection.nonblocking = 1
                    opened = Connection(connection)
                    current_watchdog().over(cut_off("postgresql", opened))
                    opened.autocommit = True
                    opened.prepare_threshold = None  # a pooler in between may not know what was prepared
                    return opened
                case pq.PollingStatus.READING:
                    _wait_for(connection.socket, selectors.EVENT_READ)
                case pq.PollingStatus.WRITING:
                    _wait_for(connection.socket, selectors.EVENT_WRITE)
                case _:
                    break
        raise OperationalError(connection.error_message.decode("utf-8", "replace"))  # noqa: TRY301 - closed below
    except BaseException:
        connection.finish()
        raise


def _resolved(options: Mapping[str, Any]) -> Options:
    """Return the addresses of a single host; several hosts, sockets and services are libpq's to find."""
    host = options.get("host")
    if not isinstance(host, str) or not host or host[0] in "/@" or "," in host or "hostaddr" in options:
        return {}
    found = _RESOLVER.addresses(host, int(options.get("port") or _POSTGRESQL_PORT), current_watchdog().deadline)
    addresses = list(dict.fromkeys(str(address[4][0]) for address in found))
    return {"host": ",".join([host] * len(addresses)), "hostaddr": ",".join(addresses)}


def _wait_for(descriptor: int, event: int) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, event)
        if not selector.select(current_watchdog().deadline.remaining()):
            raise TimeoutError


def open_mysql(options: Options, timeout: float) -> Any:  # noqa: ANN401 - the drivers' own types
    """Connect by pymysql, over a socket of ours."""
    pymysql: Any = import_module("pymysql")

    remaining = max(0.001, current_watchdog().deadline.remaining())
    limits = {"connect_timeout": remaining, "read_timeout": timeout, "write_timeout": timeout}
    opened: Any = pymysql.Connection(**{**options, **limits}, defer_connect=True, program_name=_NAME)
    current_watchdog().over(cut_off("mysql", opened))
    if opened.unix_socket:
        opened.connect()
    else:
        opened.connect(_connected(opened.host, opened.port))
    return opened


def _connected(host: str, port: int) -> socket.socket:
    """Connect to the first of the host's addresses that answers."""
    deadline = current_watchdog().deadline
    failure: OSError = TimeoutError()
    for family, kind, protocol, _, address in _RESOLVER.addresses(host, port or _MYSQL_PORT, deadline):
        made = socket.socket(family, kind, protocol)
        try:
            made.settimeout(max(0.001, deadline.remaining()))
            made.connect(address)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE["keepalives_idle"])
        except OSError as error:
            made.close()
            failure = error
        except BaseException:
            made.close()
            raise
        else:
            return made
    raise failure


def open_mssql(options: Options, timeout: float) -> Any:  # noqa: ANN401 - the drivers' own types
    """Connect by pymssql, whose own time limits are whole seconds; FreeTDS lets nobody cut a connection off."""
    pymssql: Any = import_module("pymssql")

    deadline = current_watchdog().deadline
    host, _, port = str(options.pop("host")).partition(":")
    _RESOLVER.addresses(host, int(port or _MSSQL_PORT), deadline)
    limits = {"login_timeout": max(1, math.floor(deadline.remaining())), "timeout": max(1, math.floor(timeout))}
    place = {"server": host, "port": port or str(_MSSQL_PORT), "appname": _NAME}
    return pymssql.connect(**{"tds_version": _MSSQL_PROTOCOL, **options, **limits, **place})


def open_sqlite(options: Options, timeout: float) -> sqlite3.Connection:
    """Open a file, for reading only; one that is not there is not made."""
    uri = f"{options['path'].absolute().as_uri()}?mode=ro"
    patience = min(timeout, current_watchdog().deadline.remaining())  # nothing cuts off who waits for a locked file
    try:
        opened = sqlite3.connect(uri, uri=True, timeout=patience, check_same_thread=False, isolation_level=None)
    except sqlite3.OperationalError as error:  # which does not tell the path
        problem = f"{error}: {options['path'].absolute()}"
        raise OSError(error.sqlite_errorcode, problem) from None
    current_watchdog().over(cut_off("sqlite", opened))
    return opened


OPENERS: Mapping[str, Opener] = {
    "postgresql": open_postgresql,
    "mysql": open_mysql,
    "mssql": open_mssql,
    "sqlite": open_sqlite,
}
"""By SQLAlchemy's name of the kind of database."""
