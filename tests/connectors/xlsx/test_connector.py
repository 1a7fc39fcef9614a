"""Customers from workbooks that programs wrote: what is found in them, and what is said of those that are none."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bridge.sdk import Call, Deadline, ListState, Owner, PhoneNumber, SourceUnavailable
from connectors.xlsx.connector import XlsxConfig, XlsxConnector
from tests.support.documents import ROOT
from tests.support.rounds import Rounds
from tests.support.shelf import Shelf

WORKBOOKS = ROOT / "tests/workbooks"
LAN = Owner(email="lan@congty.example")
MINH = Owner(email="minh@congty.example")
TRAN_MINH = Owner(name="Trần Văn Minh")


def opened(path: Path, **settings: Any) -> XlsxConnector:
    connector = XlsxConnector(XlsxConfig(path=path, **settings), wait=lambda _: True)
    connector.open()
    return connector


def ask(connector: XlsxConnector, number: str) -> Sequence[Owner]:
    return connector.find_owners(Call(PhoneNumber.parse(number)), Deadline.after(1.0))


def refusal(path: Path, **settings: Any) -> str:
    with pytest.raises(SourceUnavailable) as raised:
        opened(path, **settings)
    return str(raised.value)


@pytest.mark.parametrize("name", ["openpyxl.xlsx", "libreoffice.xlsx", "libreoffice.xls", "libreoffice.ods"])
def test_a_list_as_people_keep_it_is_read_whatever_wrote_it(name: str) -> None:
    connector = opened(WORKBOOKS / name)
    assert ask(connector, "0901234561") == (LAN,)
    assert ask(connector, "0901234564") == ask(connector, "0901234565") == (TRAN_MINH,)
    assert ask(connector, "0909999999") == ()  # stands in a hidden sheet
    call = Call(PhoneNumber.parse("0901234564"))
    assert connector.find_owners(call, Deadline.after(1.0))[0].record == f"{name}, sheet 'Khách hàng':9"
    assert connector.report()[0].endswith("phone: 'SĐT'; owner: 'Người phụ trách'")


@pytest.mark.parametrize("name", ["libreoffice.xlsx", "libreoffice.xls", "libreoffice.ods"])
def test_what_formulas_yield_counts_and_an_error_names_nobody(name: str) -> None:
    connector = opened(WORKBOOKS / name)
    assert ask(connector, "0901234562") == ask(connector, "0901234567") == (LAN,)
    assert ask(connector, "0901234563") == ()
    counted = connector.report()[1]
    assert "1 row without a number (line 13)" in counted
    assert "without an owner (line" in counted
    assert "8" in counted.rpartition("without an owner")[2]


@pytest.mark.parametrize("name", ["openpyxl.xlsx", "libreoffice.xlsx", "libreoffice.xls"])
def test_an_owner_in_merged_cells_is_the_owner_of_each_row_they_cover(name: str) -> None:
    assert ask(opened(WORKBOOKS / name), "0901234566") == (TRAN_MINH,)


def test_numbers_with_a_format_are_what_they_show_and_lost_digits_are_told() -> None:
    connector = opened(WORKBOOKS / "xlsxwriter.xlsx")
    assert ask(connector, "02838123456") == ask(connector, "0901234567") == (Owner(extension="101"),)
    assert ask(connector, "0912345678") == (Owner(extension="0102"),)  # in a row that a filter hides
    assert ask(connector, "0987654321") == (Owner(extension="103"),)
    told = connector.report()
    assert "4 rows, 4 telephone numbers" in told[0]
    assert "xlsxwriter.xlsx, sheet 'Khách hàng':5: the telephone number cannot be repaired: Excel has sh" in told[2]


def test_which_of_two_lists_is_meant_has_to_be_said() -> None:
    book = WORKBOOKS / "two-lists.xlsx"
    assert refusal(book) == (
        "two-lists.xlsx: several sheets could be meant: 'Miền Bắc', 'Miền Nam': write which one, such as "
        '`sheet: "Miền Bắc"`; of customers in several sheets, each sheet takes a connector of its own'
    )
    assert ask(opened(book, sheet="Miền Bắc"), "0901234567") == (LAN,)
    assert ask(opened(book, sheet="miền nam"), "0912345678") == (MINH,)
    assert refusal(book, sheet="Miền Name") == (
        "two-lists.xlsx: there is no sheet 'Miền Name', did you mean 'Miền Nam'?; "
        "the file has: 'Miền Bắc', 'Miền Nam', 'Ghi chú'"
    )


def test_sheets_that_are_blank_or_hidden_are_read_if_they_are_named() -> None:
    assert ask(opened(WORKBOOKS / "openpyxl.xlsx", sheet="Cũ"), "0909999999") == (Owner(email="cu@congty.example"),)
    assert refusal(WORKBOOKS / "xlsxwriter.xlsx", sheet="Trống") == "xlsxwriter.xlsx: the sheet 'Trống' is blank"


@pytest.mark.parametrize("name", ["password.xlsx", "password.xls", "password.ods"])
def test_a_password_is_told(name: str) -> None:
    assert refusal(WORKBOOKS / name).startswith(f"{name}: is protected by a password, which nobody types here: in Exce")


def test_a_cell_far_away_is_told_and_takes_no_memory_of_the_service() -> None:
    assert refusal(WORKBOOKS / "far-cell.xlsx") == (
        "far-cell.xlsx: takes more than 2 GB of memory: probably a cell far below or right of the table is filled: "
        "Ctrl+End leads to it: delete what lies out there"
    )
    assert "or a cell far away from the table is filled" in refusal(WORKBOOKS / "far-cell.ods")


@pytest.mark.parametrize(
    ("name", "written"), [("customers.xls", "libreoffice.xlsx"), ("customers.xlsx", "libreoffice.xls")]
)
def test_a_workbook_is_known_by_its_content_and_not_by_its_name(tmp_path: Path, name: str, written: str) -> None:
    shutil.copy(WORKBOOKS / written, tmp_path / name)
    assert ask(opened(tmp_path / name), "0901234561") == (LAN,)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        (
            "a.xlsx",
            "SĐT,NV\n0901234567,lan\n".encode(),
            "is a text, such as CSV, whatever its name ends with: write csv",
        ),
        (
            "a.xls",
            b"<html><table>",
            "is a web page (HTML) and no workbook, whatever its name ends with: open it in Excel",
        ),
        (
            "a.xls",
            b'<?xml version="1.0"?><a xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
            "is an XML Spreadshee",
        ),
        (
            "~$a.xlsx",
            b"\x03Lan" + b"\0" * 161,
            "is what lies beside a workbook while it is open: name the workbook itse",
        ),
        ("a.xlsx", b"", "is empty"),
        ("a.xlsx", b"\x01\0\x02", "is no workbook, whatever its name ends with: open it in Excel and save it"),
        ("a.xlsx", (WORKBOOKS / "openpyxl.xlsx").read_bytes()[:4000], "is damaged or half-written: save it once more"),
        ("a.ods", (WORKBOOKS / "libreoffice.ods").read_bytes()[:-300], "is damaged or half-written: save it once more"),
        ("a.xls", (WORKBOOKS / "libreoffice.xls").read_bytes()[:4096], "cannot be read: it is damaged, or a cell far"),
    ],
    ids=["CSV", "HTML", "XML", "lock", "blank", "bytes", "half of .xlsx", "most of .ods", "half of .xls"],
)
def test_what_is_no_workbook_or_half_of_one_is_told(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert refusal(tmp_path / name).startswith(f"{name}: {told}")


def test_a_damaged_byte_is_noticed_by_the_checksum(tmp_path: Path) -> None:
    content = bytearray((WORKBOOKS / "xlsxwriter.xlsx").read_bytes())
    content[content.index(b"xl/worksheets/sheet1.xml") + 200] ^= 1
    (tmp_path / "a.xlsx").write_bytes(content)
    assert refusal(tmp_path / "a.xlsx").startswith("a.xlsx: is damaged or half-written")


def test_the_last_good_version_stays_in_force_whatever_comes_after_it(tmp_path: Path) -> None:
    book = tmp_path / "customers.xlsx"
    shutil.copy(WORKBOOKS / "libreoffice.xlsx", book)
    rounds = Rounds()
    connector = XlsxConnector(XlsxConfig(path=book), wait=rounds)
    connector.open()
    for worse, told in (("far-cell.xlsx", "takes more than 2 GB"), ("password.xlsx", "is protected by a password")):
        shutil.copy(WORKBOOKS / worse, book)
        rounds.step(2)
        assert told in connector.trouble()
        assert ask(connector, "0901234561") == (LAN,)
    shutil.copy(WORKBOOKS / "xlsxwriter.xlsx", book)
    rounds.step(2)
    assert connector.trouble() == ""
    assert ask(connector, "0901234567") == (Owner(extension="101"),)
    rounds.end()


def test_a_workbook_at_an_address_is_fetched_as_a_csv_file_is(tmp_path: Path) -> None:
    rounds, shelf = Rounds(), Shelf((WORKBOOKS / "libreoffice.xlsx").read_bytes())
    with shelf.server:
        connector = XlsxConnector(XlsxConfig(url=shelf.url, refresh="30s"), wait=rounds)
        connector.kept = ListState(tmp_path, "customers", writes=True)
        connector.open()
        assert ask(connector, "0901234561") == (LAN,)
        assert "customers.downloaded, sheet 'Khách hàng': 7 rows" in connector.report()[1]
        assert connector.needs_network
        shelf.content = b"<!DOCTYPE html><html>Sign in</html>"
        again = XlsxConnector(XlsxConfig(url=shelf.url), wait=lambda _: True)
        again.kept = ListState(tmp_path, "customers")
        again.open()
        assert "answers with a web page instead of the file" in again.trouble()
        assert ask(again, "0901234561") == (LAN,)
        rounds.end()
        connector.close()
        again.close()


def test_columns_may_be_called_anything_if_they_are_named() -> None:
    connector = opened(WORKBOOKS / "xlsxwriter.xlsx", columns={"phone": "dien thoai", "name": "Tên"})
    assert ask(connector, "0912345678") == (Owner(name="Chị B"),)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"path": "a.xlsx", "delimiter": ";"}, "Extra inputs are not permitted"),
        ({"path": "a.xlsx", "sheet": ""}, "at least 1 character"),
    ],
)
def test_settings_that_are_none_of_a_workbooks_are_refused(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        XlsxConfig(**settings)
