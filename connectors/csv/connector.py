"""Owners from a CSV file: the list of customers that a CRM exports."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from bridge.sdk import Text
from bridge.sdk.files import Format
from bridge.sdk.tables import Table, read_table
from connectors.tables.connector import TableConfig, TableConnector


def _encoding(text: str) -> str:
    try:
        b"x".decode(text)
    except LookupError:
        raise ValueError("is no encoding that is known: try utf-8, utf-16 or windows-1258") from None
    except UnicodeError:
        pass  # a known encoding, of which one byte is no text
    return text


class CsvConfig(TableConfig):
    """The settings of a connector of the type `csv`."""

    encoding: Annotated[Text, AfterValidator(_encoding)] | None = Field(
        default=None, description="As Python calls it. Found out if left out: UTF-8, UTF-16 or Windows-1258."
    )
    delimiter: Literal[",", ";", "|", "tab"] | None = Field(
        default=None, description="What stands between two cells. Found out from the header if left out."
    )


class CsvConnector(TableConnector[CsvConfig]):
    """Finds owners in a CSV file."""

    Config: ClassVar[type[CsvConfig]] = CsvConfig
    form: ClassVar[Format] = "csv"

    def opened(self, path: Path, name: str = "") -> Table:
        """Open the file."""
        delimiter = "\t" if self.config.delimiter == "tab" else self.config.delimiter
        return read_table(path, encoding=self.config.encoding, delimiter=delimiter, name=name)
