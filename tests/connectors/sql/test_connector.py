"""The SQL connector's settings, and what it makes of rows, on SQLite."""

import re
import socket
import sqlite3
import threading
from decimal import Decimal
from itertools import count
from uuid import UUID

import pytest
from pydantic import ValidationError

from bridge.sdk import Call, Deadline, Lane, Owner, PhoneNumber, SourceRejected, SourceUnavailable, UnexpectedAnswer
from bridge.sdk.phone import OwnSpellings, unread_told_to
from connectors.sql.config import SqlConfig
from connectors.sql.connector import SqlConnector
from connectors.sql.database.database import Found
from connectors.sql.database.engine import make_engine, session_statements
from connectors.sql.database.errors import readable
from connectors.sql.rows import check_columns, customers_of, owners_of, rows_of
from connectors.sql.values import values_for
from tests.support.another_user import as_nobody, only_root
from tests.support.database_server import open_folder
from tests.support.service import free_port

QUERY = "SELECT email FROM customers WHERE phone IN (:forms)"
CALL = Call(PhoneNumber.parse("0901234567"))


def parameters(caller, region):
    return values_for(OwnSpellings(PhoneNumber.parse(caller), region), None)


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


def test_a_column_record_says_in_which_rows_an_owner_stands(connect):
    connector = connect("SELECT 'lan@congty.example' AS email, rowid AS record FROM customers WHERE phone IN (:forms)")
    (owner,) = connector.find_owners(CALL, Deadline.after(5))
    assert owner.record == "1, 2"


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


def test_a_number_of_another_country_keeps_its_plus_if_it_would_be_somebodys_here():
    yangon, new_york = (parameters(one, "VN") for one in ("+951234567", "+12025550123"))
    assert (yangon["digits"], yangon["national"], yangon["nsn"]) == (None, None, None)
    assert yangon["forms"] == ["+951234567", "00951234567"]
    assert new_york["digits"] == "12025550123"
    here = parameters("+842438123456", "US")
    assert "2438123456" not in here["forms"]
    assert "+842438123456" in here["forms"]


def test_a_number_of_another_country_is_not_one_of_here_in_a_column_of_numbers(connect, file):
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE digits (phone INTEGER, email)")
        database.execute("INSERT INTO digits VALUES (951234567, 'lan@congty.example')")
    database.close()
    yangon, here = Call(PhoneNumber.parse("+951234567")), Call(PhoneNumber.parse("0951234567"))
    for columns in ("email", "email, phone"):
        connector = connect(f"SELECT {columns} FROM digits WHERE phone IN (:forms)")
        assert connector.find_owners(yangon, Deadline.after(5)) == ()
        assert connector.find_owners(here, Deadline.after(5)) == (Owner(email="lan@congty.example"),)


@pytest.mark.parametrize("kind", ["INTEGER", "REAL", "NUMERIC", "TEXT", ""])
@pytest.mark.parametrize("compared", ["phone", "CAST(CAST(phone AS integer) AS text)"])
@pytest.mark.parametrize("number", ["0901234567", "02838990001", "+12025550123"])
def test_a_column_of_numbers_is_compared_and_read_without_loss(connect, file, kind, compared, number):
    digits = PhoneNumber.parse(number).e164[1:].removeprefix("84")
    with sqlite3.connect(file) as database:
        database.execute(f"CREATE TABLE kept (phone {kind}, email)")
        database.execute(
            "INSERT INTO kept VALUES (?, 'lan@congty.example')", [digits if kind == "TEXT" else int(digits)]
        )
    database.close()
    connector = connect(f"SELECT email, phone FROM kept WHERE {compared} IN (:forms)")
    found = connector.find_owners(Call(PhoneNumber.parse(number)), Deadline.after(5))
    untyped = kind == "" and compared == "phone"  # then a number equals no text
    assert found == (() if untyped else (Owner(email="lan@congty.example"),))


@pytest.mark.parametrize(
    ("value", "is_found"),
    [
        (901234567.0, True),
        (84901234567.0, True),
        (Decimal("901234567.00"), True),
        ("901234567.0", True),
        ("9.01234567E8", True),
        ("9.01234567E+08", True),
        (901234567.5, False),
        (Decimal("901234567.9"), False),
        (float("inf"), False),
        (True, False),
    ],
)
def test_a_number_that_was_kept_as_a_quantity_is_the_number_without_a_fraction(value, is_found):
    found = Found(("email", "phone"), [("lan@congty.example", value)], 0.0)
    assert len(list(rows_of(found, CALL.caller, "VN", lambda _line: None))) == is_found


@pytest.mark.parametrize(
    "read",
    [lambda found: rows_of(found, CALL.caller, "VN", lambda _line: None), lambda found: customers_of(found, "VN")],
)
def test_reading_many_rows_ends_when_the_time_is_over(read):
    found = Found(("email", "phone"), [("lan@congty.example", "0 1")] * 30, 0.0)
    with Lane(spent=count().__next__).turn(Deadline.after(0.0)), pytest.raises(SourceUnavailable):
        list(read(found))


def test_a_number_is_one_of_the_country_beside_it(connect, file):
    rows = [
        ("0812345678", "TH", "minh@congty.example"),
        ("0812345678", None, "lan@congty.example"),
        ("+84 81 234 5678", "Thailand", "nghi@congty.example"),
        ("0812345678", "Atlantis", "huong@congty.example"),
        (812345678, 66, "minh@congty.example"),
    ]
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE abroad (phone, country, email)")
        database.executemany("INSERT INTO abroad VALUES (?, ?, ?)", rows)
    database.close()
    cleaned = "replace(replace(phone, ' ', ''), '+84', '0')"
    connector = connect(
        f"SELECT email, phone, country FROM abroad WHERE {cleaned} IN (:national_at_home, :nsn_at_home)"
    )
    here = connector.find_owners(Call(PhoneNumber.parse("0812345678")), Deadline.after(5))
    assert [owner.email for owner in here] == ["lan@congty.example", "nghi@congty.example"]
    thai = connector.find_owners(Call(PhoneNumber.parse("+66812345678")), Deadline.after(5))
    assert [owner.email for owner in thai] == ["minh@congty.example"]


@pytest.mark.parametrize("columns", ["email", "email, phone", "email, country"])
def test_a_number_as_it_is_at_home_needs_its_country(connect, columns):
    with pytest.raises(ValidationError, match=r"phone.*country|country.*phone"):
        connect(f"SELECT {columns} FROM customers WHERE phone = :nsn_at_home")


def test_a_file_that_is_not_there_is_not_made(connect, file):
    file.unlink()
    with pytest.raises(SourceUnavailable, match=re.escape(f"unable to open database file: {file}")):
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
    connector = connect(f"{endless} WHERE i = :e164")
    with pytest.raises(SourceUnavailable, match="did not answer in time"):
        connector.find_owners(CALL, Deadline.after(0.2))
    assert not [thread for thread in threading.enumerate() if thread.name == "watchdog"]


def test_a_file_that_is_no_database_is_told(connect, file):
    file.write_bytes(b"phone;email\n" * 100)
    with pytest.raises(SourceRejected, match="not a database"):
        connect().open()


@only_root
def test_a_file_whose_log_cannot_be_written_beside_it_is_told_what_to_do():
    with open_folder() as folder:
        file = folder / "crm.sqlite"
        folder.chmod(0o755)
        with sqlite3.connect(file) as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("CREATE TABLE customers (phone, email)")
        database.close()
        file.chmod(0o644)
        connector = SqlConnector(settings(f"sqlite:///{file}"))
        with as_nobody(), pytest.raises(SourceRejected, match=r"readonly database: the file is in WAL mode"):
            connector.open()


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("who is 0901 234 567?", "who is …567?"),
        ("who is +84 90.123.45.67?", "who is +…567?"),
        ("who is 0901-234-567 or %0%9%0%1%2%3?", "who is …567 or %…123?"),
        ("who is (028) 3812-3456?", "who is (…456?"),
        ("'bridge'@'192.168.1.20' at line 12 (1064)", "'bridge'@'192.168.1.20' at line 12 (1064)"),
    ],
)
def test_no_number_is_told_however_it_is_grouped(words, shown):
    assert readable(words) == shown


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


def test_a_row_counts_by_a_number_with_other_signs_around_it_and_what_is_hidden_is_told(connect, file):
    phones = ("0901234567 ::: 0912345678", "Zalo0901234567", "8484901234567", "0901 xxx 567")
    database = sqlite3.connect(file)
    database.execute("DELETE FROM customers")
    database.executemany("INSERT INTO customers VALUES (?, ?)", [(phone, f"{n}@x") for n, phone in enumerate(phones)])
    database.commit()
    database.close()
    heard = []
    with unread_told_to(heard.append):
        found = connect("SELECT email, phone FROM customers WHERE :e164 != ''").find_owners(CALL, Deadline.after(5))
    assert [owner.email for owner in found] == ["0@x", "1@x", "2@x"]
    assert [one.text for one in heard] == ["0901 xxx 567"]


PEOPLE = "SELECT 'Hoà' AS name, 'lan1@congty.example' AS email UNION ALL SELECT 'Hòa', 'lan2@congty.example'"


def test_a_name_that_two_of_the_owners_query_have_is_neithers(connect):
    everybody = f"{PEOPLE} UNION ALL SELECT 'HÒA', NULL"
    query = f"SELECT p.name, p.email FROM customers AS c, ({everybody}) AS p WHERE c.phone IN (:forms)"
    connector = connect(query, owners_query=PEOPLE)
    connector.open()
    found = connector.find_owners(CALL, Deadline.after(5))
    assert found == (Owner(email="lan1@congty.example"), Owner(email="lan2@congty.example"))
    trusting = connect(query)
    trusting.open()
    assert {owner.name for owner in trusting.find_owners(CALL, Deadline.after(5))} == {"Hoà", "Hòa", "HÒA"}


def test_an_owners_query_that_fails_keeps_no_call_from_being_answered(connect, caplog):
    connector = connect(owners_query="SELECT name FROM nowhere")
    connector.open()
    assert connector.find_owners(CALL, Deadline.after(5)) == (
        Owner(email="lan@congty.example"),
        Owner(email="minh@congty.example"),
    )
    assert "which names several owners have is not known" in caplog.text
