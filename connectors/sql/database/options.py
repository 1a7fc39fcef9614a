"""What may stand behind the `?` of a database's address: the options that its driver knows, and files that are there.

Told when the configuration is read, by the option's name: the drivers say it late, and some without the name.
"""

import inspect
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from bridge.sdk import near

_OURS = frozenset(("cursorclass", "as_dict", "autocommit", "conn_properties", "conv", "defer_connect", "ssl"))
_ADDED_BY_SQLALCHEMY = {"pymysql": ("ssl_capath", "ssl_cipher", "ssl_check_hostname")}
_FILES = ("ssl_ca", "ssl_cert", "ssl_key", "ssl_capath")


def check_options(module: str, options: Iterable[str]) -> None:
    """Raise ValueError for an option that the driver `module` does not know, naming the one that was meant."""
    known = _known(module)
    for name in options:
        if name not in known:
            guess = near(name, known)
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
