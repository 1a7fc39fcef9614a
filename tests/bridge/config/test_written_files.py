"""Paths at which the service writes, and what may not stand there."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bridge.config.loading import load_config
from bridge.sdk.errors import ConfigError

KEY = "a-key-that-is-long-enough"
BASE = f"api_keys: [{KEY}]\nconnectors: {{customers: {{type: csv, path: customers.csv}}}}\n"
OAUTH = (
    "{{type: rest, base_url: 'https://crm.example', auth: {{type: oauth2_refresh_token, client_id: a, client_secret: b,"
    " token_url: 'https://crm.example/token', refresh_token: {token}, token_file: {file}}},"
    " steps: [{{path: c, query: {{q: '{{{{ caller.nsn }}}}'}}, records: r, match: [p], take: {{email: e}}}}]}}"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "customers.csv").write_text("phone,owner\n0901234567,lan\n")
    (tmp_path / "staff.csv").write_text("owner,extension\nlan,101\n")
    (tmp_path / "deputies.csv").write_text("owner,deputy,from,until\n")
    (tmp_path / "secret").write_text(KEY)
    return tmp_path


def problems(folder: Path, more: str, base: str = BASE) -> list[str]:
    file = folder / "config.yaml"
    file.write_text(base + more)
    try:
        load_config(file, {})
    except ConfigError as error:
        return [str(problem).replace(f"{folder}/", "") for problem in error.problems]
    return []


NAMED = {
    "config.yaml": "the configuration itself, which is read",
    "customers.csv": "connectors.customers.path, which is read",
    "./x/../customers.csv": "connectors.customers.path, which is read",
    "link.csv": "connectors.customers.path, which is read",
    "twin.csv": "connectors.customers.path, which is read",
    "CUSTOMERS.csv": "connectors.customers.path, which is read",
    "staff.csv": "extensions.csv.path, which is read",
    "deputies.csv": "extensions.deputies.csv.path, which is read",
    "secret": "the file of a secret, which is read",
    "decisions.sqlite": "the file of decisions, which is written too",
    "last-good/customers.good": "what is kept of customers, which is written too",
}


@pytest.mark.parametrize(("name", "use"), NAMED.items())
@pytest.mark.parametrize("absolute", [False, True])
def test_no_file_that_is_read_or_written_elsewhere_may_be_written(
    folder: Path, name: str, use: str, absolute: bool
) -> None:
    (folder / "link.csv").symlink_to("customers.csv")
    os.link(folder / "customers.csv", folder / "twin.csv")
    (folder / "x").mkdir()
    base = BASE.replace(KEY, "'${file:secret}'")
    more = (
        "extensions: {csv: {path: staff.csv}, deputies: {csv: {path: deputies.csv}}}\n"
        f"cache: {{path: '{folder / name if absolute else name}'}}\n"
    )
    told = problems(folder, more, base)
    assert len(told) == 1
    assert told[0].startswith("config.yaml:")
    assert " cache.path: " in told[0]
    assert f" is {use}: the service writes here, and needs a file of its own" in told[0]


def test_a_file_that_is_read_and_not_there_yet_may_not_be_written_either(folder: Path) -> None:
    (folder / "customers.csv").unlink()
    assert "is connectors.customers.path, which is read" in problems(folder, "cache: {path: customers.csv}\n")[0]


def test_what_sqlite_keeps_beside_a_file_is_another_ones_neither(folder: Path) -> None:
    told = problems(folder, "cache: {path: a.db}\nserver: {decisions: {path: a.db-wal}}\n")
    assert ["which is written too" in line for line in told] == [True]


def foreign_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE theirs (one)")


MADE = {
    "a file of somebody's": (lambda path: path.write_text("minutes of the meeting\n"), "omi-bridge did not make"),
    "another program's database": (foreign_database, "another program's database"),
    "a folder": (Path.mkdir, "it is no file"),
    "a pipe": (os.mkfifo, "it is no file"),
    "a device": (lambda path: path.symlink_to("/dev/null"), "it is no file"),
}


@pytest.mark.parametrize(("make", "why"), MADE.values(), ids=MADE)
@pytest.mark.parametrize(
    ("key", "more"),
    [
        ("cache.path", "cache: {path: there}\n"),
        ("server.decisions.path", "server: {decisions: {path: there}}\n"),
        ("extensions.omicall.keep", "extensions: {omicall: {api_key: k, keep: there}}\n"),
    ],
)
def test_what_we_did_not_make_is_refused_where_it_is_named(folder: Path, make, why: str, key: str, more: str) -> None:
    make(folder / "there")
    told = problems(folder, more)
    assert len(told) == 1
    assert told[0].startswith("config.yaml:3:")
    assert f" {key}: there cannot be written: " in told[0]
    assert why in told[0] or "omi-bridge did not make" in told[0]


def test_an_empty_file_and_our_own_ones_are_taken(folder: Path) -> None:
    (folder / "there").touch()
    assert problems(folder, "cache: {path: there}\nserver: {decisions: {path: new}}\n") == []
    with closing(sqlite3.connect(folder / "there")) as db, db:
        db.execute("PRAGMA application_id = 0x6F6D6962")
        db.execute("CREATE TABLE about (one)")
    assert problems(folder, "cache: {path: there}\nserver: {decisions: {path: new}}\n") == []
    assert "another program's" in problems(folder, "server: {decisions: {path: there}}\n")[0]


@pytest.mark.parametrize(("token", "count"), [("t1", 0), ("t2", 1)])
def test_two_connectors_share_a_token_file_only_if_they_have_one_token(folder: Path, token: str, count: int) -> None:
    first, second = OAUTH.format(token="t1", file="kept"), OAUTH.format(token=token, file="./kept")
    base = f"api_keys: [{KEY}]\nconnectors:\n  a: {first}\n  b: {second}\n"
    told = problems(folder, "", base)
    assert [line for line in told if "which is written too" not in line] == []
    assert len(told) == count
