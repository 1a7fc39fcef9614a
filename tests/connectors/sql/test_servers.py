"""The SQL connector on real PostgreSQL and MariaDB servers."""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bridge.sdk import Call, Deadline, Owner, PhoneNumber, SourceRejected, SourceUnavailable, UnexpectedAnswer
from connectors.sql.connector import SqlConnector
from tests.support.databases import mariadb, postgres

pytestmark = pytest.mark.system

LAN, MINH = Owner(email="lan@congty.example"), Owner(email="minh@congty.example")
DIGITS = {
    "postgresql": "regexp_replace(phone, '[(]0[)]|[^0-9+]', '', 'g')",
    "mariadb": "regexp_replace(phone, '[(]0[)]|[^0-9+]', '')",
}
TEXT = {"postgresql": "CAST(phone AS text)", "mariadb": "CAST(phone AS char)"}
ASKED = "FROM customers WHERE phone IN (:forms)"
ONCE = "0701234567"  # one row holds it
SLEEP = {"postgresql": "pg_sleep({})::text", "mariadb": "sleep({})"}
_THOUSANDS = {
    "postgresql": "SELECT generate_series(1, 3000) AS n",
    "mariadb": "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 900) SELECT n FROM r",
}
SESSION = {
    "postgresql": ("SELECT set_config('app.org', '7', false)", "current_setting('app.org', true)"),
    "mariadb": ("SET @org = '7'", "@org"),
}


@pytest.fixture(scope="module", params=[postgres, mariadb], ids=["postgresql", "mariadb"])
def server(request):
    with request.param() as running:
        yield running


@pytest.fixture
def connect(server):
    made = []

    def connect(query=None, **settings):
        query = query or f"SELECT owner_email AS email FROM customers WHERE {DIGITS[server.kind]} IN (:forms)"
        given = {"url": server.url, "password": server.password, "query": query, **settings}
        made.append(SqlConnector(SqlConnector.Config.model_validate(given)))
        return made[-1]

    yield connect
    for connector in made:
        connector.close()


def ask(connector, number="0901234567", seconds=5.0, **call):
    return connector.find_owners(Call(PhoneNumber.parse(number), **call), Deadline.after(seconds))


def test_a_number_is_found_in_every_spelling_of_its_clerks(connect):
    connector = connect()
    assert ask(connector) == (LAN, MINH)
    assert ask(connector, "0701234567") == (LAN,)  # written 01201234567, as until 2018


def test_a_customer_without_an_owner_and_a_stranger_have_none(connect):
    connector = connect()
    assert ask(connector, "0912345678") == ()
    assert ask(connector, "0909999999") == ()


def test_what_a_pattern_finds_is_compared_as_a_whole(connect):
    query = "SELECT owner_email AS email, phone FROM customers WHERE phone LIKE CONCAT(:interleaved, '%')"
    lines = []
    assert ask(connect(query), explain=lines.append) == (LAN, MINH)
    assert "row 3 does not count: its phone is not the caller's number" in lines
    assert ask(connect(query), "0912345670") == (MINH,)


def test_a_foreign_number_is_not_taken_for_one_of_here_with_the_same_digits(server, connect):
    server.admin(*server.use, "INSERT INTO customers VALUES ('2438123456', 'lan@congty.example')")
    connector = connect("SELECT owner_email AS email FROM customers WHERE phone IN (:national, :nsn, :legacy)")
    assert ask(connector, "02438123456") == (LAN,)
    assert ask(connector, "+12438123456") == ()


def test_what_a_number_has_not_equals_no_empty_phone(server, connect):
    server.admin(*server.use, "INSERT INTO customers VALUES ('', 'trang@congty.example')")
    assert ask(connect("SELECT owner_email AS email FROM customers WHERE phone IN (:national, :legacy)")) == ()


def test_numbers_may_be_kept_as_numbers(server, connect):
    server.admin(
        *server.use,
        "CREATE TABLE plain (phone bigint, owner bigint)",
        "INSERT INTO plain VALUES (901234567, 7), (901234568, 8)",
        *server.grant("plain"),
    )
    assert ask(connect(f"SELECT owner AS owner_id FROM plain WHERE {TEXT[server.kind]} = :nsn")) == (Owner(id="7"),)


def test_a_foreign_number_is_nobodys_of_here_though_the_database_takes_texts_for_numbers(server, connect):
    server.admin(
        *server.use,
        "CREATE TABLE digits (phone bigint, owner bigint)",
        "INSERT INTO digits VALUES (951234567, 7), (95951234567, 8)",
        *server.grant("digits"),
    )
    column = {"postgresql": "'+' || CAST(phone AS text)", "mariadb": "phone"}[server.kind]
    lines = []
    without = connect(f"SELECT owner AS owner_id FROM digits WHERE {column} IN (:forms)")
    assert ask(without, "+951234567", explain=lines.append) == ()
    assert "no row counts: without + the caller's number would be somebody else's in VN" in lines[0]
    compared = connect(f"SELECT owner AS owner_id, phone FROM digits WHERE {column} IN (:forms)")
    assert ask(compared, "+951234567") == ()
    digits = f"SELECT owner AS owner_id, phone FROM digits WHERE {TEXT[server.kind]} = :digits"
    assert ask(connect(digits), "+951234567") == ()


def test_a_foreign_number_is_found_where_it_stands_with_its_plus(server, connect):
    server.admin(*server.use, "INSERT INTO customers VALUES ('+951234567', 'lan@congty.example')")
    query = "SELECT owner_email AS email, phone FROM customers WHERE phone IN (:forms)"
    assert ask(connect(query), "+951234567") == (LAN,)


def test_percent_signs_colons_and_backslashes_of_the_query_stay_as_they_are(connect):
    query = "SELECT owner_email AS email FROM customers WHERE phone IN (:forms) AND owner_email <> '10:30 :x 100%'"
    assert ask(connect(query), "0701234567") == (LAN,)


def test_other_colons_are_no_parameters(server, connect):
    text = {"postgresql": "(ARRAY['a', 'b'])[ 1 :1]::text", "mariadb": "@x := '{a}'"}[server.kind]
    assert ask(connect(f"SELECT {text} AS name {ASKED}"), ONCE) == (Owner(name="{a}"),)


def test_the_hotline_is_a_parameter_too(connect):
    connector = connect("SELECT :hotline AS name FROM customers WHERE phone IN (:forms)")
    assert connector.reads_hotline
    assert ask(connector, "0701234567", hotline=PhoneNumber.parse("02499950291")) == (Owner(name="+842499950291"),)
    assert ask(connector, "0701234567") == ()


def test_statements_run_on_every_new_connection(server, connect):
    statement, setting = SESSION[server.kind]
    query = f"SELECT {setting} AS owner_id, {SLEEP[server.kind].format(0.1)} AS name {ASKED}"
    connector = connect(query, on_connect=statement, max_in_flight=3)
    with ThreadPoolExecutor(6) as threads:
        found = set(threads.map(lambda _: ask(connector, ONCE), range(12)))
    assert {owner.id for owners in found for owner in owners} == {"7"}


def test_a_statement_that_cannot_be_run_is_told_with_its_number(connect):
    with pytest.raises(SourceRejected, match=r"on_connect\[1\]: .*nowhere"):
        connect(on_connect=["SELECT 1", "SELECT 1 FROM nowhere"]).open()


def test_nothing_can_be_written(server, connect):
    server.admin(*server.use, *server.grant("customers", "INSERT"), *server.sneaky)
    connector = connect(f"SELECT sneak() AS name {ASKED}")
    with pytest.raises(SourceRejected, match=r"(?i)read.only"):
        ask(connector, ONCE)


def test_no_question_can_make_the_next_one_write(server, connect):
    off = {
        "postgresql": "LANGUAGE sql AS $$SELECT set_config('default_transaction_read_only', 'off', false)$$",
        "mariadb": "BEGIN SET SESSION TRANSACTION READ WRITE; RETURN 'off'; END",
    }[server.kind]
    server.admin(*server.use, *server.grant("customers", "INSERT"), *server.sneaky)
    server.admin(*server.use, f"CREATE FUNCTION off() RETURNS varchar(9) {off}")
    query = f"SELECT CASE WHEN owner_email IS NULL THEN off() ELSE sneak() END AS name {ASKED}"
    connector = connect(query, max_in_flight=1)
    with contextlib.suppress(SourceRejected):  # MariaDB knows beforehand that it might write
        assert ask(connector, "0912345678") == (Owner(name="off"),)
    with pytest.raises(SourceRejected, match=r"(?i)read.only"):
        ask(connector, ONCE)


def test_the_server_itself_ends_a_query_that_takes_too_long(server, connect):
    connector = connect(f"SELECT 1 AS owner_id, {SLEEP[server.kind].format(30)} AS name {ASKED}", timeout="300ms")
    with pytest.raises(SourceUnavailable) as caught:
        ask(connector, ONCE, seconds=20)
    assert "did not answer in time" not in str(caught.value)


def test_the_number_of_connections_is_bounded(server, connect):
    assert server.wait_until_no_connection()
    connector = connect(max_in_flight=2)
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(lambda _: ask(connector), range(40))) == {(LAN, MINH)}
    assert server.connections() <= 2


def test_a_closed_connector_leaves_no_connection_and_no_thread(server, connect):
    connector = connect()
    ask(connector)
    connector.close()
    assert server.wait_until_no_connection()
    assert not [thread for thread in threading.enumerate() if thread.name == "watchdog"]


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"password": "wrong-hunter2"}, r"(?i)password|denied"),
        ({"password": None}, r"(?i)password|denied"),
        ({"query": "SELECT email FROM nowhere WHERE phone = :e164"}, "nowhere"),
        ({"query": "SELECT owner_mail AS email FROM customers WHERE phone = :e164"}, "owner_mail"),
        ({"query": "SELECT email FROM secrets WHERE phone = :e164"}, r"(?i)denied"),
        ({"query": "SELECT email FROM customers AS column WHERE phone = :e164"}, r"(?i)syntax"),
    ],
    ids=["password", "no-password", "table", "column", "rights", "syntax"],
)
def test_what_somebody_has_to_mend_is_told_without_secrets_and_numbers(server, connect, settings, complaint):
    server.admin(*server.use, "CREATE TABLE IF NOT EXISTS secrets (phone varchar(60), email varchar(60))")
    connector = connect(**settings)
    with pytest.raises(SourceRejected, match=complaint) as caught:
        connector.open()
    assert "hunter2" not in str(caught.value)
    assert "999999" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_database_that_is_not_there_is_told(server, connect):
    with pytest.raises(SourceRejected, match=r"(?i)elsewhere"):
        connect(url=server.url.replace("/postgres", "/elsewhere").replace("/crm", "/elsewhere")).open()


def test_columns_that_came_and_mean_nothing_are_listed(connect):
    with pytest.raises(UnexpectedAnswer, match=r"'owner_email' means nothing.*the query returned phone, owner_email"):
        connect("SELECT * FROM customers WHERE phone = :e164").open()


def test_a_column_of_numbers_is_told_to_be_made_a_text(server, connect):
    server.admin(*server.use, "CREATE TABLE IF NOT EXISTS bare (phone bigint, email text)", *server.grant("bare"))
    connector = connect("SELECT email FROM bare WHERE phone = :nsn")
    if server.kind == "postgresql":
        with pytest.raises(SourceRejected, match=r"parameters are texts: compare CAST\(column AS text\)"):
            connector.open()
    else:
        connector.open()


def test_a_query_that_finds_everything_is_refused(server, connect):
    server.admin(*server.use, "CREATE TABLE many (phone varchar(60))", *server.grant("many"),
                 f"INSERT INTO many SELECT '' FROM {server.series(1001)}")  # fmt: skip
    with pytest.raises(UnexpectedAnswer, match="more than 1000 rows"):
        connect("SELECT 1 AS owner_id, phone FROM many WHERE :e164 <> phone").open()


def test_the_report_tells_how_long_the_query_took(server, connect):
    connector = connect()
    connector.open()
    (line,) = connector.report()
    assert line.startswith(f"{server.title}, ")
    assert ": the query took " in line
    assert line.endswith(" ms, and returns email")


def test_a_slow_query_is_warned_of(server, connect):
    slow = SLEEP[server.kind].format(0.25)
    connector = connect(f"SELECT 7 AS owner_id FROM (SELECT 1 AS one) AS once WHERE :e164 = (SELECT {slow})")
    connector.open()
    assert connector.report()[1].startswith("slow: the query took ")


def test_the_owners_are_known_if_there_is_a_query_for_them(connect):
    listed = connect(owners_query="SELECT DISTINCT owner_email AS email FROM customers ORDER BY owner_email")
    assert LAN in listed.owners_known()
    assert MINH in listed.owners_known()
    assert connect().owners_known() == ()


def test_customers_are_listed_a_few_thousand_at_a_time_with_the_owners_of_a_call(connect, server):
    numbers = f"SELECT phone, owner_email AS email FROM customers, ({_THOUSANDS[server.kind]}) AS many"
    connector = connect(list_query=numbers)
    pages = list(connector.list_customers())
    assert max(page.records for page in pages) == 2000
    assert len(pages) > 3
    caller = PhoneNumber.parse("0901234567")
    named = {owner for page in pages for one in page.customers if caller in one.numbers for owner in one.owners}
    assert named == {LAN, MINH}
    assert ask(connector) == (LAN, MINH)


def test_a_list_whose_query_is_wrong_is_no_empty_list(connect):
    connector = connect(list_query="SELECT phone, owner_email AS email FROM no_such_table")
    with pytest.raises(SourceRejected):
        list(connector.list_customers())
