"""Where a database is, who asks it, and how a connection begins: what every use of a database takes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, ValidationInfo, model_validator
from sqlalchemy.engine import make_url

from bridge.sdk import OneOrMore, Password, Text, located
from connectors.sql.database.address import checked_address, database_of, split_password
from connectors.sql.query.query import Query


def _address(address: str, info: ValidationInfo) -> str:
    directory = (info.context or {}).get("directory")
    database_of(address).load_driver()
    return checked_address(address, directory and Path(directory))


class DatabaseKeys(BaseModel):
    """Where a database is, who asks, and what a new connection has to say first."""

    url: Annotated[Text, AfterValidator(_address)] = Field(
        description="Address of the database: postgresql://USER@HOST/DATABASE, mysql://…, mariadb://…, mssql://… or "
        "sqlite:///FILE."
    )
    password: Password | None = Field(
        default=None, description="The user's password. Unlike in the address, no sign in it has a meaning of its own."
    )
    on_connect: Annotated[list[Text], OneOrMore()] = Field(
        default=[], description="Statements to run on each new connection, where a database shows no rows until then."
    )

    @model_validator(mode="before")
    @classmethod
    def _password_apart(cls, data: Any) -> Any:  # noqa: ANN401 - unchecked
        if not isinstance(data, Mapping) or not isinstance(data.get("url"), str):
            return data
        try:
            url, password = split_password(data["url"])
        except ValueError as error:
            raise located(("url",), str(error)) from None
        if password is None:
            return data
        if data.get("password") is not None:
            raise located(("password",), "stands in the url already: leave one of them out")
        return {**data, "url": url, "password": password}

    @property
    def kind(self) -> str:
        """SQLAlchemy's name of the kind of database; MariaDB is asked as MySQL, for either may stand for the other."""
        return make_url(self.url).get_backend_name().replace("mariadb", "mysql")

    def check(self, key: str, sql: str, *, asks_for_caller: bool) -> Query:
        """Return the query that stands under `key`; raises pydantic's error, at that place, if it may not be run."""
        try:
            return Query(sql, self.kind, asks_for_caller=asks_for_caller)
        except ValueError as error:
            raise located((key,), str(error)) from None
