"""The settings of what asks a database: its address and how a connection begins, and the queries."""

from typing import Self

from pydantic import Field, model_validator

from bridge.sdk import ConnectorConfig, SourceRegion, Text, located
from connectors.sql.database.settings import DatabaseKeys


class SqlConfig(DatabaseKeys, ConnectorConfig):
    """How to find the owners of a caller in a database."""

    query: Text = Field(
        description="One SELECT that asks for the caller by :e164, :national, :nsn, :digits, :legacy, :interleaved or "
        "IN (:forms), and returns owner_id, email, login, name, extension or several of them, phone, and country."
    )
    owners_query: Text | None = Field(
        default=None,
        description="A SELECT without parameters that lists all owners, for the report of `omi-bridge check --online`.",
    )
    list_query: Text | None = Field(
        default=None,
        description="A SELECT without parameters that returns all customers with the columns of `query` and phone: for "
        "`snapshot`.",
    )
    region: SourceRegion = Field(
        default="",
        description="Country of numbers in the database that come without one; phone.region if left out.",
    )

    @model_validator(mode="after")
    def _can_be_asked(self) -> Self:
        self.check("query", self.query, asks_for_caller=True)
        if self.owners_query is not None:
            self.check("owners_query", self.owners_query, asks_for_caller=False)
        if self.list_query is not None:
            columns = self.check("list_query", self.list_query, asks_for_caller=False).columns
            if columns is not None and "phone" not in columns:
                raise located(
                    ("list_query",), "needs a column phone: the customer's number (SELECT …, telephone AS phone)"
                )
        return self
