import logging
from pathlib import Path

import pytest
import xlsxwriter

from bridge.config.extensions import ExtensionColumns, ExtensionCsv, ExtensionWorkbook
from bridge.extensions.extension_file import ExtensionFileWatch
from bridge.sdk.connector import Owner
from bridge.sdk.errors import SourceUnavailable
from tests.support.rounds import Rounds

LAN = Owner(email="lan@congty.example")
MINH = Owner(email="minh@congty.example")
STAFF = "email,ext\nlan@congty.example,101\nminh@congty.example,102/0103\n"


def staff(folder: Path, content: str, **columns: str) -> ExtensionFileWatch:
    path = folder / "staff.csv"
    path.write_text(content, encoding="utf-8")
    chosen = ExtensionColumns.model_validate(columns)
    watch = ExtensionFileWatch(ExtensionCsv(path=path, columns=chosen), wait=lambda _seconds: True)
    watch.start()
    return watch


def refusal(folder: Path, content: str, **columns: str) -> str:
    with pytest.raises(SourceUnavailable) as raised:
        staff(folder, content, **columns).current()
    return str(raised.value)


def test_owners_lead_to_their_extensions_in_ringing_order(tmp_path: Path) -> None:
    entries = staff(tmp_path, STAFF).current()
    assert entries.extensions_of(LAN) == ("101",)
    assert entries.extensions_of(MINH) == ("102", "0103")


def test_what_was_read_is_reported_and_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    watch = staff(tmp_path, "Email,Tên,Máy lẻ\nlan@congty.example,Lan,101\nminh@congty.example,Minh,\n")
    watch.current()
    told = "staff.csv: 2 rows, 2 names of owners; owner: 'Email', 'Tên'; extension: 'Máy lẻ'"
    assert watch.report() == (told, "staff.csv: 1 row without an extension (line 3)")
    assert caplog.messages == [f"read {told}; staff.csv: 1 row without an extension (line 3)"]
    assert caplog.records[0].levelno == logging.INFO


def test_rows_that_cannot_be_used_are_reported_and_logged_as_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watch = staff(tmp_path, "email,ext\nlan@congty.example,101\nminh@congty.example,1 02\n,103\n-,104\n")
    assert watch.current().extensions_of(MINH) == ()
    assert watch.report()[1:] == (
        "staff.csv: 3 rows with something that cannot be used; the first ones:",
        "staff.csv:3: '1 02' is no extension: an extension consists of digits, and several are written 101/102",
        "staff.csv:4: an extension without an owner",
        "staff.csv:5: an extension without an owner",
    )
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_an_owner_in_two_rows_rings_on_both_extensions_and_is_noted_with_both_lines(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    rows = ["lan@congty.example,101", "minh@congty.example,103", "LAN@congty.example,102", "minh@congty.example,103"]
    watch = staff(tmp_path, "email,ext\n" + "\n".join(rows) + "\n")
    assert watch.current().extensions_of(LAN) == ("101", "102")
    note = "staff.csv:4: 'LAN@congty.example' has another extension in line 2: all of them ring"
    assert watch.report()[1:] == (note,)
    assert note in caplog.messages[0]
    assert caplog.records[0].levelno == logging.INFO


def test_one_row_that_names_an_owner_twice_is_no_owner_in_two_rows(tmp_path: Path) -> None:
    assert len(staff(tmp_path, "email,login,ext\nlan,Lan,101/102\n").report()) == 1


def test_of_many_notes_the_first_ten_are_told(tmp_path: Path) -> None:
    watch = staff(tmp_path, "email,ext\n" + "".join(f"lan,{100 + row}\n" for row in range(30)))
    assert len(watch.report()) == 12
    assert watch.report()[-1] == "staff.csv: and 19 more: lines 13-31"


def test_a_cell_that_seems_to_name_several_owners_is_taken_as_one_and_noted(tmp_path: Path) -> None:
    watch = staff(tmp_path, 'name,ext\n"Nguyen, Lan",101\n"Nguyen, Minh",102\n')
    assert watch.current().extensions_of(Owner(name="Nguyen, Lan")) == ("101",)
    assert watch.current().extensions_of(Owner(name="Nguyen")) == ()
    assert "staff.csv:2: 'Nguyen, Lan' is taken as one owner: give each owner a row" in watch.report()[1]


@pytest.mark.parametrize(
    "header",
    [
        "tên",
        "nhân viên",
        "họ và tên",
        "mail",
        "e-mail",
        "email công ty",
        "Email nhân viên",
        "Mã nhân viên",
        "Tài khoản",
    ],
)
def test_usual_headers_of_owners_are_found(tmp_path: Path, header: str) -> None:
    watch = staff(tmp_path, f"STT,{header},Ext\n1,lan,101\n")
    assert watch.current().extensions_of(Owner(id="lan")) == ("101",)
    assert watch.current().extensions_of(Owner(id="1")) == ()


@pytest.mark.parametrize("header", ["số máy lẻ", "máy lẻ", "ext.", "EXT", "số nội bộ", "Máy nội bộ", "Số máy nhánh"])
def test_usual_headers_of_extensions_are_found(tmp_path: Path, header: str) -> None:
    assert staff(tmp_path, f"email,{header}\nlan@congty.example,101\n").current().extensions_of(LAN) == ("101",)


def test_a_missing_column_is_told_with_what_to_write(tmp_path: Path) -> None:
    assert refusal(tmp_path, "who,ext\nlan,101\n") == (
        "staff.csv: no column is recognised as the owner: name it under `columns: {owner: 'Header'}`; "
        "the file has: 'who', 'ext'"
    )
    assert "as the extension: name it under `columns: {extension: 'Header'}`" in refusal(tmp_path, "email,x\nlan,1\n")
    assert staff(tmp_path, "who,ext\nlan,101\n", owner="who").current().extensions_of(Owner(id="lan")) == ("101",)


def test_a_workbook_is_refused(tmp_path: Path) -> None:
    assert (
        refusal(tmp_path, "PK\x03\x04")
        == "staff.csv: is an Excel workbook: write xlsx instead of csv in the configuration, or save it as CSV UTF-8"
    )


def test_a_half_written_file_leaves_the_last_good_one_in_force_and_is_not_told_as_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    path, rounds = tmp_path / "staff.csv", Rounds()
    path.write_text(STAFF)
    watch = ExtensionFileWatch(ExtensionCsv(path=path), wait=rounds)
    watch.start()
    path.write_text(STAFF[:-10])
    rounds.step(2)
    assert watch.current().extensions_of(MINH) == ("102", "0103")
    assert [message.startswith("read staff.csv") for message in caplog.messages] == [True, False]
    assert watch.trouble in caplog.messages[1]
    path.write_text(STAFF.replace("101", "105"))
    rounds.step(2)
    assert watch.current().extensions_of(LAN) == ("105",)
    rounds.end()
    watch.close()


def test_a_list_without_a_single_usable_row_is_no_list(tmp_path):
    file = tmp_path / "staff.csv"
    file.write_text("email,extension\nlan@congty.example,A101\n", encoding="utf-8")
    watch = ExtensionFileWatch(ExtensionCsv(path=file))
    watch.start()
    try:
        with pytest.raises(SourceUnavailable, match=r"staff\.csv: no row has both an owner and an extension"):
            watch.current()
    finally:
        watch.close()


def test_a_name_that_rows_of_different_emails_have_leads_to_nobody_and_is_noted(tmp_path: Path) -> None:
    watch = staff(tmp_path, "name,email,ext\nAn,an1@congty.example,101\nAn,an2@congty.example,102\n")
    assert watch.current().extensions_of(Owner(name="An")) == ()
    assert watch.current().extensions_of(Owner(email="an2@congty.example")) == ("102",)
    assert "staff.csv:3: 'An' is what several people are called: it leads to nobody" in watch.report()


def test_a_workbook_is_read_as_a_csv_file_is(tmp_path: Path) -> None:
    path = tmp_path / "staff.xlsx"
    with xlsxwriter.Workbook(path) as book:
        notes, sheet = book.add_worksheet("Ghi chú"), book.add_worksheet("Máy lẻ")
        notes.write(0, 0, "Mỗi nhân viên một dòng")
        for at, row in enumerate([["DANH SÁCH"], ["Thư", "Máy lẻ"], [LAN.email, 101], [MINH.email, "102/0103"], ["x"]]):
            sheet.write_row(at, 1, row)
    watch = ExtensionFileWatch(
        ExtensionWorkbook(path=path, columns=ExtensionColumns(owner=["Thư"])), wait=lambda _seconds: True
    )
    watch.start()
    assert watch.current().extensions_of(LAN) == ("101",)
    assert watch.current().extensions_of(MINH) == ("102", "0103")
    assert watch.report() == (
        (
            "staff.xlsx, sheet 'Máy lẻ': 3 rows, 2 names of owners; owner: 'Thư'; extension: 'Máy lẻ'; "
            "sheets that are not read: 'Ghi chú'"
        ),
        "staff.xlsx, sheet 'Máy lẻ': 1 row without an extension (line 5)",
    )


def test_a_formula_that_yields_an_error_is_told_where_the_extension_and_where_the_owner_should_be(
    tmp_path: Path,
) -> None:
    watch = staff(tmp_path, "email,ext\nlan@congty.example,101\nminh@congty.example,#N/A\n#REF!,103\n")
    assert [line.split(", or")[0] for line in watch.report()[2:]] == [
        "staff.csv:3: '#N/A' is no extension: a formula there yields an error, such as #N/A or #REF!: mend it",
        "staff.csv:4: the owner cannot be repaired: a formula there yields an error, such as #N/A or #REF!: mend it",
    ]


@pytest.mark.parametrize("row", ["minh@congty.example,Loading...", "Loading...,102"])
def test_a_list_that_google_was_still_computing_is_none(tmp_path: Path, row: str) -> None:
    told = refusal(tmp_path, f"email,ext\nlan@congty.example,101\n{row}\n")
    assert told.startswith("staff.csv:3: Google Sheets was still computing this row (Loading…)")
