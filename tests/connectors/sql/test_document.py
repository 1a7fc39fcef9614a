"""The SQL of docs/sql.md runs on the real servers, and finds whom the document says."""

import sqlite3

import pytest
import yaml

from bridge.sdk import Call, Deadline, Owner, PhoneNumber
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


def on_customers(server):
    return {"url": server.url, "password": server.password}


def test_a_reader_may_read_and_digits_are_compared(server):
    server.admin(*server.use, "CREATE TABLE users (email varchar(60))")
    server.admin(*server.use, *server.readers(block(DOCUMENT, READER[server.kind], "sql").text, "reader"))
    query, index = [one.text for one in blocks("sql", DOCUMENT) if one.heading == DIGITS[server.kind]]
    server.admin(*server.use, index)
    url = server.url.replace("bridge@", "reader@")
    assert asked(url=url, password="change-me", query=query) == (LAN, MINH)
    assert asked("0701234567", url=url, password="change-me", query=query) == (LAN,)


def test_several_numbers_in_a_cell_are_found_by_a_pattern(server):
    server.admin(*server.use, "ALTER TABLE customers ADD mobile varchar(60)")
    query = recipe("Whole numbers")["query"]
    assert asked("0912345679", query=query, **on_customers(server)) == (MINH,)
    assert asked(query=query, **on_customers(server)) == (LAN, MINH)


def test_numbers_from_before_2018_and_several_in_a_cell_are_found_by_both_ways_at_once(server):
    _, both = [yaml.safe_load(one.text) for one in blocks("yaml", DOCUMENT) if one.heading == "Whole numbers"]
    query = both["crm"]["query"]
    if server.kind == "postgresql":
        query = query.replace("'[(]0[)]|[^0-9+]', ''", "'[(]0[)]|[^0-9+]', '', 'g'")
    assert asked("0912345679", query=query, **on_customers(server)) == (MINH,)
    assert asked("0701234567", query=query, **on_customers(server)) == (LAN,)
    assert asked(query=query, **on_customers(server)) == (LAN, MINH)


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


SUITECRM = (
    "CREATE TABLE contacts (id char(36), assigned_user_id char(36), deleted tinyint, date_entered datetime, "
    "phone_mobile varchar(100), phone_work varchar(100), phone_home varchar(100), phone_other varchar(100))",
    "CREATE TABLE users (id char(36), user_name varchar(60), first_name varchar(255), last_name varchar(255), "
    "status varchar(100), is_group tinyint, portal_only tinyint, deleted tinyint)",
    "CREATE TABLE email_addresses (id char(36), email_address varchar(255), deleted tinyint)",
    "CREATE TABLE email_addr_bean_rel (email_address_id char(36), bean_id char(36), bean_module varchar(100), "
    "primary_address tinyint, deleted tinyint)",
    "INSERT INTO users VALUES ('lan', 'lan', 'Lan', 'Nguyễn Thị', 'Active', 0, 0, 0), "
    "('minh', 'minh', '', 'Minh', 'Active', NULL, NULL, 0), ('nghi', 'nghi', '', 'Nghi', 'Inactive', 0, 0, 0), "
    "('group', 'sales', '', 'Sales', 'Active', 1, 0, 0), ('gone', 'gone', '', 'Gone', 'Active', 0, 0, 1)",
    "INSERT INTO email_addresses VALUES ('e1', 'lan@congty.example', 0), ('e2', 'old@congty.example', 0)",
    "INSERT INTO email_addr_bean_rel VALUES ('e1', 'lan', 'Users', 1, 0), ('e2', 'lan', 'Users', 0, 0), "
    "('e2', 'minh', 'Users', 1, 1)",
    "INSERT INTO contacts VALUES "
    "('1', 'lan', 0, '2024-01-01', NULL, '', '+84 90 123 45 67', NULL), "
    "('2', 'minh', 0, '2025-01-01', '0912345678 / 0901 234 567 ext 12', NULL, NULL, NULL), "
    "('3', 'minh', 1, '2025-01-01', '0901234567', NULL, NULL, NULL), "
    "('4', 'nghi', 0, '2025-01-01', '0901234567', NULL, NULL, NULL), "
    "('5', 'group', 0, '2025-01-01', '0901234567', NULL, NULL, NULL), "
    "('6', 'gone', 0, '2025-01-01', '0901234567', NULL, NULL, NULL), "
    "('7', 'lan', 0, '2025-01-01', '01234.567.890', NULL, NULL, NULL), "
    "('8', 'minh', 0, '2025-01-01', '0901234567 8', NULL, NULL, NULL)",
)

VTIGER = (
    "CREATE TABLE vtiger_crmentity (crmid int, smownerid int, setype varchar(30), deleted int, createdtime datetime)",
    "CREATE TABLE vtiger_users (id int, user_name varchar(255), email1 varchar(100), first_name varchar(30), "
    "last_name varchar(30), status varchar(25), deleted int)",
    "CREATE TABLE vtiger_contactdetails (contactid int, phone varchar(50), mobile varchar(50))",
    "CREATE TABLE vtiger_contactsubdetails (contactsubscriptionid int, homephone varchar(50), otherphone varchar(50))",
    "CREATE TABLE vtiger_leaddetails (leadid int, converted int)",
    "CREATE TABLE vtiger_leadaddress (leadaddressid int, phone varchar(50), mobile varchar(50))",
    "CREATE TABLE vtiger_account (accountid int, phone varchar(30), otherphone varchar(30))",
    "INSERT INTO vtiger_users VALUES (5, 'lan', 'lan@congty.example', 'Lan', 'Nguyễn Thị', 'Active', 0), "
    "(6, 'minh', '', '', 'Minh', 'Active', 0), (7, 'nghi', 'nghi@congty.example', '', 'Nghi', 'Inactive', 0)",
    "INSERT INTO vtiger_crmentity VALUES (11, 5, 'Contacts', 0, '2024-01-01'), (12, 3, 'Contacts', 0, '2025-01-01'), "
    "(13, 7, 'Contacts', 0, '2025-01-01'), (14, 6, 'Leads', 0, '2025-01-01'), (15, 5, 'Accounts', 0, '2023-01-01'), "
    "(16, 6, 'Contacts', 1, '2025-01-01'), (17, 6, 'Leads', 0, '2025-01-01')",
    "INSERT INTO vtiger_contactdetails VALUES (11, '', '0123.456.7890'), (12, '0901234567', ''), "
    "(13, '0901234567', ''), (16, '0901234567', '')",
    "INSERT INTO vtiger_contactsubdetails VALUES (11, '+84 90 123 45 67', NULL), (12, NULL, NULL), (13, NULL, NULL)",
    "INSERT INTO vtiger_leaddetails VALUES (14, 0), (17, 1)",
    "INSERT INTO vtiger_leadaddress VALUES (14, '0901 234 567 ext 12', NULL), (17, '0912345678', NULL)",
    "INSERT INTO vtiger_account VALUES (15, '028 3812 3456', NULL)",
)


def test_suitecrms_database_names_the_owners_who_count_the_newest_first():
    with mariadb() as server:
        server.admin(*server.use, *SUITECRM, "GRANT SELECT ON crm.* TO bridge")
        query = recipe("SuiteCRM's database")["query"]
        lan = Owner(id="lan", email="lan@congty.example", login="lan", name="Lan Nguyễn Thị")
        minh = Owner(id="minh", login="minh", name="Minh")
        assert asked(query=query, **on_customers(server)) == (minh, lan)
        assert asked("0834567890", query=query, **on_customers(server)) == (lan,)
        assert asked("0999999999", query=query, **on_customers(server)) == ()


def test_vtigers_database_names_the_owners_who_count_the_newest_first():
    with mariadb() as server:
        server.admin(*server.use, *VTIGER, "GRANT SELECT ON crm.* TO bridge")
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
    told = {spans(row.cells[0])[0]: row for row in rows(DOCUMENT) if row.heading == "Parameters"}
    assert {name.strip("IN (:)") for name in told} == set(PARAMETERS)
    values = values_for(Call(PhoneNumber.parse("0901234567")), "VN")
    assert spans(told.pop("IN (:forms)").cells[1]) == values["forms"]
    for name, row in told.items():
        assert spans(row.cells[1]) in ([], [values[name[1:]] or "NULL"])


def test_every_column_is_documented():
    told = [span for row in rows(DOCUMENT) if row.heading == "Columns" for span in spans(row.cells[0])]
    assert sorted(told) == sorted(COLUMNS)
