"""Which row of a sheet is the header, what counts as a row, and what becomes of a reading that is broken off."""

import os
import signal
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
import xlsxwriter

from bridge.sdk import UnexpectedAnswer
from bridge.sdk.tables import HEADINGS, open_spreadsheet, read_customers
from bridge.sdk.tables.workbook import Workbook
from tests.support.xlsb import error, formula_error, number, rich, text, write_xlsb

Cell = str | float | None
HEADER = ("SĐT", "Người phụ trách")
LAN = ("0901234567", "lan@congty.example")


def book_of(folder: Path, sheets: Mapping[str, Sequence[Sequence[Cell]]], hidden: Sequence[str] = ()) -> Path:
    path = folder / "customers.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)
            if name in hidden:
                sheet.hide()
    return path


def rewritten(path: Path, change: Callable[[str, bytes], tuple[str, bytes]]) -> Path:
    """Write a workbook anew, with each part's name and content as `change` makes them."""
    with zipfile.ZipFile(path) as archive:
        parts = [change(name, archive.read(name)) for name in archive.namelist()]
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts:
            archive.writestr(name, content)
    return path


def rows_of(path: Path, sheet: str | None = None) -> list[tuple[int, list[str]]]:
    with open_spreadsheet(path, sheet=sheet, headings=HEADINGS) as table:
        return list(table.rows())


def refusal(path: Path, sheet: str | None = None) -> str:
    with pytest.raises(UnexpectedAnswer) as raised:
        rows_of(path, sheet)
    return str(raised.value)


@pytest.mark.parametrize(
    "above",
    [
        [],
        [["DANH SÁCH KHÁCH HÀNG"]],
        [["Công ty A"], ["Điện thoại:", "02838123456"], ["Email", "a@congty.example"], [], ["Ngày", "2/1/2026"]],
        [["SĐT"], ["(1)", "(2)"]],
    ],
    ids=["nothing", "a title", "a letterhead", "names of groups"],
)
def test_what_stands_above_the_columns_names_is_no_row(tmp_path: Path, above: list[list[Cell]]) -> None:
    path = book_of(tmp_path, {"KH": [*above, HEADER, LAN]})
    assert rows_of(path) == [(len(above) + 2, list(LAN))]


def test_rows_of_customers_above_the_columns_names_are_not_passed_over(tmp_path: Path) -> None:
    others = [(f"090123456{last}", "lan@congty.example") for last in range(3)]
    assert refusal(book_of(tmp_path, {"KH": [*others, HEADER, LAN]})) == (
        "customers.xlsx, sheet 'KH':4: one row has to hold the columns' names, above all others: add such a row, or "
        "delete what stands above it; the file has: 'SĐT', 'Người phụ trách'"
    )
    assert ":1: one row has to hold the columns' names" in refusal(book_of(tmp_path, {"KH": others}))


def test_a_second_list_below_the_first_is_refused(tmp_path: Path) -> None:
    path = book_of(tmp_path, {"KH": [HEADER, LAN, [], ["Người phụ trách", "SĐT"], LAN[::-1]]})
    with (
        open_spreadsheet(path, sheet=None, headings=HEADINGS) as table,
        pytest.raises(UnexpectedAnswer, match="'KH':4: another header stands here"),
    ):
        read_customers(table, {}, "VN")


def test_blank_rows_are_none_and_all_rows_are_as_wide_as_the_table(tmp_path: Path) -> None:
    path = book_of(tmp_path, {"KH": [HEADER, [], ["  ", "\xa0"], LAN, ["0912345678"], ["0912345679", "lan", "VIP"]]})
    with open_spreadsheet(path, sheet=None, headings=HEADINGS) as table:
        assert table.columns == ("SĐT", "Người phụ trách", "column C")
        assert list(table.rows()) == [
            (4, [*LAN, ""]),
            (5, ["0912345678", "", ""]),
            (6, ["0912345679", "lan", "VIP"]),
        ]
        assert table.ending.rows == 3


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (901234567, "901234567"),
        (101.0, "101"),
        (0.1 + 0.2, "0.3"),
        (84901234567890123, "8.49012345678901e+16"),
        (True, "TRUE"),
        ("Tâ\N{COMBINING ACUTE ACCENT}n ", "Tấn"),
    ],
)
def test_a_cell_is_the_text_that_it_means(tmp_path: Path, written: Cell, read: str) -> None:
    assert rows_of(book_of(tmp_path, {"KH": [HEADER, ["0901234567", written]]})) == [(2, ["0901234567", read])]


def test_a_day_is_a_day_however_it_is_shown_and_so_is_a_number(tmp_path: Path) -> None:
    """A whole number with a format for hours is a duration for the library, and a date without a time a day."""
    path = tmp_path / "customers.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet, hours = book.add_worksheet(), book.add_format({"num_format": "[h]:mm:ss"})
        sheet.write_row(0, 0, HEADER)
        sheet.write_number(1, 0, 901234567, hours)
        sheet.write_number(1, 1, 0.5, hours)
        sheet.write_string(2, 0, "2026-12-31T00:00:00")
        sheet.write_string(2, 1, "2026-12-31T12:30:00")
    rewritten(path, lambda name, content: (name, as_iso_dates(name, content)))
    assert rows_of(path) == [(2, ["901234567", "0.5"]), (3, ["2026-12-31", "2026-12-31 12:30"])]


def with_null(text: str) -> Callable[[str, bytes], tuple[str, bytes]]:
    """Let a text be `text`, a character that XML does not know written as Excel does (ECMA-376, ST_Xstring)."""
    return lambda name, content: (name, content.replace(b">lan<", f">{text}<".encode()))


def test_a_text_that_was_filled_up_is_what_stands_before_that(tmp_path: Path) -> None:
    path = rewritten(book_of(tmp_path, {"KH": [HEADER, ["0901234567", "lan"]]}), with_null("lan_x0000__x0000_"))
    assert rows_of(path) == [(2, ["0901234567", "lan"])]


def test_a_text_whose_letters_were_taken_for_halves_is_none(tmp_path: Path) -> None:
    path = rewritten(book_of(tmp_path, {"KH": [HEADER, ["0901234567", "lan"]]}), with_null("l_x0000_a_x0000_n_x0000_"))
    assert "cannot be read: it is damaged" in refusal(path)


def as_iso_dates(name: str, content: bytes) -> bytes:
    """Let the texts of the third row be dates as ISO 8601 writes them (ECMA-376, ST_CellType `d`)."""
    if name.endswith("sheet1.xml"):
        content = content.replace(b'<c r="A3" t="s"><v>2<', b'<c r="A3" t="d"><v>2026-12-31T00:00:00<')
        content = content.replace(b'<c r="B3" t="s"><v>3<', b'<c r="B3" t="d"><v>2026-12-31T12:30:00<')
    return content


def with_formulas(path: Path) -> Path:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("KH")
        sheet.write_row(0, 0, HEADER)
        for row, (result, phone) in enumerate([("lan", 901234567), ("#N/A", 901234568), ("#NUM!", 901234569)], 1):
            sheet.write_number(row, 0, phone)
            sheet.write_formula(row, 1, "=VLOOKUP(A2,D:E,2,0)", None, result)
        sheet.write_formula(4, 1, "=VLOOKUP(A5,D:E,2,0)", None, "#N/A")
    return path


def test_an_error_is_told_and_one_that_the_library_does_not_know_as_well(tmp_path: Path) -> None:
    """Excel writes #GETTING_DATA while it waits for another source."""
    path = with_formulas(tmp_path / "customers.xlsx")
    rewritten(path, lambda name, content: (name, content.replace(b"#NUM!", b"#GETTING_DATA")))
    assert rows_of(path) == [(2, ["901234567", "lan"]), (3, ["901234568", "#N/A"]), (4, ["901234569", "#GETTING_DATA"])]
    with open_spreadsheet(path, sheet=None, headings=HEADINGS) as table:
        read = read_customers(table, {}, "VN")
    told = "the cell for the owner cannot be repaired: a formula there yields an error, such as #N/A or #REF!: mend it"
    assert [line.split(", or")[0] for line in read.problems.first] == [
        f"customers.xlsx, sheet 'KH':{row}: {told}" for row in (3, 4)
    ]


def test_a_row_of_which_nothing_is_left_but_errors_is_told(tmp_path: Path) -> None:
    """As where the sheet was deleted that the formulas go to."""
    path = tmp_path / "customers.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("KH")
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, LAN)
        for column in (0, 1):
            sheet.write_formula(2, column, "=#REF!A2", None, "#REF!")
    with open_spreadsheet(path, sheet=None, headings=HEADINGS) as table:
        (told,) = read_customers(table, {}, "VN").problems.first
    assert told.startswith("customers.xlsx, sheet 'KH':3: the telephone number cannot be repaired: a formula ")


@pytest.mark.parametrize("prefix", ["", "x:"])
@pytest.mark.parametrize("result", ["", "<{}v></{}v>", "<{}v/>"])
def test_a_formula_that_was_never_computed_is_told_and_a_blank_text_is_one(
    tmp_path: Path, prefix: str, result: str
) -> None:
    nothing = result.format(prefix, prefix)
    row = (
        f'<{prefix}row r="2"><{prefix}c r="A2"><{prefix}f>1+1</{prefix}f>{nothing}</{prefix}c>'
        f'<{prefix}c r="B2" t="str"><{prefix}f>""</{prefix}f>{nothing}</{prefix}c>'
        f'<{prefix}c r="C2" s="0"><{prefix}f t="shared" si="0"/>{nothing}</{prefix}c><{prefix}c r="D2"><{prefix}v>1'
        f"</{prefix}v></{prefix}c></{prefix}row>"
    )

    def change(name: str, content: bytes) -> tuple[str, bytes]:
        if name.endswith("sheet1.xml"):
            if prefix:
                content = content.replace(b"</", b"</x:").replace(b"<", b"<x:").replace(b"<x:/x:", b"</x:")
                content = content.replace(b"<x:?", b"<?").replace(b" xmlns=", b" xmlns:x=")
            content = content.replace(f"</{prefix}sheetData>".encode(), f"{row}</{prefix}sheetData>".encode())
        return name, content

    path = rewritten(book_of(tmp_path, {"KH": [HEADER]}), change)
    assert rows_of(path) == [(2, ["=FORMULA()", "", "=FORMULA()", "1"])]


def test_in_excels_binary_form_errors_and_texts_in_several_fonts_are_told_as_well(tmp_path: Path) -> None:
    """The library makes blanks of all of them."""
    path = write_xlsb(
        tmp_path / "customers.xlsb",
        [
            [text(name) for name in HEADER],
            [number(901234567), rich("lan@congty.example")],
            [rich("0901234568" + " " * 200, runs=3), error("#N/A")],
            [text("0901234569"), formula_error("#REF!")],
            [rich("0901234560"), text("minh@congty.example")],
        ],
    )
    assert rows_of(path) == [
        (2, ["901234567", "lan@congty.example"]),
        (3, ["0901234568", "#N/A"]),
        (4, ["0901234569", "#REF!"]),
        (5, ["0901234560", "minh@congty.example"]),
    ]


def test_the_parts_may_stand_at_the_top(tmp_path: Path) -> None:
    """As in what some portals export."""
    path = book_of(tmp_path, {"KH": [HEADER, LAN]})

    def change(name: str, content: bytes) -> tuple[str, bytes]:
        return name.removeprefix("xl/"), content.replace(b'Target="xl/', b'Target="').replace(b"/xl/", b"/")

    assert rows_of(rewritten(path, change)) == [(2, list(LAN))]


def test_the_names_of_parts_may_have_backslashes(tmp_path: Path) -> None:
    path = book_of(tmp_path, {"KH": [HEADER, LAN]})
    assert rows_of(rewritten(path, lambda name, content: (name.replace("/", "\\"), content))) == [(2, list(LAN))]


def test_a_far_column_is_called_as_excel_calls_it(tmp_path: Path) -> None:
    path = book_of(tmp_path, {"KH": [HEADER, [*LAN, *[None] * 25, "x"]]})
    with open_spreadsheet(path, sheet=None, headings=HEADINGS) as table:
        assert (table.columns[2], table.columns[25], table.columns[-1]) == ("column C", "column Z", "column AB")


def test_numbers_in_a_column_without_a_name_are_told(tmp_path: Path) -> None:
    path = book_of(tmp_path, {"KH": [HEADER, [*LAN, "0912345678"], ["0901234568", "lan", "0912345679"]]})
    with open_spreadsheet(path, sheet=None, headings=HEADINGS) as table:
        assert read_customers(table, {}, "VN").unread == ("'column C'",)


def test_the_only_sheet_with_a_header_is_read_and_the_others_are_named(tmp_path: Path) -> None:
    path = book_of(tmp_path, {"Hướng dẫn": [["Mỗi khách một dòng"]], "KH": [HEADER, LAN], "Cũ": [HEADER]}, ["Cũ"])
    with open_spreadsheet(path, sheet=None, headings=HEADINGS) as table:
        assert list(table.rows()) == [(2, list(LAN))]
        assert table.beside == "sheets that are not read: 'Hướng dẫn'"


def test_a_workbook_in_which_nothing_is_shown_is_told(tmp_path: Path) -> None:
    path = book_of(tmp_path, {"Trống": [], "Cũ": [HEADER]}, ["Cũ"])
    assert refusal(path) == "customers.xlsx: holds no rows; these are hidden: 'Cũ': name one under `sheet: …`"
    assert refusal(book_of(tmp_path, {"Trống": []})) == "customers.xlsx: holds no rows"


def test_headers_in_an_old_font_are_told(tmp_path: Path) -> None:
    path = book_of(tmp_path, {"KH": [["Soá ñieän thoaïi", "Ghi chuù"], ["0901234567", "x"]]})
    with (
        open_spreadsheet(path, sheet=None, headings=HEADINGS) as table,
        pytest.raises(UnexpectedAnswer, match="the headers are written in VNI"),
    ):
        read_customers(table, {}, "VN")


def test_a_reading_that_takes_too_long_ends(tmp_path: Path) -> None:
    with pytest.raises(
        UnexpectedAnswer, match=r"customers\.xlsx: takes too long to be read: probably a cell far below"
    ):
        Workbook(book_of(tmp_path, {"KH": [HEADER, LAN]}), seconds=1e-6)


def test_half_of_the_rows_is_never_taken_for_all(tmp_path: Path) -> None:
    """The process that reads is ended from outside, as by a system without memory."""
    path = book_of(tmp_path, {"KH": [HEADER, *[("0901234567", "x" * 200)] * 2000]})  # more than a pipe holds
    book = Workbook(path)
    book.heads(["KH"])
    rows = book.rows("KH")
    next(rows)
    os.kill(book._process.pid, signal.SIGKILL)  # noqa: SLF001 - nothing else knows it
    with pytest.raises(UnexpectedAnswer, match="takes more memory than there is for it here: probably"):
        list(rows)
    book.close()


def test_a_table_tells_how_it_was_read_and_is_called_as_one_wants(tmp_path: Path) -> None:
    path = book_of(tmp_path, {"KH": [["DANH SÁCH"], HEADER, LAN, LAN, ("x", "lan@congty.example")]})
    with open_spreadsheet(path, sheet=None, headings=HEADINGS, name="of Lan.xlsx") as table:
        read = read_customers(table, {}, "VN", keep=1)
    assert (table.name, table.form, table.header) == ("of Lan.xlsx, sheet 'KH'", {"sheet": "KH"}, 2)
    assert read.problems.first[0].startswith("of Lan.xlsx, sheet 'KH':5: ")
    assert (read.layout.phones, read.layout.owner) == ((0,), {"owner": 1})
    assert read.first == ((3, list(LAN)),)


def test_closing_ends_the_process_that_has_more_to_say(tmp_path: Path) -> None:
    path = book_of(tmp_path, {"KH": [HEADER, *[("0901234567", "x" * 200)] * 2000]})
    with open_spreadsheet(path, sheet=None, headings=HEADINGS) as table:
        next(table.rows())
        process = table._book._process  # noqa: SLF001 - nothing else knows it
    assert process.returncode == -signal.SIGKILL
