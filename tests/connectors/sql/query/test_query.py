"""The admin's SELECT: what is wrong with it is told when the configuration is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sql.query.query import Query
from connectors.sql.query.reading import pieces_of

KINDS = ["postgresql", "mysql", "mssql", "sqlite"]
GOOD = "SELECT email FROM c WHERE phone = :e164"


@pytest.mark.parametrize(
    ("sql", "complaint"),
    [
        ("", "has to be a SELECT"),
        ("-- nothing", "has to be a SELECT"),
        ("UPDATE c SET email = '' WHERE phone = :e164", "has to be a SELECT"),
        ("SELECT email FROM c", "does not ask for the caller"),
        ("SELECT email FROM c WHERE phone = :legacy", "most numbers have none"),
        ("SELECT email FROM c WHERE phone = :phone", "there is no parameter :phone; there are :e164, "),
        ("SELECT email FROM c WHERE phone = :natonal", "there is no parameter :natonal, did you mean 'national'?"),
        ("SELECT email FROM c WHERE phone = ':nsn'", ":nsn stands inside quotes"),
        ("SELECT email FROM c WHERE phone LIKE '%:nsn%'", ":nsn stands inside quotes"),
        ("SELECT email FROM c WHERE phone = '{{ caller.e164 }}'", "{{ caller.e164 }} is a template's"),
        ("SELECT email FROM c WHERE phone = '{caller}'", "{caller} is a template's"),
        ("SELECT email FROM c WHERE phone = %s", "%s is another language's placeholder: write a parameter such as"),
        ("SELECT email FROM c WHERE phone = %(e164)s", "%(e164)s is another language's"),
        ("SELECT email FROM c WHERE phone = $1", "$1 is another language's"),
        (f"{GOOD}; SELECT 1", "one statement"),
        (f"SET x = 1; {GOOD}", "has to be a SELECT"),
        (f"WITH gone AS (DELETE FROM c RETURNING *) {GOOD}", "DELETE belongs to statements that change"),
        ("SELECT email INTO copy FROM c WHERE phone = :e164", "INTO belongs to"),
        (f"{GOOD} FOR UPDATE", "UPDATE belongs to"),
        (f"{GOOD} EXEC drop_all", "EXEC belongs to"),
        ("SELECT email FROM c WHERE phone IN :forms AND x = :forms", ":forms is a list: write IN (:forms)"),
        ("SELECT email FROM c WHERE phone = ANY(:forms)", ":forms is a list"),
        ("SELECT email FROM c WHERE phone IN (:e164, :forms)", ":forms is a list"),
        (
            "SELECT email FROM c WHERE phone = 'x",
            "a quote is opened (') and never closed",
        ),
        ("SELECT email /* FROM c WHERE phone = :e164", "a comment is opened (/*) and never closed"),
        ("SELECT email FROM c WHERE phone = :e164 AND $", "ends too early"),
        (
            "SELECT email FROM c WHERE (phone = :e164",
            "cannot be read: Expecting ) at e164 (line 1, column 37): mend it, or",
        ),
        ("SELECT email FORM c WHERE phone = :e164", "Unexpected token at c (line 1, column 19)"),
        ("SELECT email FROM c WHERE phone = = :e164", "something is missing at = (line 1, column 35)"),
        ("SELECT email FROM c WHERE phone = ? AND mobile = :e164", "? is another language's placeholder"),
        ("SELECT email FROM c WHERE phone = : e164 AND mobile = :e164", "a colon that is no parameter's"),
        (
            "SELECT email FROM c WHERE phone = :e164)",
            "cannot be read: Invalid expression / Unexpected token at ) (line 1, column 40)",
        ),
        ("SELECT emial FROM c WHERE phone = :e164", "the column emial means nothing, did you mean 'email'?"),
        ("SELECT id, c.email FROM c WHERE phone = :e164", "the column id means nothing"),
        ("SELECT phone FROM c WHERE phone = :e164", "no column names the owner"),
        ("SELECT email FROM c WHERE phone LIKE :interleaved", "LIKE also finds other customers' numbers"),
        ("SELECT email FROM c WHERE phone ~ :nsn", "~ also finds"),
        ("SELECT email FROM c WHERE RIGHT(phone, 9) = :nsn", "RIGHT also finds"),
        ("WITH x AS (SELECT email FROM c WHERE phone LIKE :interleaved) SELECT email FROM x", "LIKE also finds"),
        ("SELECT owner_email FROM c WHERE phone = :e164", "(name a column by AS: owner_email AS email)"),
        ("SELECT may_le_ext FROM c WHERE phone = :e164", "may_le_ext AS extension)"),
        ("SELECT email FROM c WHERE regexp_instr(phone, :nsn) > 0", "regexp_instr also finds"),
        ('SELECT email FROM c WHERE "strpos"(phone, :nsn) = 1', '"strpos" also finds'),
        ("SELECT email FROM c WHERE SUBSTRING_INDEX(phone, ' ', 1) = :nsn", "SUBSTRING_INDEX also finds"),
        ("SELECT email FROM c WHERE STUFF(phone, 1, 1, '') = :nsn", "STUFF also finds"),
        ("SELECT email FROM c WHERE phone % 1000000000 = :nsn", "% also finds"),
    ],
)
def test_what_is_wrong_is_told_with_what_to_write_instead(sql, complaint):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared below
        Query(sql, "postgresql")
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    "call",
    [
        *(
            "set_config('default_transaction_read_only', 'off', false)",
            '"set_config"(a, b, false)',
            "pg_catalog.lo_creat(1)",
        ),
        *("dblink_exec('x', 'y')", "dblink(a)", "pg_terminate_backend(1)"),
    ],
)
def test_functions_that_a_read_only_mode_does_not_hold_back_are_refused(call):
    with pytest.raises(ValueError, match="lets others do so, and omi-bridge only reads"):
        Query(f"SELECT {call} AS name FROM c WHERE phone = :e164", "postgresql")


@pytest.mark.parametrize(
    "second",
    [
        *("COMMIT", "KILL 7", "BACKUP DATABASE crm TO DISK = 'x'", "DENY SELECT ON c TO x", "DBCC FREEPROCCACHE"),
        *("WRITETEXT c.t @p 'x'", "DISABLE TRIGGER x ON c", "BEGIN TRANSACTION", "USE master", "SET NOCOUNT ON"),
        *("RESTORE DATABASE crm", "DECLARE @x int", "UNION SELECT email FROM OPENQUERY(x, 'y') WHERE p = :e164"),
        "UNION SELECT email FROM OPENROWSET('x', 'y', 'z') WHERE p = :e164",
    ],
)
def test_a_second_statement_of_sql_server_is_refused_though_no_semicolon_stands_before_it(second):
    with pytest.raises(ValueError, match="belongs to statements that change something"):
        Query(f"{GOOD} {second}", "mssql")


@pytest.mark.parametrize(
    "sql",
    [
        f"{GOOD};",
        f"  -- who looks after them?\n{GOOD} -- :nothing; DELETE\n;",
        f"{GOOD} AND note <> 'INSERT; :x 10:30'",
        'SELECT email FROM c WHERE phone = :e164 AND "update" IS NULL AND c.delete = 0',
        "SELECT email FROM c LEFT JOIN d ON d.id = c.id WHERE phone IN (:forms)",
        "(SELECT email FROM c WHERE phone = :e164) UNION (SELECT email FROM d WHERE phone = :e164)",
        "SELECT email, phone FROM c WHERE phone LIKE :interleaved",
        "SELECT * FROM c WHERE phone LIKE :interleaved",
        "SELECT c.email AS \"email\", mobile AS phone, office phone FROM c WHERE mobile LIKE CONCAT(:interleaved, '%')",
        "SELECT DISTINCT lower(email) AS email FROM c WHERE phone = :e164::text",
        "SELECT CASE WHEN a THEN b END owner_id FROM c WHERE phone = :e164",
        "SELECT TOP (5) email FROM c WHERE phone = :e164",
    ],
)
def test_what_is_right_is_taken(sql):
    Query(sql, "postgresql")


@pytest.mark.parametrize(
    ("kind", "sql"),
    [
        ("postgresql", f"{GOOD} AND note <> $q$it's :nsn%s$q$ AND note <> E'it\\'s; '"),
        ("mysql", f"{GOOD} AND note <> 'it\\'s; ' AND note <> \"a;b\" # DELETE; "),
        ("mssql", f"{GOOD} AND [delete] = 0"),
        ("sqlite", f"{GOOD} AND [delete] = 0 AND `insert` = 1"),
    ],
)
def test_quotes_are_those_of_the_database(kind, sql):
    if kind == "postgresql":
        with pytest.raises(ValueError, match=":nsn stands inside quotes"):
            Query(sql, kind)
        sql = sql.replace(":nsn", "x")
    Query(sql, kind)


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("SELECT c.email, Name AS NAME FROM c WHERE phone = :e164", ("email", "name")),
        ("SELECT ALL owner_id FROM c WHERE phone = :e164", ("owner_id",)),
        ("SELECT max(x) FROM c WHERE phone = :e164", None),
        ("SELECT a || b, email FROM c WHERE phone = :e164", None),
        ("SELECT c.*, email FROM c WHERE phone = :e164", None),
        ("SELECT DISTINCT ON (id) email FROM c WHERE phone = :e164", ("email",)),
    ],
)
def test_columns_are_known_as_far_as_the_text_tells_them(sql, columns):
    assert Query(sql, "postgresql").columns == columns


def test_a_list_of_owners_has_no_parameter():
    assert Query("SELECT email FROM users WHERE email LIKE '%x'", "mysql", asks_for_caller=False).columns == ("email",)
    with pytest.raises(ValueError, match=":e164: this query is for no caller"):
        Query(GOOD, "mysql", asks_for_caller=False)


def test_the_list_of_spellings_may_stand_in_brackets_or_not():
    written = [Query(f"SELECT email FROM c WHERE phone IN {form}", "sqlite") for form in (":forms", "( :forms )")]
    assert [" ".join(query.statement.text.split()) for query in written] == [
        "SELECT email FROM c WHERE phone IN :forms"
    ] * 2


def test_comments_are_left_out_but_hints_are_not():
    sql = "SELECT /*+ MAX_EXECUTION_TIME(100) */ email/*x*/FROM c /*! INTO OUTFILE 'x' */ WHERE phone = :e164"
    assert Query(sql, "mysql").statement.text.split() == [
        *("SELECT", "/*+", "MAX_EXECUTION_TIME(100)", "*/", "email/**/FROM", "c", "WHERE", "phone", "=", ":e164")
    ]


@pytest.mark.parametrize("kind", KINDS)
@given(sql=st.text(alphabet="aS:'\"`[]()$#-/*;,.\\ \n1%é"))
def test_what_is_run_is_read_as_what_was_judged(kind, sql):
    try:
        pieces = pieces_of(f"{sql}\na", kind)
    except ValueError:
        return
    assert pieces_of("".join(piece.text for piece in pieces), kind) == pieces


def test_what_can_only_be_read_as_a_command_is_refused_and_not_logged(caplog):
    with pytest.raises(ValueError, match="cannot be read"):
        Query("SELECT email FROM DESCRIBE COPY c JOIN u ON phone = :e164", "mssql")
    assert not caplog.records


@pytest.mark.parametrize("sql", [f"SELECT email FROM c WHERE {'(' * 3000}phone = :e164{')' * 3000}"])
def test_brackets_that_are_too_deep_are_told(sql):
    with pytest.raises(ValueError, match="too deep"):
        Query(sql, "sqlite")


def test_what_names_itself_under_with_comes_to_an_end():
    names_itself = "a AS (SELECT * FROM b WHERE phone = :e164), b AS (SELECT * FROM a)"
    assert not Query(f"WITH RECURSIVE {names_itself} SELECT email FROM a", "sqlite").finds_more
