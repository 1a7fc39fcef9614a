"""What is said of hundreds of queries, each in the SQL of its databases; `queries.yaml` holds them."""

from pathlib import Path

import pytest
import yaml

from connectors.sql.query.query import Query

GROUPS = yaml.safe_load(Path(__file__).with_name("queries.yaml").read_text("utf-8"))
CASES = [
    pytest.param(kind, sql, group["verdict"], group.get("because", ""), id=f"{kind}: {sql}")
    for group in GROUPS
    for kind in group["kinds"]
    for sql in group["queries"]
]


def verdict(sql, kind):
    """Return what is said of a query, and the words in which it is refused."""
    try:
        return "more" if Query(sql, kind).finds_more else "whole", ""
    except ValueError as error:
        return "more" if "as a column called phone" in str(error) else "refused", str(error)


@pytest.mark.parametrize(("kind", "sql", "expected", "because"), CASES)
def test_a_query_is_judged_as_its_database_would_read_it(kind, sql, expected, because):
    judged, message = verdict(sql, kind)
    assert (judged, because in message) == (expected, True), message
