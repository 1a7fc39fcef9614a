"""The SQL connector's settings, and what it makes of rows, on SQLite."""

import socket
import sqlite3
import subprocess
import sys
import threading
from decimal import Decimal
from uuid import UUID

import pytest
from pydantic import SecretStr, ValidationError

from bridge.connector import Call, Owner
from bridge.deadline import Deadline
from bridge.errors import SourceRejected, SourceUnavailable, UnexpectedAnswer
from bridge.phone import PhoneNumber
from bridge.redaction import secrets_in
from connectors.sql import SqlConnector
from connectors.sql_config import SqlConfig
from connectors.sql_database import Found
from connectors.sql_engine import make_engine
from connectors.sql_rows import check_columns, owners_of
from connectors.sql_session import session_statements
from tests.support.documents import ROOT
from tests.support.service import free_port

QUERY = "SELECT email FROM customers WHERE phone IN (:forms)"
CALL = Call(PhoneNumber.parse("0901234567"))


def settings(url, **others):
    return SqlConfig.model_validate({"url": url, "query": QUERY, **others})


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "crm #1.sqlite"
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE customers (phone, email)")
    database.executemany(
        "INSERT INTO customers VALUES (?, ?)",
        [("0901234567", "lan@congty.example"), ("84901234567", "minh@congty.example"), ("0912345678", None)],
    )
    database.commit()
    database.close()
    return path


@pytest.fixture
def connect(file):
    made = []

    def connect(query=QUERY, **others):
        given = {"url": "sqlite:///crm #1.sqlite", "query": query, **others}
        made.append(SqlConnector(SqlConfig.model_validate(given, context={"directory": file.parent})))
        return made[-1]

    yield connect
    for connector in made:
        connector.close()


@pytest.mark.parametrize(
    ("written", "url", "password"),
    [
        ("postgresql://bridge:secret@db.example/crm", "postgresql+psycopg://bridge@db.example/crm", "secret"),
        ("postgres://bridge:s%40%2F%25@[::1]:5433/crm", "postgresql+psycopg://bridge@[::1]:5433/crm", "s@/%"),
        ("mysql://bridge@db/crm?ssl_ca=ca.pem", "mysql+pymysql://bridge@db/crm?ssl_ca=ca.pem", None),
        ("mariadb://bridge:@db/crm", "mysql+pymysql://bridge@db/crm", ""),
        ("sqlserver://bridge:secret@db/crm", "mssql+pymssql://bridge@db/crm", "secret"),
        (
            "mysql://bridge@/crm?unix_socket=/run/x.sock",
            "mysql+pymysql://bridge@/crm?unix_socket=%2Frun%2Fx.sock",
            None,
        ),
    ],
)
def test_an_address_is_what_admins_know_and_its_password_is_a_secret(written, url, password):
    found = settings(written)
    assert found.url == url
    assert list(secrets_in(found)) == ([] if password is None else [password])


def test_a_password_of_its_own_may_hold_any_sign():
    odd = "p@ss/w:r%d #1?"
    found = settings("mysql://bridge@db/crm", password=odd)
    assert found.password == SecretStr(odd)
    assert odd not in repr(found)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"url": "crm"}, "is no address of a database: write postgresql://USER@HOST/DATABASE"),
        ({"url": "oracle://u@h/d"}, "begins with no known kind of database; known: postgresql, "),
        ({"url": "postgersql://u@h/d"}, "did you mean 'postgresql'?"),
        ({"url": "postgresql+asyncpg://u@h/d"}, "leave out '+'"),
        ({"url": "postgresql://u@h"}, "names no database"),
        ({"url": "postgresql:///d"}, "names no host"),
        ({"url": "postgresql://u@h:port/d"}, "is no address of a database"),
        ({"url": "postgresql://u:hun@ter2@h/d"}, "holds a sign that means something else in an address"),
        ({"url": "postgresql://u:hunter2%@h/d"}, "holds a sign that means something else in an address"),
        ({"url": "postgresql://u:hunter2@h/d", "password": "hunter2"}, "stands in the url already"),
        ({"url": "postgresql://h/d?user=u&password=hunter2"}, "do not stand behind the '?'"),
        ({"url": "sqlite://crm.sqlite"}, "write three slashes"),
        ({"url": "sqlite:///:memory:"}, "is no file"),
        ({"url": "sqlite:///crm.sqlite?mode=rw"}, "a file takes no options"),
        ({"url": "sqlite:///crm.sqlite", "password": " hunter2"}, "begins or ends with a blank"),
        ({"url": "sqlite:///crm.sqlite", "owners_query": QUERY}, "this query is for no caller"),
        ({"url": "sqlite:///crm.sqlite", "on_connect": [""]}, "at least 1 character"),
    ],
)
def test_what_is_wrong_with_an_address_is_told_without_repeating_it(given, complaint):
    with pytest.raises(ValidationError) as caught:
        settings(**given)
    assert complaint in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "hun@ter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("module", "url", "extra"),
    [("psycopg", "postgres://u@h/d", "postgresql"), ("pymysql", "mysql://u@h/d", "mysql"),
     ("pymssql", "mssql://u@h/d", "mssql")],
)  # fmt: skip
def test_a_driver_that_is_not_installed_is_named_with_its_extra(module, url, extra):
    code = (
        f"import sys; sys.modules[{module!r}] = None\n"
        "from connectors.sql_config import SqlConfig\n"
        f"SqlConfig.model_validate({{'url': {url!r}, 'query': 'x'}})"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert f"is not installed: pip install 'omi-bridge[{extra}]'" in run.stderr


def test_a_file_beside_the_configuration_is_asked(connect):
    connector = connect()
    connector.open()
    assert not connector.needs_network
    assert connector.report()[0].startswith("SQLite, crm #1.sqlite: the query took ")
    assert connector.find_owners(CALL, Deadline.after(5)) == (
        Owner(email="lan@congty.example"),
        Owner(email="minh@congty.example"),
    )


def test_a_file_that_was_replaced_is_seen_at_the_next_call(connect, file):
    connector = connect()
    connector.open()
    other = sqlite3.connect(file.parent / "new")
    other.execute("CREATE TABLE customers (phone, email)")
    other.close()
    (file.parent / "new").replace(file)
    assert connector.find_owners(CALL, Deadline.after(5)) == ()


def test_a_file_that_is_not_there_is_not_made(connect, file):
    file.unlink()
    with pytest.raises(SourceUnavailable, match="unable to open"):
        connect().open()
    assert not file.exists()


def test_a_file_that_is_locked_is_waited_for_until_the_deadline_only(connect, file):
    writer = sqlite3.connect(file)
    writer.execute("BEGIN EXCLUSIVE")
    with pytest.raises(SourceUnavailable):
        connect(timeout="10m").find_owners(CALL, Deadline.after(0.2))
    writer.close()


def test_a_query_without_end_is_interrupted(connect):
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS owner_id FROM n"
    connector = connect(f"{endless} WHERE :e164 <> ''")
    with pytest.raises(SourceUnavailable, match="did not answer in time"):
        connector.find_owners(CALL, Deadline.after(0.2))
    assert not [thread for thread in threading.enumerate() if thread.name == "sql-watch"]


def test_a_file_that_is_no_database_is_told(connect, file):
    file.write_bytes(b"phone;email\n" * 100)
    with pytest.raises(SourceRejected, match="not a database"):
        connect().open()


def test_a_file_cannot_be_written(connect):
    connector = connect(on_connect="DELETE FROM customers")
    with pytest.raises(SourceRejected, match=r"on_connect\[0\]: attempt to write a readonly database"):
        connector.open()


def test_a_pattern_without_the_number_that_it_found_is_refused_when_it_runs(connect):
    connector = connect("SELECT * FROM (SELECT email FROM customers WHERE phone LIKE :interleaved)")
    with pytest.raises(UnexpectedAnswer, match=r"LIKE also finds other customers' numbers: .*the query returned email"):
        connector.open()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((7, "7"), ("7", "7"), (" 7 ", "7"), (b"7", "7"), (7.0, "7"), (Decimal("7.00"), "7")),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        *((None, None), ("", None), (0, None), ("0", None), ("null", None), (b"", None), (Decimal(0), None)),
    ],
)
def test_ids_are_texts_whatever_the_database_holds_them_as(value, text):
    assert owners_of(["owner_id"], [(value,)]) == ((Owner(id=text),) if text else ())


@pytest.mark.parametrize(
    "value", [True, 7.5, float("nan"), Decimal("7.5"), b"\xff\xfe", [7], {"id": 7}, "a\nb", "x" * 501]
)
def test_what_names_nobody_is_no_owner(value):
    with pytest.raises(UnexpectedAnswer, match="column owner_id"):
        owners_of(["owner_id"], [(value,)])


def test_rows_are_owners_each_once_and_several_extensions_ring_one_after_the_other():
    columns = ["owner_id", "email", "extension", "phone"]
    rows = [(7, "lan@congty.example", "101/0102", "x"), (None, None, None, "x"), (8, None, 103, "x"), (8, "", 103, "y")]
    lan = {"id": "7", "email": "lan@congty.example"}
    assert owners_of(columns, rows) == (
        *(Owner(**lan, extension="101"), Owner(**lan, extension="0102")),
        Owner(id="8", extension="103"),
    )
    with pytest.raises(UnexpectedAnswer, match="column extension: 'Lan' is no extension"):
        owners_of(["extension"], [("Lan",)])


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        (("phone",), "no column names the owner"),
        (("email", "email"), "several columns are called 'email'"),
        (("id", "email"), "'id' means nothing: known are owner_id, .*; the query returned id, email"),
    ],
)
def test_columns_that_mean_nothing_are_told_with_all_that_came(columns, complaint):
    with pytest.raises(UnexpectedAnswer, match=complaint):
        check_columns(Found(columns, [], 0.0))
    check_columns(Found(("email", "phone", "phone"), [], 0.0))


def test_every_database_is_told_to_read_only_and_for_how_long():
    assert list(session_statements("mssql", 2.5)) == ["SET LOCK_TIMEOUT 2500", "SET ROWCOUNT 100001"]
    assert list(session_statements("mysql", 2.5, "8.4.0"))[1:] == [
        *("SET SESSION TRANSACTION READ ONLY", "SET SESSION max_execution_time = 2500")
    ]
    assert list(session_statements("mysql", 2.5, "5.5.5-10.11-MariaDB"))[2] == "SET SESSION max_statement_time = 2.5"
    assert "'statement_timeout', '2500'" in next(session_statements("postgresql", 2.5))


def test_sql_server_is_asked_by_its_driver():
    config = settings(f"mssql://bridge@127.0.0.1:{free_port()}/crm", password="secret")
    statement = config.check("query", QUERY, asks_for_caller=True).statement.params(forms=["1", "2"])
    engine = make_engine(config, 1.0, 1)
    compiled = statement.compile(engine, compile_kwargs={"render_postcompile": True})
    assert " ".join(str(compiled).split()) == f"{QUERY.replace(':forms', '%(forms_1)s, %(forms_2)s')}"
    with pytest.raises(SourceUnavailable, match=r"SQL Server, crm at 127.0.0.1:.* cannot be reached"):
        SqlConnector(config).open()


def test_a_sql_server_that_says_nothing_is_left():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        config = settings(f"mssql://bridge@127.0.0.1:{silent.getsockname()[1]}/crm", password="secret")
        with pytest.raises(SourceUnavailable):
            SqlConnector(config).find_owners(CALL, Deadline.after(0.5))
