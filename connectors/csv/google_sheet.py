"""Owners from a table of Google Sheets: the CSV file that Google makes of one of its sheets."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from bridge.sdk.files import FileAddress, is_google_sheet
from connectors.csv.connector import CsvConfig, CsvConnector


def _of_google(link: SecretStr) -> SecretStr:
    if not is_google_sheet(link.get_secret_value()):
        raise ValueError(
            "is no link to a Google Sheet: copy the address of the open sheet from the browser, which begins with "
            "https://docs.google.com/spreadsheets/d/; another address goes with type: csv"
        )
    return link


class GoogleSheetConfig(CsvConfig):
    """The settings of a connector of the type `google_sheet`."""

    url: Annotated[FileAddress, AfterValidator(_of_google)] = Field(
        description="Link to the sheet as the browser shows it "
        "(https://docs.google.com/spreadsheets/d/ID/edit#gid=SHEET), or as `Publish to web` gives it. It has to be "
        "shared with anyone who has the link, or published. "
        "For example: https://docs.google.com/spreadsheets/d/1AbC/edit?gid=0#gid=0"
    )


class GoogleSheetConnector(CsvConnector):
    """Finds owners in a Google Sheet that is shared by link or published; written after documents, not tried on one."""

    Config = GoogleSheetConfig
