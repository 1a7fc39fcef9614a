"""The address of a database, as admins write it: `postgresql://USER@HOST/DATABASE`, and the drivers behind it.

A password in the address is taken out of it at once, so that the address can be shown and the password is a secret of
its own. Nothing of a rejected address is repeated: it may hold one. What may stand behind the `?` are the options that
the driver knows, and files that are there: told when the configuration is read, and by the option's name, for the
drivers say it late, and some without the name.
"""

import inspect
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from bridge.sdk import did_you_mean

EXAMPLE = "postgresql://USER@HOST/DATABASE"

_WITH_PASSWORD = re.compile(r"([\w+]+://[^:/?#@]*):(.*)(@[^@]*)", re.DOTALL)
_ODD_IN_A_PASSWORD = re.compile(r"[@/?#:\[\]\s]|%(?![0-9A-Fa-f]{2})")
_CREDENTIALS = {"password", "passwd", "pwd", "user", "username"}
_SOCKETS = {"host", "hostaddr", "unix_socket", "service"}
_OURS = frozenset(("cursorclass", "as_dict", "autocommit", "conn_properties", "conv", "defer_connect", "ssl"))
_ADDED_BY_SQLALCHEMY = {"pymysql": ("ssl_capath", "ssl_cipher", "ssl_check_hostname")}
_FILES = ("ssl_ca", "ssl_cert", "ssl_key", "ssl_capath")


@dataclass(frozen=True, slots=True)
class Database:
    """A kind of database: its name for people and in an address, its driver's module, and the extra that brings it."""

    title: str
    kind: str
    module: str
    extra: str = ""

    @property
    def drivername(self) -> str:
        """What SQLAlchemy calls the database together with its driver; it calls MariaDB so as well."""
        return f"{self.kind}+{self.module}" if self.extra else self.kind

    def load_driver(self) -> None:
        """Import the driver; raises ValueError naming what to install if it is not there."""
        try:
            import_module(self.module)
        except ImportError:
            raise ValueError(
                f"the driver for {self.title} is not installed: in the folder of omi-bridge: "
                f"make install EXTRAS={self.extra} (for a service: docs/deploy.md, step 2)"
            ) from None


_DATABASES = {
    "postgresql": Database("PostgreSQL", "postgresql", "psycopg", "postgresql"),
    "mysql": Database("MySQL", "mysql", "pymysql", "mysql"),
    "mariadb": Database("MariaDB", "mariadb", "pymysql", "mysql"),
    "mssql": Database("SQL Server", "mssql", "pymssql", "mssql"),
    "sqlite": Database("SQLite", "sqlite", "sqlite3"),
}
_ALSO_WRITTEN = {"postgres": "postgresql", "sqlserver": "mssql"}


def database_of(address: str) -> Database:
    """Return the kind of database that an address leads to; raises ValueError if it is not known."""
    scheme, mark, _ = address.partition("://")
    if not mark:
        raise ValueError(f"is no address of a database: write {EXAMPLE}")
    name, _, driver = scheme.partition("+")
    found = _DATABASES.get(_ALSO_WRITTEN.get(name, name))
    if found is None:
        guess = did_you_mean(name, _DATABASES) or f"; known: {', '.join(_DATABASES)}"
        raise ValueError(f"begins with no known kind of database{guess}")
    if driver:
        raise ValueError("the driver is chosen by omi-bridge: leave out '+' and what stands behind it")
    return found


def split_password(address: str) -> tuple[str, str | None]:
    """Take the password out of an address, its %-signs decoded.

    Raises ValueError if it holds a sign that means something else in an address: then nobody can tell where it ends.
    """
    found = _WITH_PASSWORD.fullmatch(address)
    if not found:
        return address, None
    if _ODD_IN_A_PASSWORD.search(found[2]):
        raise ValueError(
            "its password holds a sign that means something else in an address: write it as 'password:' beside the url"
        )
    return found[1] + found[3], unquote(found[2])


def checked_address(address: str, directory: Path | None) -> str:
    """Return an address without password as SQLAlchemy reads it; a file's is looked for in `directory`.

    Raises ValueError, repeating nothing of it, if it leads nowhere.
    """
    database = database_of(address)
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise ValueError(f"is no address of a database: write {EXAMPLE}") from None
    if database.kind == "sqlite":
        return _file_address(url, directory)
    if _CREDENTIALS & {name.casefold() for name in url.query}:
        raise ValueError(f"user and password do not stand behind the '?': write {EXAMPLE} and 'password:' beside it")
    if not url.host and not _SOCKETS & set(url.query):
        raise ValueError(f"names no host: write {EXAMPLE}")
    if not url.database and "service" not in url.query:
        raise ValueError(f"names no database: write {EXAMPLE}")
    _check_borders(url)
    check_options(database.module, url.query)
    return url.set(drivername=database.drivername).render_as_string(hide_password=False)


def _check_borders(url: URL) -> None:
    """Raise ValueError if a sign in a user's name ends it too early: a password would be taken for a database."""
    if url.password is not None or "@" in (url.database or ""):
        raise ValueError(
            "what stands before the '@' is no user's name: write DOMAIN\\USER for one of a Windows domain, %2F %23 %3F "
            "for / # ? in it, and 'password:' beside the url"
        )
    if ":" in (url.database or ""):
        raise ValueError("holds a ':' behind the host's '/': a port stands before it, HOST:5433/DATABASE")


def _file_address(url: URL, directory: Path | None) -> str:
    if url.host or url.username or not url.database or url.database.startswith((":memory:", "file:")):
        raise ValueError(
            "is no file: write three slashes, sqlite:///crm.sqlite, and four before a path from the root of the disk"
        )
    if url.query:
        raise ValueError("a file takes no options behind a '?'")
    path = Path(url.database) if directory is None else directory / url.database
    return URL.create("sqlite", database=str(path)).render_as_string()


def place_of(address: str) -> str:
    """Return how messages name the database: kind, host and name."""
    url = make_url(address)
    if url.get_backend_name() == "sqlite":
        return f"SQLite, {Path(url.database or '').name}"
    where = url.host or next((_first(url.query, name) for name in _SOCKETS if name in url.query), "")
    title = next(one.title for one in _DATABASES.values() if one.kind == url.get_backend_name())
    return f"{title}, {url.database or 'database'} at {where}{f':{url.port}' if url.port else ''}"


def _first(query: Mapping[str, str | tuple[str, ...]], name: str) -> str:
    value = query[name]
    return value if isinstance(value, str) else ",".join(value)


def check_options(module: str, options: Iterable[str]) -> None:
    """Raise ValueError for an option that the driver `module` does not know, naming the one that was meant."""
    known = _known(module)
    for name in options:
        if name not in known:
            guess = did_you_mean(name, known)
            raise ValueError(f"has an option behind the '?' that there is not: {name}{guess}")


def missing_file(options: Mapping[str, Any]) -> str:
    """Return the first file among MySQL's options that is not there, with its option's name; nothing if all are.

    PostgreSQL's library says this itself.
    """
    missing = (name for name in _FILES if name in options and not Path(str(options[name])).exists())
    return next((f"{name}: there is no file {options[name]}" for name in missing), "")


def _known(module: str) -> frozenset[str]:
    if module == "psycopg":
        pq = import_module("psycopg.pq")
        return frozenset(option.keyword.decode() for option in pq.Conninfo.get_defaults())
    driver = import_module(module)
    taken = inspect.signature(driver.Connection if module == "pymysql" else driver.connect).parameters
    return frozenset((*taken, *_ADDED_BY_SQLALCHEMY.get(module, ()))) - _OURS
