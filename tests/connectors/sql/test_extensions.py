"""The list of extensions from a database, on SQLite."""

import sqlite3

import pytest
from pydantic import ValidationError

from bridge.sdk import Deadline, ExtensionEntry, SourceRejected, SourceUnavailable, UnexpectedAnswer
from connectors.sql.extensions import SqlExtensions

QUERY = "SELECT email, name, ext AS extension FROM staff ORDER BY rowid"


@pytest.fixture
def read(tmp_path):
    database = sqlite3.connect(tmp_path / "staff.sqlite")
    database.execute("CREATE TABLE staff (email, name, ext)")

    def read(*rows, query=QUERY):
        database.executemany("INSERT INTO staff VALUES (?, ?, ?)", rows)
        database.commit()
        given = {"url": "sqlite:///staff.sqlite", "query": query}
        source = SqlExtensions(SqlExtensions.Config.model_validate(given, context={"directory": tmp_path}))
        try:
            return source.read(Deadline.after(5))
        finally:
            source.close()

    yield read
    database.close()


def test_every_name_of_somebody_leads_to_all_extensions(read):
    found = read(("lan@congty.example", "Lan", "101/0102"), ("minh@congty.example", None, 103))
    assert found == [
        ExtensionEntry(emails=("lan@congty.example",), names=("Lan",), extensions=("101", "0102")),
        ExtensionEntry(emails=("minh@congty.example",), extensions=("103",)),
    ]


def test_rows_without_an_extension_are_left_out_and_odd_ones_counted(read, caplog):
    found = read(
        ("lan@congty.example", "Lan", None), (None, None, 104), ("x@congty.example", "", "SIP/1"), ("", "M", 7)
    )
    assert found == [ExtensionEntry(names=("M",), extensions=("7",))]
    assert "SQLite, staff.sqlite: 1 row(s) are left out: an extension consists of digits" in caplog.text


def test_an_emptied_list_is_no_list(read):
    with pytest.raises(UnexpectedAnswer, match=r"none of 0 row\(s\) has both an owner and an extension"):
        read()


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("SELECT email FROM staff", "needs a column extension, and one of"),
        ("SELECT ext AS extension FROM staff", "needs a column extension, and one of"),
        ("SELECT email, ext FROM staff", "the column ext means nothing"),
        ("SELECT email, ext AS extension FROM staff WHERE ext = :e164", "this query is for no caller"),
        ("DELETE FROM staff", "has to be a SELECT"),
    ],
)
def test_a_query_that_makes_no_list_is_refused_when_it_is_read(read, query, complaint):
    with pytest.raises(ValidationError, match=complaint):
        read(query=query)


def test_columns_that_only_the_database_knows_are_checked_when_they_come(read):
    with pytest.raises(UnexpectedAnswer, match=r"'ext' means nothing: .*; the query returned email, name, ext"):
        read(query="SELECT * FROM staff")
    with pytest.raises(UnexpectedAnswer, match=r"needs a column extension, .*; the query returned email"):
        read(query="SELECT * FROM (SELECT email FROM staff)")


def test_a_table_that_is_not_there_is_told(read):
    with pytest.raises(SourceRejected, match="no such table: people"):
        read(query="SELECT email, extension FROM people")


def test_a_file_that_is_not_there_is_told(tmp_path):
    given = {"url": "sqlite:///nothing.sqlite", "query": QUERY}
    source = SqlExtensions(SqlExtensions.Config.model_validate(given, context={"directory": tmp_path}))
    with pytest.raises(SourceUnavailable, match="unable to open"):
        source.read(Deadline.after(5))
    source.close()
