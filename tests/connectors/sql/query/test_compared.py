"""Whether a query compares the caller's number as a whole: if not, it has to return the number that it found."""

import pytest

from connectors.sql.query.query import Query


@pytest.mark.parametrize(
    "condition",
    [
        *("phone NOT IN (:forms)", "NOT phone IN (:forms)", "NOT (phone = :e164)", "NOT (a OR (phone = :e164))"),
        *("phone <> :e164", ":e164 <> phone", "phone != :e164", "phone <= :e164", "phone >= :e164", "phone <=> :e164"),
        *("phone ^@ :national", "replace(:e164, '+', '') = phone", "replace(:e164, '+', '') <> phone"),
        *("phone = concat(:e164, '')", "phone = :e164 || ''", "phone || :nsn = x", "phone + 0 = :nsn", "phone = -:nsn"),
        *("phone BETWEEN :nsn AND 'x'", ":nsn IS NULL OR phone = :nsn", "phone = :nsn IS NOT TRUE"),
        *("(phone = :e164) = false", "(phone = :e164) IS NULL", "coalesce(phone = :e164, true)", "(phone = :e164) + 1"),
        *("CASE WHEN phone = :e164 THEN 0 ELSE 1 END = 1", "phone = ALL (SELECT :e164 FROM d WHERE x = :e164)"),
        *("id NOT IN (SELECT id FROM d WHERE phone = :e164)", "NOT EXISTS (SELECT 1 FROM d WHERE phone = :e164)"),
        *("id <> (SELECT id FROM d WHERE phone = :e164)", "x IN (lower(:e164), y)", "f(x IN (:forms))"),
        *("phone = :e164::bigint", "phone = :e164 XOR a", "a REGEXP phone = :e164", "1 = 1 ORDER BY phone = :e164"),
    ],
)
def test_a_number_that_is_not_compared_as_a_whole_needs_the_phone_that_was_found(condition):
    if "(SELECT :e164" not in condition:
        query = Query(f"SELECT email, phone FROM c WHERE {condition}", "mysql")
        assert query.finds_more
    with pytest.raises(ValueError, match=r"a column called phone|among the columns"):
        Query(f"SELECT email FROM c WHERE {condition}", "mysql")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT u.email FROM users u LEFT JOIN c ON c.owner = u.id AND c.phone = :e164",
        "SELECT u.email FROM users u LEFT OUTER JOIN (SELECT owner FROM c WHERE phone = :e164) d ON d.owner = u.id",
        "SELECT email, (SELECT name FROM c WHERE phone = :e164) AS name FROM users",
        "SELECT email FROM find_owner(:e164)",
    ],
)
def test_a_number_that_chooses_no_rows_needs_the_phone_that_was_found(sql):
    with pytest.raises(ValueError, match=":e164 is not compared by = or IN"):
        Query(sql, "mysql")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT owner_id, :e164 AS phone FROM c",
        "SELECT owner_id, concat(:national) AS phone FROM c WHERE phone LIKE :interleaved",
        "SELECT DISTINCT ON (owner_id) owner_id, :e164 AS phone FROM c WHERE phone = :e164",
        "SELECT owner_id, p AS phone FROM c, (SELECT :e164 AS p) AS caller",
        "WITH caller(p) AS (VALUES (:e164)) SELECT owner_id, p AS phone FROM c, caller",
    ],
)
def test_the_callers_own_number_is_no_phone_that_was_found(sql):
    with pytest.raises(ValueError, match="stands among the columns that are returned, and so compares nothing"):
        Query(sql, "postgresql")


@pytest.mark.parametrize(
    "condition",
    [
        *(
            "phone = :e164",
            ":e164 = phone",
            "((phone = :e164) OR mobile = :national) AND NOT deleted",
            "phone IN :forms",
        ),
        *(
            "clean(c.phone) IN (:forms)",
            "phone IN (:e164, :digits)",
            ":e164 IN (phone, mobile)",
            "mobile = :e164 OR :nsn = b",
        ),
        *(
            "phone = :e164 COLLATE utf8mb4_bin",
            "data->>'phone' = :e164",
            "'+' || phone = :e164",
            "x::text = :e164::text",
        ),
        *("note LIKE '%vip%' AND phone IN (:forms)", "deleted IS NOT TRUE AND phone = :e164 ORDER BY name LIMIT 5"),
        *(
            "id IN (SELECT id FROM d WHERE phone = :e164)",
            "EXISTS (SELECT 1 FROM d WHERE d.id = c.id AND :e164 = phone)",
        ),
        *(":e164 = ANY (phones)", "coalesce(mobile, phone) = :e164", "a NOT IN (1, 2) AND phone = :e164"),
        *("hotline <> :hotline AND phone = :e164", "phone = :e164 UNION SELECT email FROM d WHERE phone = :e164"),
    ],
)
def test_a_number_that_is_compared_as_a_whole_needs_no_phone(condition):
    assert not Query(f"SELECT email FROM c WHERE {condition}", "postgresql").finds_more
    assert not Query(f"SELECT email FROM (SELECT email FROM c WHERE {condition}) AS found", "sqlite").finds_more
    assert not Query(
        f"WITH found AS (SELECT email FROM c WHERE {condition}) SELECT email FROM found", "mssql"
    ).finds_more
