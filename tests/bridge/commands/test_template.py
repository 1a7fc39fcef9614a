"""`omi-bridge template`: what is written, where it is not, and what the readers make of it."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
import python_calamine
from click.testing import CliRunner, Result

from bridge.commands.main import main
from bridge.config.extensions import ExtensionCsv, ExtensionWorkbook
from bridge.extensions.extension_file import ExtensionFileWatch
from bridge.sdk import Call, Deadline, Owner, PhoneNumber, SourceUnavailable
from connectors.csv.connector import CsvConfig, CsvConnector
from connectors.xlsx.connector import XlsxConfig, XlsxConnector
from tests.support.templates import FOLDER, TABLES, as_csv, as_workbook

KINDS = list(TABLES)


def write(file: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["template", *options, str(file)], catch_exceptions=False)


def options(kind: str) -> list[str]:
    return ["--extensions"] if kind == "extensions" else []


def cells(workbook: bytes, sheet: int) -> list[list[str]]:
    return python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(workbook)).get_sheet_by_index(sheet).to_python()


def opened(file: Path) -> CsvConnector:
    connector = CsvConnector(CsvConfig(path=file), wait=lambda _: True)
    connector.open()
    return connector


@pytest.mark.parametrize("kind", KINDS)
def test_the_tables_that_come_along_are_those_of_the_script(kind: str) -> None:
    assert (FOLDER / f"{kind}.csv").read_bytes() == as_csv(TABLES[kind])
    committed, made = (FOLDER / f"{kind}.xlsx").read_bytes(), as_workbook(TABLES[kind])
    assert [cells(committed, sheet) for sheet in (0, 1)] == [cells(made, sheet) for sheet in (0, 1)]


@pytest.mark.parametrize("kind", KINDS)
def test_both_forms_hold_the_same_table(tmp_path: Path, kind: str) -> None:
    for ending in ("csv", "xlsx"):
        assert write(tmp_path / f"list.{ending}", *options(kind)).exit_code == 0
    rows = list(csv.reader(io.StringIO((tmp_path / "list.csv").read_text("utf-8-sig"))))
    assert cells((tmp_path / "list.xlsx").read_bytes(), 0) == rows
    assert len(rows) == 3


def test_customers_filled_in_below_the_examples_are_found_and_the_examples_are_nobody_s(tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    said = write(file).output
    with file.open("a", encoding="utf-8") as list_of_customers:
        list_of_customers.write("0901234567,0912345678,Chị Hoa,huong@congty.example,\n")
    connector = opened(file)
    for number in ("0901234567", "0912345678"):
        call = Call(PhoneNumber.parse(number))
        assert connector.find_owners(call, Deadline.after(1.0)) == (Owner(email="huong@congty.example"),)
    assert connector.owners_known() == (Owner(email="huong@congty.example"),)
    told = "\n".join(connector.report())
    assert "3 rows, 2 telephone numbers; phone: 'Số điện thoại', 'SĐT phụ'; owner: 'Nhân viên phụ trách'" in told
    assert "2 rows with something that cannot be used" in told
    assert f"customers: {{type: csv, path: {file}}}" in said


def filled_in(kind: str, file: Path, row: list[str]) -> None:
    made = TABLES[kind]
    file.write_bytes(as_workbook(replace(made, examples=[*made.examples, row])))


def test_a_workbook_of_customers_is_read_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "customers.xlsx"
    assert f"customers: {{type: xlsx, path: {file}}}" in write(file).output
    filled_in("customers", file, ["0901234567", "0912345678", "Chị Hoa", "huong@congty.example", ""])
    connector = XlsxConnector(XlsxConfig(path=file), wait=lambda _: True)
    connector.open()
    assert connector.owners_known() == (Owner(email="huong@congty.example"),)
    told = connector.report()
    assert told[0].startswith("customers.xlsx, sheet 'Khách hàng': 3 rows, 2 telephone numbers; phone: 'Số điện thoại'")
    assert told[0].endswith("sheets that are not read: 'Hướng dẫn'")
    assert "2 rows with something that cannot be used" in told[1]


def test_a_workbook_of_extensions_is_read_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "staff.xlsx"
    assert f"extensions:\n  xlsx: {{path: {file}}}" in write(file, "--extensions").output
    filled_in("extensions", file, ["huong@congty.example", "Phạm Thị Hương", "0103", ""])
    watched = ExtensionFileWatch(ExtensionWorkbook(path=file), wait=lambda _: True)
    watched.start()
    assert watched.current().extensions_of(Owner(email="huong@congty.example")) == ("0103",)


def test_customers_that_nobody_filled_in_are_no_list(tmp_path: Path) -> None:
    write(tmp_path / "customers.csv")
    with pytest.raises(SourceUnavailable, match="none of its 2 rows has a usable telephone number"):
        opened(tmp_path / "customers.csv")


def test_extensions_filled_in_below_the_examples_are_found_and_the_examples_have_none(tmp_path: Path) -> None:
    file = tmp_path / "staff.csv"
    assert "extensions:\n  csv: {path: " in write(file, "--extensions").output
    with file.open("a", encoding="utf-8") as staff:
        staff.write("huong@congty.example,Phạm Thị Hương,0103,\n")
    watched = ExtensionFileWatch(ExtensionCsv(path=file), wait=lambda _: True)
    watched.start()
    assert [(row.written, row.extensions) for row in watched.current().rows] == [
        (("huong@congty.example", "Phạm Thị Hương"), ("0103",))
    ]
    assert "2 rows with something that cannot be used" in "\n".join(watched.report())


def test_no_file_is_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "customers.xlsx"
    file.write_bytes(b"mine")
    result = write(file)
    assert (result.exit_code, file.read_bytes()) == (1, b"mine")
    assert "is there already, and left alone" in result.output


def test_a_folder_that_is_not_there_and_another_ending_are_told(tmp_path: Path) -> None:
    assert "cannot be written: No such file or directory" in write(tmp_path / "no" / "customers.csv").output
    result = write(tmp_path / "customers.ods")
    assert result.exit_code == 2
    assert "has to end with .xlsx or .csv" in result.output
    assert not list(tmp_path.iterdir())
