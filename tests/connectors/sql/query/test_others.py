"""Whatever is accepted without the phone finds nobody but the caller: random queries, asked of a real SQLite.

The table holds no row with the caller's number, so such a query may not return a single one.
"""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import StaticPool

from connectors.sql.query.query import Query

CALLER = {"e164": "+84901234567", "nsn": "901234567", "forms": ["+84901234567", "0901234567", "901234567"]}
WHOLE = ["phone = :e164", ":e164 = phone", "phone IN (:forms)", ":nsn IN (phone, mobile)"]
JOINS = ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN"]
OPERATORS = ["=", "==", "<>", "<", "IS", "IS NOT", "LIKE", "||", "+", "AND", "OR"]


@pytest.fixture(scope="module")
def table():
    engine = create_engine("sqlite://", poolclass=StaticPool)
    numbers = ["'x'", "'+84999999999'", "'0'", "''", "NULL"]
    rows = itertools.product(numbers, ["'x'", "NULL"], ["0", "1", "NULL"])
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE c (phone text, mobile text, a int, email text DEFAULT 'lan')")
        connection.exec_driver_sql("CREATE TABLE d (owner int, phone text)")
        connection.exec_driver_sql("INSERT INTO d VALUES (0, 'x'), (1, '+84999999999'), (NULL, NULL)")
        for row in rows:
            connection.exec_driver_sql(f"INSERT INTO c (phone, mobile, a) VALUES ({', '.join(row)})")
    yield engine
    engine.dispose()


def pattern(text, *parts):
    return st.tuples(*parts).map(lambda given: text.format(*given))


def larger(smaller):
    maybe_not = st.sampled_from(["", "NOT "])
    selected = st.sampled_from(["owner", "count(*)", "max(owner)", "1"])
    return st.one_of(
        pattern("{} {} {}", smaller, st.sampled_from(OPERATORS), smaller),
        pattern("{}({})", maybe_not, smaller),
        pattern("NOT {}", smaller),
        pattern("{} {}", smaller, st.sampled_from(["ISNULL", "IS NOT NULL", "IS TRUE", "COLLATE NOCASE"])),
        pattern("{} {}BETWEEN {} AND {}", smaller, maybe_not, smaller, smaller),
        pattern("{} {}IN ({}, {})", smaller, maybe_not, smaller, smaller),
        pattern("coalesce({}, {})", smaller, smaller),
        pattern("CASE WHEN {} THEN {} ELSE {} END", smaller, smaller, smaller),
        pattern("{}EXISTS (SELECT {} FROM d WHERE d.owner = c.a AND {})", maybe_not, selected, smaller),
        pattern("{} {}IN (SELECT {} FROM d WHERE {})", smaller, maybe_not, selected, smaller),
        pattern("(SELECT {} FROM d WHERE {})", selected, smaller),
    )


ASKED = st.sampled_from(WHOLE)
RANDOM = st.recursive(st.sampled_from([*WHOLE, "a", "phone", ":e164", "1", "NULL"]), larger, max_leaves=5)
CONDITIONS = st.one_of(
    ASKED,
    RANDOM,
    pattern("{} {} {}", ASKED, st.sampled_from(["AND", "OR", "AND NOT"]), RANDOM),
    pattern("{} {} {}", RANDOM, st.sampled_from(["AND", "OR", "IS NOT"]), ASKED),
    pattern("{} IN (SELECT {} FROM d WHERE {})", RANDOM, st.sampled_from(["owner", "count(*)"]), ASKED),
)
TABLES = st.one_of(
    st.sampled_from(["c", "f AS c"]),
    pattern("(SELECT * FROM c WHERE {}) AS c", CONDITIONS),
    pattern("c {} d AS g ON g.owner = c.a AND {}", st.sampled_from(JOINS), CONDITIONS),
    pattern("(SELECT * FROM c WHERE {}) AS c {} d AS g ON {}", CONDITIONS, st.sampled_from(JOINS), RANDOM),
)
SELECTS = st.one_of(
    pattern("SELECT email FROM {}", TABLES),
    pattern("SELECT email FROM {} WHERE {}", TABLES, CONDITIONS),
    pattern("SELECT email FROM {} GROUP BY email HAVING {}", TABLES, CONDITIONS),
)
QUERIES = st.one_of(
    SELECTS,
    pattern("{} {} {}", SELECTS, st.sampled_from(["UNION", "EXCEPT", "INTERSECT"]), SELECTS),
    pattern("WITH f AS (SELECT * FROM c WHERE {}) {}", CONDITIONS, SELECTS),
)


@settings(max_examples=500, deadline=None)
@given(sql=QUERIES)
def test_a_query_that_is_accepted_without_the_phone_finds_nobody_else(table, sql):
    try:
        query = Query(sql, "sqlite")
    except ValueError:
        return
    with table.connect() as connection:
        try:
            found = connection.execute(query.statement, {name: CALLER[name] for name in query.parameters}).fetchall()
        except OperationalError:
            return
    assert found == []
