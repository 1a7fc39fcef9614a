"""The SQL of docs/sql.md runs on the real servers, and finds whom the document says."""

import sqlite3
from pathlib import Path

import pytest
import yaml

from bridge.sdk import Call, Deadline, Owner, PhoneNumber
from bridge.sdk.phone import OwnSpellings
from connectors.sql.connector import SqlConnector
from connectors.sql.query.columns import COLUMNS
from connectors.sql.query.query import PARAMETERS, Query
from connectors.sql.values import values_for
from tests.support.databases import mariadb, postgres
from tests.support.documents import ROOT, block, blocks, rows, spans

DOCUMENT = ROOT / "docs/sql.md"
LAN, MINH = Owner(email="lan@congty.example"), Owner(email="minh@congty.example")
DIGITS = {"postgresql": "Digits in PostgreSQL", "mariadb": "Digits in MariaDB and MySQL"}
READER = {"postgresql": "Reader in PostgreSQL", "mariadb": "Reader in MariaDB and MySQL"}


@pytest.fixture(scope="module", params=[postgres, mariadb], ids=["postgresql", "mariadb"])
def server(request):
    with request.param() as running:
        yield running


def asked(number="0901234567", **settings):
    connector = SqlConnector(SqlConnector.Config.model_validate(settings))
    try:
        return connector.find_owners(Call(PhoneNumber.parse(number)), Deadline.after(5))
    finally:
        connector.close()


def recipe(heading):
    return yaml.safe_load(block(DOCUMENT, heading, "yaml").text)["crm"]


def tables(crm):
    """Return the statements that make a CRM's tables, with a few customers in them."""
    return (Path(__file__).parent / f"{crm}.sql").read_text(encoding="utf-8").rstrip(";\n").split(";\n")


def on_customers(server):
    return {"url": server.url, "password": server.password}


@pytest.mark.system
def test_a_reader_may_read_and_digits_are_compared(server):
    server.admin(*server.use, "CREATE TABLE users (email varchar(60))")
    server.admin(*server.use, *server.readers(block(DOCUMENT, READER[server.kind], "sql").text, "reader"))
    query, index = [one.text for one in blocks("sql", DOCUMENT) if one.heading == DIGITS[server.kind]]
    server.admin(*server.use, index)
    url = server.url.replace("bridge@", "reader@")
    assert asked(url=url, password="change-me", query=query) == (LAN, MINH)
    assert asked("0701234567", url=url, password="change-me", query=query) == (LAN,)


@pytest.mark.system
def test_several_numbers_in_a_cell_are_found_by_a_pattern(server):
    server.admin(*server.use, "ALTER TABLE customers ADD mobile varchar(60)")
    query = recipe("Whole numbers")["query"]
    assert asked("0912345679", query=query, **on_customers(server)) == (MINH,)
    assert asked(query=query, **on_customers(server)) == (LAN, MINH)


@pytest.mark.system
def test_numbers_from_before_2018_and_several_in_a_cell_are_found_by_both_ways_at_once(server):
    _, both = [yaml.safe_load(one.text) for one in blocks("yaml", DOCUMENT) if one.heading == "Whole numbers"]
    query = both["crm"]["query"]
    if server.kind == "postgresql":
        query = query.replace("'[(]0[)]|[^0-9+]', ''", "'[(]0[)]|[^0-9+]', '', 'g'")
    assert asked("0912345679", query=query, **on_customers(server)) == (MINH,)
    assert asked("0701234567", query=query, **on_customers(server)) == (LAN,)
    assert asked(query=query, **on_customers(server)) == (LAN, MINH)


NUMBERS = {cells[0]: spans(cells[1])[0] for cells in (row.cells for row in rows(DOCUMENT)) if "CAST(CAST" in cells[1]}


@pytest.mark.system
@pytest.mark.parametrize("kind", ["bigint", "decimal(14,2)", "double precision"])
def test_a_column_of_numbers_is_compared_as_the_document_says(server, kind):
    table = f"numbers_{kind.partition('(')[0].replace(' ', '_')}"
    server.admin(
        *server.use,
        f"CREATE TABLE {table} (phone {kind}, email varchar(60))",
        f"INSERT INTO {table} VALUES (901234567, 'lan@congty.example'), (84901234567, 'minh@congty.example')",
        f"GRANT SELECT ON {table} TO bridge",
    )
    (text,) = [text for name, text in NUMBERS.items() if server.kind.casefold() in name.casefold()]
    query = f"SELECT email FROM {table} WHERE {text} IN (:forms)"
    assert asked(query=query, **on_customers(server)) == (LAN, MINH)
    assert asked("0901234560", query=query, **on_customers(server)) == ()


@pytest.mark.system
def test_a_customer_from_abroad_is_compared_together_with_his_country():
    with postgres() as server:
        server.admin(
            "ALTER TABLE customers ADD country_code text",
            "INSERT INTO customers VALUES ('081 234 5678', 'minh@congty.example', 'TH')",
        )
        query = recipe("Customers from abroad")["query"]
        assert asked("+66812345678", query=query, **on_customers(server)) == (MINH,)
        assert asked("0812345678", query=query, **on_customers(server)) == ()
        assert asked(query=query, **on_customers(server)) == (LAN, MINH)


@pytest.mark.system
def test_several_owners_ring_in_their_order():
    recipe_ = recipe("Several owners of a customer")
    with postgres() as server:
        server.admin(
            "CREATE TABLE users (id int, email text, extension text, active boolean)",
            "INSERT INTO users VALUES (1, 'lan@congty.example', '101', true), (2, 'minh@congty.example', '102', true), "
            "(3, 'nghi@congty.example', '103', false)",
            "ALTER TABLE customers ADD id serial",
            "CREATE TABLE customer_owners (customer_id int, user_id int, position int)",
            "INSERT INTO customer_owners SELECT id, 3 - n, n FROM customers, generate_series(0, 2) AS n",
            "GRANT SELECT ON users, customer_owners TO bridge",
        )
        found = asked("0701234567", query=recipe_["query"], **on_customers(server))
    assert [owner.extension for owner in found] == ["102", "101"]


@pytest.mark.system
def test_suitecrms_database_names_the_owners_who_count_the_newest_first():
    with mariadb() as server:
        server.admin(*server.use, *tables("suitecrm"), "GRANT SELECT ON crm.* TO bridge")
        query = recipe("SuiteCRM's database")["query"]
        lan = Owner(id="lan", email="lan@congty.example", login="lan", name="Lan Nguyễn Thị")
        minh = Owner(id="minh", login="minh", name="Minh")
        assert asked(query=query, **on_customers(server)) == (minh, lan)
        assert asked("0834567890", query=query, **on_customers(server)) == (lan,)
        assert asked("0999999999", query=query, **on_customers(server)) == ()


@pytest.mark.system
def test_vtigers_database_names_the_owners_who_count_the_newest_first():
    with mariadb() as server:
        server.admin(*server.use, *tables("vtiger"), "GRANT SELECT ON crm.* TO bridge")
        query = recipe("Vtiger's database")["query"]
        lan = Owner(id="5", email="lan@congty.example", login="lan", name="Lan Nguyễn Thị")
        minh = Owner(id="6", login="minh", name="Minh")
        assert asked(query=query, **on_customers(server)) == (minh, lan)
        assert asked("0834567890", query=query, **on_customers(server)) == (lan,)
        assert asked("02838123456", query=query, **on_customers(server)) == (lan,)
        assert asked("0912345678", query=query, **on_customers(server)) == ()


def test_digits_in_sqlite(tmp_path):
    database = sqlite3.connect(tmp_path / "crm.sqlite")
    database.execute("CREATE TABLE customers (phone, owner_email)")
    database.execute("INSERT INTO customers VALUES ('+84 (0) 90.123-4567', 'lan@congty.example')")
    database.commit()
    database.close()
    query = block(DOCUMENT, "Digits in SQLite", "sql").text
    assert asked(url=f"sqlite:///{tmp_path}/crm.sqlite", query=query) == (LAN,)


def test_digits_in_sql_server_are_compared_as_a_whole():
    query = Query(block(DOCUMENT, "Digits in SQL Server", "sql").text, "mssql")
    assert (query.columns, query.finds_more) == (("email",), "")


def test_every_parameter_is_documented_with_what_it_stands_for():
    told = {spans(row.cells[0])[0]: row for row in rows(DOCUMENT) if row.header[0] == "parameter"}
    assert {name.strip("IN (:)") for name in told} == set(PARAMETERS)
    values = values_for(OwnSpellings(PhoneNumber.parse("0901234567"), "VN"), None)
    assert spans(told.pop("IN (:forms)").cells[1]) == values["forms"]
    for name, row in told.items():
        assert spans(row.cells[1]) in ([], [values[name[1:]] or "NULL"])


def test_every_column_is_documented():
    told = [span for row in rows(DOCUMENT) if row.heading == "Columns" for span in spans(row.cells[0])]
    assert sorted(told) == sorted(COLUMNS)
