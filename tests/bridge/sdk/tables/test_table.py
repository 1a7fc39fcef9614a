import codecs
import os
import re
import resource
import unicodedata
from collections.abc import Mapping
from pathlib import Path

import pytest

from bridge.sdk.errors import SourceUnavailable, UnexpectedAnswer
from bridge.sdk.tables.table import (
    Ending,
    Table,
    clean_cell,
    extensions_in,
    find_columns,
    is_nothing,
    is_shortened,
    only_column,
    read_table,
    shown,
)

TEXT = "Số điện thoại,Nhân viên phụ trách\r\n0901234567,Nguyễn Thị Ngọc\r\n0912345678,Trần Đức Ổn\r\n"
COLUMNS = ("Số điện thoại", "Nhân viên phụ trách")
ROWS = [(2, ["0901234567", "Nguyễn Thị Ngọc"]), (3, ["0912345678", "Trần Đức Ổn"])]

TONES = "\u0300\u0301\u0303\u0309\u0323"


def cp1258(text: str) -> bytes:
    """Encode as Windows does: a letter with its vowel mark is one byte, the tone behind it another."""
    marks = unicodedata.normalize("NFD", text)
    tones_last = re.sub(f"([{TONES}])([\u0302\u0306\u031b])", r"\2\1", marks)
    return "".join(
        unicodedata.normalize("NFC", part) if part not in TONES else part
        for part in re.split(f"([{TONES}])", tones_last)
    ).encode("cp1258")


def table_of(folder: Path, content: bytes | str, **settings: str) -> Table:
    path = folder / "customers.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(path, **settings)


def rows_of(folder: Path, content: bytes | str, **settings: str) -> list[tuple[int, list[str]]]:
    with table_of(folder, content, **settings) as table:
        return list(table.rows())


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        cp1258(TEXT),
    ],
    ids=["utf-8", "utf-8-bom", "utf-16-le-bom", "utf-16-be-bom", "utf-16-le", "utf-16-be", "windows-1258"],
)
def test_the_encoding_is_found_out(tmp_path: Path, content: bytes) -> None:
    with table_of(tmp_path, content) as table:
        assert table.columns == COLUMNS
        assert list(table.rows()) == ROWS


def test_the_encoding_may_be_told(tmp_path: Path) -> None:
    with table_of(tmp_path, "SĐT,Hạng\n0901234567,¥\n".encode("utf-16"), encoding="utf-16") as table:
        assert table.columns == ("SĐT", "Hạng")
    assert rows_of(tmp_path, b"phone,name\n1,\xe9\n", encoding="latin-1") == [(2, ["1", "é"])]
    with table_of(tmp_path, codecs.BOM_UTF8 + b'"phone","owner"\n', encoding="utf-8") as table:
        assert table.columns == ("phone", "owner")


def test_a_first_accent_far_behind_the_beginning_still_tells_windows_1258(tmp_path: Path) -> None:
    content = b"phone,name\n" + b"0901234567,Lan\n" * 200_000 + cp1258("0901234567,Ngọc\n")
    assert rows_of(tmp_path, content)[-1] == (200_002, ["0901234567", "Ngọc"])


def test_decomposed_text_comes_out_composed(tmp_path: Path) -> None:
    assert rows_of(tmp_path, "phone,name\n1,Nguyê\u0303n\n") == [(2, ["1", "Nguyễn"])]


def test_one_bad_byte_in_a_file_with_good_utf_8_is_damage_and_not_another_encoding(tmp_path: Path) -> None:
    with pytest.raises(UnexpectedAnswer, match=r"customers\.csv:\d+: bytes that are not utf-8.*encoding"):
        rows_of(tmp_path, "phone,name\n1,Nguyễn\n".encode() + b"2,\xe1\n" + b"3,x\n" * 9)


@pytest.mark.parametrize("line", [2, 4, 701, 5000])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_a_bad_byte_is_told_in_the_line_in_which_it_stands(tmp_path: Path, line: int, ending: str) -> None:
    good = [f"phone,name{ending}", *(f"0901234567,Nguyễn Thị Ngọc {number}{ending}" for number in range(6000))]
    lines = [*(text.encode() for text in good[: line - 1]), b"0912345678,\xe1" + ending.encode(), good[-1].encode()]
    with pytest.raises(UnexpectedAnswer, match=rf"customers\.csv:{line}: bytes that are not utf-8"):
        rows_of(tmp_path, b"".join(lines), encoding="utf-8")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_bad_character_of_utf_16_is_told_in_its_line_too(tmp_path: Path, encoding: str) -> None:
    good = "phone,name\n" + "0901234567,Ngọc\n" * 500
    alone = b"\x00\xdc" if encoding == "utf-16-le" else b"\xdc\x00"
    with pytest.raises(UnexpectedAnswer, match=r"customers\.csv:502: bytes that are not utf-16"):
        rows_of(tmp_path, good.encode(encoding) + alone + good.encode(encoding))


def test_a_file_cut_off_inside_a_character_is_half_written(tmp_path: Path) -> None:
    with pytest.raises(UnexpectedAnswer, match="half-written"):
        rows_of(tmp_path, "phone,name\n1,Nguyễ".encode()[:-1])
    with pytest.raises(UnexpectedAnswer, match="half-written"):
        rows_of(tmp_path, "phone,name\n1,Lan\n".encode("utf-16")[:-1])


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_in_the_header(tmp_path: Path, delimiter: str) -> None:
    header = delimiter.join(["phone", '"owner, e-mail; or ""id"""', "note"])
    with table_of(tmp_path, f"{header}\n1{delimiter}2{delimiter}3\n") as table:
        assert table.columns == ("phone", 'owner, e-mail; or "id"', "note")
        assert list(table.rows()) == [(2, ["1", "2", "3"])]


def test_the_delimiter_may_be_told(tmp_path: Path) -> None:
    with table_of(tmp_path, "phone, mobile;owner, or not\n1;2\n", delimiter=";") as table:
        assert table.columns == ("phone, mobile", "owner, or not")


@pytest.mark.parametrize("first", ["sep=;\r\n", '"sep=;"\r\n', "SEP=;\n"])
def test_excels_first_line_tells_the_delimiter(tmp_path: Path, first: str) -> None:
    with table_of(tmp_path, f"{first}phone, or not;owner\n1;2\n") as table:
        assert table.columns == ("phone, or not", "owner")
        assert list(table.rows()) == [(3, ["1", "2"])]


def test_a_quoted_line_break_belongs_to_the_cell_and_lines_are_counted_on(tmp_path: Path) -> None:
    content = 'phone,"owner\nof it"\r\n"0901234567\n0912345678",Lan\r\n1,2\r\n'
    with table_of(tmp_path, content) as table:
        assert table.columns == ("phone", "owner\nof it")
        assert list(table.rows()) == [(3, ["0901234567\n0912345678", "Lan"]), (5, ["1", "2"])]


def test_a_blank_before_a_quote_does_not_count(tmp_path: Path) -> None:
    assert rows_of(tmp_path, 'phone, "owner"\n1, "2,3"\n') == [(2, ["1", "2,3"])]


def test_line_breaks_of_old_macintoshes_end_a_row(tmp_path: Path) -> None:
    assert rows_of(tmp_path, "phone,owner\r1,2\r3,4\r") == [(2, ["1", "2"]), (3, ["3", "4"])]


def test_blank_rows_are_left_out_and_lines_are_counted_on(tmp_path: Path) -> None:
    with table_of(tmp_path, "\r\n \r\nphone,owner\r\n\r\n,\r\n1,2\r\n,,,\r\n") as table:
        assert list(table.rows()) == [(6, ["1", "2"])]
        assert table.ending.rows == 1


def test_a_short_row_is_filled_up_and_a_long_one_is_a_problem(tmp_path: Path) -> None:
    with table_of(tmp_path, "phone,owner,note\n1\n1,2,3,,\nLan, Minh,1,2,3\n4,5,6\n") as table:
        assert list(table.rows()) == [(2, ["1", "", ""]), (3, ["1", "2", "3"]), (5, ["4", "5", "6"])]
        (problem,) = table.problems.first
    assert problem == (
        "customers.csv:4: the row has 5 cells, but there are 3 columns: "
        "a separator inside a cell has to stand in quotes"
    )


def test_a_quote_in_the_wrong_place_spoils_its_own_row_only(tmp_path: Path) -> None:
    with table_of(tmp_path, 'phone,owner\n"1"2,x\n3,4\n') as table:
        assert list(table.rows()) == [(3, ["3", "4"])]
        (problem,) = table.problems.told()
    assert problem.startswith(
        "customers.csv:2: a quote stands where none may be: a quote inside a cell has to be doubled"
    )


def test_of_many_problems_all_are_counted_and_the_first_ten_named(tmp_path: Path) -> None:
    with table_of(tmp_path, "phone,owner\n" + "1,2,3\n" * 25) as table:
        assert not list(table.rows())
        assert table.problems.count == 25
        assert [problem.split(": ")[0] for problem in table.problems.first] == [
            f"customers.csv:{line}" for line in range(2, 12)
        ]


def test_an_open_quote_at_the_end_is_a_half_written_file(tmp_path: Path) -> None:
    with pytest.raises(UnexpectedAnswer, match=r"customers\.csv:3: the file looks half-written"):
        rows_of(tmp_path, 'phone,owner\n1,2\n3,"Lan\n')


def test_a_quote_that_is_never_closed_is_found_before_it_fills_the_memory(tmp_path: Path) -> None:
    with pytest.raises(UnexpectedAnswer, match=r"customers\.csv:3: .*quote is never closed"):
        rows_of(tmp_path, 'phone,owner\n1,2\n3,"Lan\n' + "4,5\n" * 100_000)


def test_nul_bytes_are_damage(tmp_path: Path) -> None:
    with pytest.raises(UnexpectedAnswer, match=r"customers\.csv:3: NUL bytes"):
        rows_of(tmp_path, b"phone,owner\n1,2\n" + bytes(512))


@pytest.mark.parametrize("beginning", [b"", b"phone,owner\n1," + b"x" * 1_100_000], ids=["nothing", "a row"])
def test_a_gigabyte_of_one_line_is_refused_in_bounded_memory(tmp_path: Path, beginning: bytes) -> None:
    path = tmp_path / "customers.csv"
    path.write_bytes(beginning)
    os.truncate(path, 1 << 30)  # a hole: it takes no room on the disk
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with (
        pytest.raises(UnexpectedAnswer, match=r"customers\.csv:[12]: the line is longer than"),
        read_table(path) as table,
    ):
        list(table.rows())
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 1024


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff", " \n", ",,\n", '"phone"x,owner\n1,2\n'])
def test_a_file_without_header_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(UnexpectedAnswer, match=r"customers\.csv: has no header"):
        table_of(tmp_path, content)


def test_what_is_not_there_or_is_no_file_is_unavailable(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for name, reason in (("none.csv", "there is no such file"), ("pipe.csv", "not a file"), (".", "not a file")):
        with pytest.raises(SourceUnavailable, match=reason):
            read_table(tmp_path / name)


def test_a_file_that_is_not_there_is_named_with_the_whole_path_that_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable) as raised:
        read_table(tmp_path / "none.csv")
    assert str(raised.value) == f"none.csv: there is no such file: {tmp_path}/none.csv"
    with pytest.raises(SourceUnavailable) as raised:
        read_table(Path("none.csv"))
    assert str(raised.value) == f"none.csv: there is no such file: {Path.cwd()}/none.csv"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            b"PK\x03\x04\x14\0\x06\0rest of it",
            "is an Excel workbook: write xlsx instead of csv in the configuration, or save it as CSV UTF-8",
        ),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest",
            "is an Excel workbook: write xlsx instead of csv in the configuration, or save it as CSV UTF-8",
        ),
        (b"<html><body><table>", "is a web page (HTML): export it as CSV"),
        (b"\r\n <!DOCTYPE html>\n<HTML>", "is a web page (HTML): export it as CSV"),
        (b"<Table border=1><tr><td>phone</td></tr></table>", "is a web page (HTML): export it as CSV"),
        (codecs.BOM_UTF8 + b"<html>", "is a web page (HTML): export it as CSV"),
        ("<html>".encode("utf-16"), "is a web page (HTML): export it as CSV"),
    ],
)
@pytest.mark.parametrize("encoding", [{}, {"encoding": "windows-1258"}], ids=["guessed", "told"])
def test_what_is_no_csv_file_at_all_is_called_by_its_name(
    tmp_path: Path, content: bytes, told: str, encoding: dict[str, str]
) -> None:
    with pytest.raises(UnexpectedAnswer) as raised:
        table_of(tmp_path, content, **encoding)
    assert str(raised.value) == f"customers.csv: {told}"


@pytest.mark.parametrize("header", ["PK,owner", "<b>phone</b>,owner", "tabletop,owner"])
def test_a_header_that_only_begins_alike_is_a_header(tmp_path: Path, header: str) -> None:
    assert rows_of(tmp_path, f"{header}\n1,2\n") == [(2, ["1", "2"])]


@pytest.mark.parametrize(
    "content",
    [
        "0901234567,Lan\n0912345678,Minh\n",
        "901234567.0;Lan\n",
        "Lan,'+84 90 123 45 67\n",
        "Lan,(028) 3812.3456\n",
        "Lan,(+84) 90 1234567\n",
        "lan@congty.example,101\nminh@congty.example,102\n",
        "Danh sách khách hàng\n\nSĐT,Phụ trách\n0901234567,Lan\n",
        "Danh sách khách hàng;;\nTháng 5;;\nSĐT;Phụ trách;\n",
        "Danh sách khách hàng\nSĐT;Phụ trách\n0901234567;Lan\n",
    ],
)
def test_data_or_a_title_where_the_header_should_be_is_told_as_what_it_is(tmp_path: Path, content: str) -> None:
    with pytest.raises(UnexpectedAnswer) as raised:
        table_of(tmp_path, content)
    assert (
        "customers.csv: the first line has to hold the columns' names: "
        "delete what stands above it, or add such a line; the file has: '" in str(raised.value)
    )
    assert "0901234567" not in str(raised.value)


@pytest.mark.parametrize(
    "header", ["phone", "phone,2024-01-15", "SĐT (0901…),Lan", "2024,101", "SĐT 0901234567,owner", ",phone"]
)
def test_a_header_with_figures_or_with_one_column_is_no_data(tmp_path: Path, header: str) -> None:
    assert len(rows_of(tmp_path, f"{header}\n0901234567\n0912345678\n")) == 2


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("phone,owner\n1,2\n", "phone,owner\n", "looks emptied"),
        ("phone,owner\n1,2\n", "phone,owner\n1,2\n3,4", "half-written"),
        ("phone,owner\n1,2\n", "phone,owner\n1,2\n3\n", "half-written"),
    ],
)
def test_a_file_that_ends_worse_than_before_is_refused(tmp_path: Path, before: str, after: str, reason: str) -> None:
    endings = []
    for content in (before, after):
        with table_of(tmp_path, content) as table:
            list(table.rows())
            endings.append(table.ending)
    with pytest.raises(UnexpectedAnswer, match=rf"^customers\.csv: .*{reason}"):
        endings[1].check_against(endings[0])


def test_a_file_that_always_ended_without_line_break_is_accepted() -> None:
    poor = Ending("customers.csv", 5, last_row_whole=False, last_line_finished=False)
    whole = Ending("customers.csv", 3, last_row_whole=True, last_line_finished=True)
    assert [ending.check_against(poor) for ending in (poor, whole)] == [None, None]


@pytest.mark.parametrize(
    ("damaged", "meant"),
    [
        ("0901234567", "0901234567"),
        ("'0901234567", "0901234567"),
        ("\u20190901234567", "0901234567"),
        ('="0901234567"', "0901234567"),
        ("901234567.0", "901234567"),
        ("'101.00", "101"),
        ("\u00a00901\u00a0234\u202f567 ", "0901 234 567"),
        ("\u202a0901234567\u202c", "0901234567"),
        ("0901\u200b234567\ufeff", "0901234567"),
        ("1.5", "1.5"),
        ("v1.0", "v1.0"),
        ("Trần Đức Ổn", "Trần Đức Ổn"),
        ("O'Hara", "O'Hara"),
        ("9.01E+08", "9.01E+08"),
    ],
)
def test_what_excel_did_to_a_cell_is_undone(damaged: str, meant: str) -> None:
    assert clean_cell(damaged) == meant


def test_a_number_that_excel_shortened_is_recognised_and_nothing_else() -> None:
    assert all(map(is_shortened, ["9.01E+08", "9,01E+08", "8E+10", "9.01234567e+8"]))
    assert not any(map(is_shortened, ["0901234567", "1E5", "E+08", "9.01E+08x", "nv9E+"]))


def test_words_for_nothing_are_nothing() -> None:
    words = [
        "",
        " ",
        "-",
        "\N{EN DASH}",
        "\N{EM DASH}",
        ".",
        "?",
        "0",
        "NULL",
        "None",
        "N/A",
        "#N/A",
        "unknown",
        "Không",
        "KHÔNG CÓ",
    ]
    assert all(map(is_nothing, [*words, "Chưa có", "khong co"]))
    assert not any(map(is_nothing, ["Na", "Không Lan", "00", "101", "lan@congty.example"]))


def test_extensions_are_split_and_kept_as_written() -> None:
    for cell in ("101/0102", "101;0102", "101:0102", "101\n0102", "101, 0102", "'101.0 / 0102", "101|0102"):
        assert extensions_in(cell) == ("101", "0102")
    assert extensions_in("") == ()
    assert extensions_in(" 101 +\t0102 & 103 / ") == ("101", "0102", "103")


@pytest.mark.parametrize(
    "cell", ["abc", "101/abc", "10-1", "\u0661\u0660\u0661", "101.5", "1 01", "101 102", "101\t102", "101/1\u00a002"]
)
def test_what_is_no_extension_is_refused_as_a_whole(cell: str) -> None:
    with pytest.raises(ValueError, match="an extension consists of digits"):
        extensions_in(cell)


@pytest.mark.parametrize("header", ["SĐT", "sdt", "Sđt ", "S.Đ.T", "SO_DIEN_THOAI", "Số điện thoại", "so-dien-thoai 2"])
def test_headers_are_compared_as_people_read_them(header: str) -> None:
    assert find_columns(["name", header], {"phone": ["SĐT", "số điện thoại"]}, {}) == {"phone": (1,)}


def test_a_configured_header_replaces_the_known_ones_and_prefers_its_exact_spelling() -> None:
    columns = ["phone", "SĐT", "sdt", "e_mail"]
    configured = {"phone": ["sdt"], "email": ["E-Mail"]}
    found = find_columns(columns, {"phone": ["phone"], "email": [], "id": ["id"]}, configured)
    assert found == {"phone": (2,), "email": (3,), "id": ()}


def test_a_configured_header_that_is_not_there_is_an_error_that_lists_the_columns() -> None:
    with pytest.raises(ValueError, match="there is no column 'Mobil'") as raised:
        find_columns(["Mobile", "Note"], {"phone": ["phone"]}, {"phone": ["Mobil"]})
    assert str(raised.value) == (
        "there is no column 'Mobil' (`columns: {phone: …}`), did you mean 'Mobile'?; the file has: 'Mobile', 'Note'"
    )


def test_a_configured_header_that_is_there_twice_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"2 columns are called 'Phone': rename them; the file has: 'phone', 'PHONE'"):
        find_columns(["phone", "PHONE"], {"phone": []}, {"phone": ["Phone"]})


def test_several_columns_for_one_meaning_are_an_error_that_lists_them() -> None:
    with pytest.raises(ValueError, match="2 columns") as raised:
        only_column(["Email", "Note", "Email NV"], (0, 2), "email", "the owner's e-mail")
    assert str(raised.value) == (
        "2 columns could be the owner's e-mail: 'Email', 'Email NV'; name one under `columns: {email: …}`; "
        "the file has: 'Email', 'Note', 'Email NV'"
    )
    assert only_column(["Email"], (0,), "email", "the owner's e-mail") == 0
    assert only_column(["Email"], (), "email", "the owner's e-mail") is None


def test_what_is_shown_of_a_cell_gives_no_caller_away() -> None:
    assert shown("0901 234\n567") == "'**** *** 567'"
    assert shown("101") == "'101'"
    assert shown("\x1b[2J") == "'\\u001b[2J'"
    assert len(shown("x" * 1000)) < 50


@pytest.mark.parametrize(
    ("content", "form", "header"),
    [
        (b"phone;owner\n", {"encoding": "utf-8", "delimiter": ";"}, 1),
        (b"\n\nphone\towner\n", {"encoding": "utf-8", "delimiter": "tab"}, 3),
        ("\ufeffsep=|\nphone|owner\n".encode("utf-16-le"), {"encoding": "utf-16", "delimiter": "|"}, 2),
    ],
)
def test_a_table_tells_how_it_was_read(tmp_path: Path, content: bytes, form: Mapping[str, str], header: int) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with read_table(tmp_path / "a.csv", name="another.csv") as table:
        assert (table.name, table.form, table.header) == ("another.csv", form, header)
