"""The section `extensions`: which extension belongs to which owner, and who answers while an owner is away.

Owners and deputies may stand in the configuration, in a file, or both; sources of extensions that are installed
besides bring settings of their own.
"""

from abc import abstractmethod
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from bridge.config.moments import begins, ends
from bridge.config.plugins import EXTENSIONS, installed_types
from bridge.config.values import InlineExtensions, Moment, Section
from bridge.sdk.files.settings import FileSettings
from bridge.sdk.files.share_links import Format
from bridge.sdk.settings import Duration, LocalPath, OneOrMore, Text, located
from bridge.sdk.tables.spreadsheet import check_reader, open_spreadsheet
from bridge.sdk.tables.table import AnyTable, read_table

FILE_LISTS = tuple(f"{what}.{form}" for what in ("extensions", "extensions.deputies") for form in ("csv", "xlsx"))
"""What lists in files may be called."""


def is_an_owner(key: object, value: object = None) -> bool:
    """Tell whether a key is an owner's e-mail or number, or has an extension for its value: no section is called so."""
    is_extension = isinstance(value, int | list) or (isinstance(value, str) and value[:1].isdigit())
    return "@" in str(key) or str(key).isdigit() or (is_extension and key not in Extensions.model_fields)


def _tab(written: object) -> object:
    return "\t" if written == "tab" else written


Delimiter = Annotated[Text, Field(max_length=1), BeforeValidator(_tab)]
"""What stands between cells; `tab` is how the csv connector's setting is written, too."""


class ListFile(Section):
    """What may be said of any file of this section besides its path and its columns."""

    form: ClassVar[Format]

    max_age: Duration | None = Field(
        default=None,
        description="How old the file may become before /healthz says that it is not written any more.",
    )

    @abstractmethod
    def opened(self, path: Path, headings: Collection[str]) -> AnyTable:
        """Open the file, which is at `path`, as `bridge.sdk.tables` does; `headings` may help to find the header."""


class CsvFile(ListFile):
    """What may be said of a CSV file."""

    form: ClassVar[Format] = "csv"

    encoding: Text | None = Field(default=None, description="Character encoding; found out if left out.")
    delimiter: Delimiter | None = Field(
        default=None, description="Character between cells, or `tab`; found out if left out."
    )

    def opened(self, path: Path, headings: Collection[str]) -> AnyTable:  # noqa: ARG002 - the first line is the header
        """Open it."""
        return read_table(path, encoding=self.encoding, delimiter=self.delimiter)


class WorkbookFile(ListFile):
    """What may be said of a workbook."""

    form: ClassVar[Format] = "xlsx"

    sheet: Text | None = Field(
        default=None, description="The sheet's name; left out, the only one that is shown and has usual headers."
    )

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        check_reader()
        return self

    def opened(self, path: Path, headings: Collection[str]) -> AnyTable:
        """Open the sheet."""
        return open_spreadsheet(path, sheet=self.sheet, headings=headings)


class ExtensionColumns(Section):
    """Headers of the columns in the file of extensions; what is left out is found by its usual names."""

    owner: Annotated[list[Text], OneOrMore()] = Field(
        default=[], description="Columns with an owner's id, e-mail, login or name."
    )
    extension: Text | None = Field(default=None, description="Column with the extension, or several in one cell.")


class ExtensionFile(ListFile, FileSettings):
    """A file that says which extension belongs to which owner."""

    columns: ExtensionColumns = Field(default=ExtensionColumns(), description="Which column is which.")


class ExtensionCsv(CsvFile, ExtensionFile):
    """One in CSV."""


class ExtensionWorkbook(WorkbookFile, ExtensionFile):
    """One in a workbook."""


class Deputy(Section):
    """Somebody is away, and others answer meanwhile."""

    owner: Annotated[list[Text], OneOrMore()] = Field(
        min_length=1, description="Who is away: e-mail, id, login or name, or `ext 101` for a phone."
    )
    deputy: Annotated[list[Text], OneOrMore()] = Field(
        min_length=1, max_length=20, description="Who answers, written in the same way; or a list, in ringing order."
    )
    first: Moment | None = Field(default=None, alias="from", description="The first day, or a day and a time.")
    until: Moment | None = Field(default=None, description="The last day, or the day and the time at which it ends.")
    ring: Literal["instead", "beside"] = Field(
        default="instead", description="Whether the deputies ring instead of the owner, or beside him, after him."
    )

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.first and self.until and ends(self.until) <= begins(self.first):
            raise ValueError("'until' lies before 'from': nobody would ever be deputised for")
        return self


class DeputyColumns(Section):
    """Headers of the columns in the file of deputies; what is left out is found by its usual names."""

    owner: Text | None = Field(default=None, description="Who is away.")
    deputy: Text | None = Field(default=None, description="Who answers, or several in one cell.")
    first: Text | None = Field(default=None, alias="from", description="The first day, or a day and a time.")
    until: Text | None = Field(default=None, description="The last day, or the day and the time at which it ends.")
    ring: Text | None = Field(default=None, description="`instead` or `beside`; a blank cell is `instead`.")


class DeputyFile(ListFile):
    """A file that says who answers for whom, and when."""

    path: LocalPath = Field(description="The file; changes are picked up while the service runs.")
    columns: DeputyColumns = Field(default=DeputyColumns(), description="Which column is which.")


class DeputyCsv(CsvFile, DeputyFile):
    """One in CSV."""


class DeputyWorkbook(WorkbookFile, DeputyFile):
    """One in a workbook."""


def _refuse_two_files(csv: object, xlsx: object) -> None:
    if csv and xlsx:
        raise located(("xlsx",), "the list is in one file: write csv or xlsx")


class Deputies(Section):
    """Who answers for an owner who is away; all that is said here and in the file counts together."""

    inline: list[Deputy] = Field(default=[], description="Who is away, who answers, and when.")
    csv: DeputyCsv | None = Field(default=None, description="The same from a CSV file.")
    xlsx: DeputyWorkbook | None = Field(default=None, description="The same from a workbook of Excel or LibreOffice.")

    @property
    def file(self) -> DeputyFile | None:
        """The file, if there is one."""
        return self.csv or self.xlsx

    @model_validator(mode="after")
    def _has_one_file(self) -> Self:
        _refuse_two_files(self.csv, self.xlsx)
        return self

    @model_validator(mode="before")
    @classmethod
    def _rules_stand_inline(cls, written: object) -> object:
        if isinstance(written, list) or (isinstance(written, dict) and any(map(is_an_owner, written))):
            raise ValueError("who is away stands one level deeper: inline: [{owner: …, deputy: …, from: …, until: …}]")
        return written


class Extensions(Section):
    """Which extension belongs to which owner: the first source that knows the owner decides.

    Further keys are types of sources, whose settings are checked by their own models.
    """

    model_config = ConfigDict(extra="allow")

    inline: InlineExtensions = Field(
        default={},
        description="Owner (id, e-mail or login) and extension, or a list of extensions; [] for one who has none.",
    )
    csv: ExtensionCsv | None = Field(default=None, description="The same from a CSV file.")
    xlsx: ExtensionWorkbook | None = Field(
        default=None, description="The same from a workbook of Excel or LibreOffice."
    )
    deputies: Deputies = Field(default=Deputies(), description="Who answers for an owner who is away.")

    @property
    def file(self) -> ExtensionFile | None:
        """The file, if there is one."""
        return self.csv or self.xlsx

    @property
    def file_name(self) -> str:
        """What the list in the file is called, nothing if there is none."""
        return f"extensions.{self.file.form}" if self.file else ""

    @property
    def deputies_name(self) -> str:
        """What the list of deputies in a file is called, nothing if there is none."""
        return f"extensions.deputies.{self.deputies.file.form}" if self.deputies.file else ""

    @model_validator(mode="after")
    def _has_one_file(self) -> Self:
        _refuse_two_files(self.csv, self.xlsx)
        return self

    @model_validator(mode="before")
    @classmethod
    def _owners_stand_inline(cls, written: object) -> object:
        if isinstance(written, dict) and any(is_an_owner(key, value) for key, value in written.items()):
            raise ValueError("owners and their extensions stand one level deeper, under 'inline:'")
        if isinstance(written, str):
            known = ", ".join((*cls.model_fields, *installed_types(EXTENSIONS)))
            raise ValueError(  # noqa: TRY004 - pydantic takes only ValueError for a complaint
                f"has to hold keys with values, as in csv: {{path: staff.csv}}; known here: {known}"
            )
        return written
