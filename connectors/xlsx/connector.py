"""Owners from a workbook: the list of customers that somebody keeps in Excel or LibreOffice, as it is."""

from pathlib import Path
from typing import ClassVar, Self

from pydantic import Field, model_validator

from bridge.sdk import Text
from bridge.sdk.files import Format
from bridge.sdk.tables import HEADINGS, Spreadsheet, check_reader, header_keys, open_spreadsheet
from connectors.tables.connector import TableConfig, TableConnector


class XlsxConfig(TableConfig):
    """The settings of a connector of the type `xlsx`."""

    sheet: Text | None = Field(
        default=None,
        description="The sheet's name. Found out if left out: the only one that is shown and has usual headers.",
    )

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        check_reader()
        return self


class XlsxConnector(TableConnector[XlsxConfig]):
    """Finds owners in a workbook: .xlsx, .xlsm, .xlsb, .xls or .ods."""

    Config: ClassVar[type[XlsxConfig]] = XlsxConfig
    form: ClassVar[Format] = "xlsx"

    def opened(self, path: Path, name: str = "") -> Spreadsheet:
        """Open the sheet."""
        headings = HEADINGS | header_keys(self.config.columns.configured())
        return open_spreadsheet(path, sheet=self.config.sheet, headings=headings, name=name)
