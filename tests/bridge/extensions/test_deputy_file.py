from datetime import date, datetime

import pytest
import xlsxwriter

from bridge.config.extensions import DeputyCsv, DeputyWorkbook
from bridge.extensions.deputies import Rule
from bridge.extensions.deputy_file import DeputyFileWatch
from bridge.sdk.errors import SourceError
from tests.support.rounds import Rounds

ENGLISH = "owner,deputy,from,until\n"
VIETNAMESE = "Nhân viên nghỉ;Người thay;Từ ngày;Đến ngày;Đổ chuông\n"


def watched(folder, text, encoding="utf-8", wait=lambda _seconds: True, **settings):
    file = folder / "deputies.csv"
    file.write_text(text, encoding=encoding)
    return DeputyFileWatch(DeputyCsv(path=file, **settings), wait=wait)


def read(folder, text, encoding="utf-8", **settings):
    """Return the rules and the report of a file that is read once."""
    watch = watched(folder, text, encoding, **settings)
    watch.start()
    try:
        return watch.rules(), watch.report()
    finally:
        watch.close()


def refused(folder, text, **settings):
    watch = watched(folder, text, **settings)
    watch.start()
    try:
        with pytest.raises(SourceError):
            watch.report()
        assert watch.rules() == ()
        return watch.trouble
    finally:
        watch.close()


def test_a_file_with_english_headers_is_read(tmp_path):
    rules, report = read(tmp_path, f"{ENGLISH}lan@congty.example,minh@congty.example,2026-12-01,2026-12-14\n")
    first, last = date(2026, 12, 1), date(2026, 12, 14)
    assert rules == (Rule("lan@congty.example", ("minh@congty.example",), first, last, False, "deputies.csv:2"),)
    assert report == (
        (
            "deputies.csv: 1 rule(s) about who answers for whom; "
            "owner: 'owner'; deputy: 'deputy'; from: 'from'; until: 'until'"
        ),
    )


@pytest.mark.parametrize(
    ("cell", "named"),
    [
        ("minh@congty.example, ext 110", ("minh@congty.example", "ext 110")),
        ("ext 110/ext 111", ("ext 110", "ext 111")),
        ("lan@congty.example; minh@congty.example", ("lan@congty.example", "minh@congty.example")),
        ("Pham, Minh", ("Pham, Minh",)),
        ("Nguyễn Thị Lan", ("Nguyễn Thị Lan",)),
    ],
)
def test_a_cell_may_name_several_who_answer_and_several_who_are_away(tmp_path, cell, named):
    rules, _ = read(tmp_path, f'{ENGLISH}"{cell}","{cell}",,\n')
    assert [rule.owner for rule in rules] == list(named)
    assert {rule.deputies for rule in rules} == {named}


def test_a_tab_between_cells_may_be_written_as_a_word(tmp_path):
    text = "owner\tdeputy\tfrom\tuntil\nlan@congty.example\tminh@congty.example\t\t\n"
    (rule,), _ = read(tmp_path, text, delimiter="tab")
    assert rule.owner == "lan@congty.example"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_file_as_excel_writes_it_in_vietnam_is_read(tmp_path, encoding):
    row = "Nguyễn Thị Lan;Trần Minh;01/12/2026 0:00;14/12/2026 12:00;cùng\n"
    (rule,), _ = read(tmp_path, VIETNAMESE + row, encoding)
    assert (rule.owner, rule.deputies, rule.beside) == ("Nguyễn Thị Lan", ("Trần Minh",), True)
    assert (rule.first, rule.until) == (date(2026, 12, 1), datetime.fromisoformat("2026-12-14 12:00"))


@pytest.mark.parametrize(("cell", "beside"), [("", False), ("Thay", False), ("instead", False), ("BESIDE", True)])
def test_how_the_deputy_rings_may_be_said(tmp_path, cell, beside):
    (rule,), _ = read(tmp_path, f"{VIETNAMESE}Lan;Minh;;;{cell}\n")
    assert (rule.beside, rule.first, rule.until) == (beside, None, None)


def test_a_row_that_cannot_be_used_is_told_with_its_line_and_the_others_count(tmp_path):
    rows = [
        "Lan;Minh;32/12/2026;;",
        "Lan;;;;",
        ";Minh;;;",
        "Lan;Minh;2026-12-14;2026-12-01;",
        "Lan;Minh;01/12/26;;",
        "Lan;Minh;;;both",
        "Lan;Minh;;;",
    ]
    rules, report = read(tmp_path, VIETNAMESE + "\n".join(rows) + "\n")
    assert [rule.place for rule in rules] == ["deputies.csv:8"]
    assert [line.split(": ", 1)[1].split(":")[0] for line in report[2:]] == [
        "the first day there is no such day or time",
        "who answers is missing",
        "who is away is missing",
        "the last day lies before the first",
        "the first day is no day",
        "'both' is no way to ring",
    ]
    assert report[2].startswith("deputies.csv:2: ")


def test_a_date_that_can_only_be_american_makes_the_others_doubtful(tmp_path):
    rules, report = read(tmp_path, f"{ENGLISH}Lan,Minh,01/12/2026,\nHuong,Minh,12/31/2026,\nNghi,Minh,2026-12-01,\n")
    assert [rule.owner for rule in rules] == ["Nghi"]
    assert report[2:] == (
        (
            "deputies.csv:2: the first day may be either of two, because line 3 has its month first: "
            "write days as 2026-12-31"
        ),
        "deputies.csv:3: the first day has no such month: the day comes first: write 31/12/2026",
    )


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        ("owner,deputy,until", "the first day: name it under `columns: {from: 'Header'}`"),
        ("owner,deputy,from,last", "the last day: name it under `columns: {until: 'Header'}`"),
        ("owner,whoever,from,until", "who answers: name it"),
        ("x,deputy,from,until", "who is away: name it"),
    ],
)
def test_a_header_that_nobody_knows_is_told_and_sends_nobody_away_for_ever(tmp_path, header, missing):
    trouble = refused(tmp_path, f"{header}\nLan,Minh,2026-12-01,\n")
    assert missing in trouble
    assert trouble.endswith("the file has: " + ", ".join(f"'{name}'" for name in header.split(",")))


def test_columns_may_be_named(tmp_path):
    columns = {"owner": "Ai", "deputy": "Thay bởi", "from": "Ngày A", "until": "Ngày B"}
    (rule,), _ = read(tmp_path, "Ai,Thay bởi,Ngày A,Ngày B\nLan,Minh,,2026-12-14\n", columns=columns)
    assert (rule.owner, rule.deputies, rule.until) == ("Lan", ("Minh",), date(2026, 12, 14))


def test_several_columns_that_could_be_meant_are_listed(tmp_path):
    trouble = refused(tmp_path, "Email,Họ tên,Người thay,Từ ngày,Đến ngày\nlan@congty.example,Lan,Minh,,\n")
    assert "2 columns could be who is away: 'Email', 'Họ tên'; name one under `columns: {owner: …}`" in trouble


def test_a_quote_that_swallows_rows_and_a_broken_row_are_told(tmp_path):
    swallowed = '"Lan,Minh,2026-12-01,2026-12-14\nHuong,Minh,2026-12-01,2026-12-02\nNghi,"Minh",,\n'
    trouble = refused(tmp_path, ENGLISH + swallowed)
    assert "a quote in this row makes one cell of it and the rows up to line 4" in trouble
    rules, report = read(tmp_path, f"{ENGLISH}Lan,Minh,,\nHuong,Mi\nnh,2026-12-01,2026-12-02\nNghi,Minh,,\nVo,Minh\n")
    assert [rule.owner for rule in rules] == ["Lan", "Nghi"]
    assert "a line break without quotes breaks this row: lines 3 and 4 are one" in report[2]
    assert report[3] == "deputies.csv:6: the row has 2 cells, but there are 4 columns: something is missing in it"


def test_a_file_without_a_row_is_good_for_nobody_may_be_away(tmp_path):
    rules, report = read(tmp_path, ENGLISH)
    assert rules == ()
    assert report[0].startswith("deputies.csv: 0 rule(s)")


def test_a_changed_file_counts_and_a_broken_one_leaves_the_last_good_one_in_force(tmp_path):
    rounds = Rounds()
    watch = watched(tmp_path, f"{ENGLISH}Lan,Minh,,\n", wait=rounds)
    watch.start()
    for text, deputies, trouble in [
        (f"{ENGLISH}Lan,Huong,,\n", ["Huong"], ""),
        (f"{ENGLISH}Lan,Nghi,,", ["Huong"], "looks half-written"),
        ("nonsense\n", ["Huong"], "no column is recognised as who is away"),
        (ENGLISH, [], ""),
    ]:
        (tmp_path / "deputies.csv").write_text(text, encoding="utf-8")
        rounds.step(2)
        assert [rule.deputies[0] for rule in watch.rules()] == deputies
        assert trouble in watch.trouble
        assert bool(watch.trouble) == bool(trouble)
    rounds.end()
    watch.close()


def test_days_in_a_workbook_are_days_however_they_are_shown(tmp_path):
    path = tmp_path / "deputies.xlsx"
    with xlsxwriter.Workbook(path, {"default_date_format": "mm/dd/yy"}) as book:
        sheet = book.add_worksheet("Nghỉ phép")
        sheet.write_row(0, 0, ["Nhân viên nghỉ", "Người thay", "Từ ngày", "Đến ngày"])
        sheet.write_row(1, 0, ["lan@congty.example", "minh@congty.example"])
        sheet.write_datetime(1, 2, datetime(2026, 12, 1))  # noqa: DTZ001 - Excel knows no zone
        sheet.write_datetime(1, 3, datetime(2026, 12, 14, 13, 30))  # noqa: DTZ001 - nor here
    watch = DeputyFileWatch(DeputyWorkbook(path=path), wait=lambda _seconds: True)
    watch.start()
    place = "deputies.xlsx, sheet 'Nghỉ phép':2"
    first, last = date(2026, 12, 1), datetime(2026, 12, 14, 13, 30)  # noqa: DTZ001 - as the machine's clock
    assert watch.rules() == (Rule("lan@congty.example", ("minh@congty.example",), first, last, False, place),)
    watch.close()


@pytest.mark.parametrize("cell", ["#REF!", "#N/A", "=SUM(C2,7)", "9.01E+08"])
@pytest.mark.parametrize("column", range(4))
def test_a_cell_that_is_lost_sends_nobody_away_for_ever(tmp_path, cell, column):
    row = ["lan@congty.example", "minh@congty.example", "2026-12-01", "2026-12-14"]
    row[column] = f'"{cell}"'
    rules, report = read(tmp_path, f"{ENGLISH}{','.join(row)}\n")
    assert rules == ()
    what = ("who is away", "who answers", "the first day", "the last day")[column]
    assert report[2].startswith(f"deputies.csv:2: {what} cannot be repaired: ")


def test_a_list_that_google_was_still_computing_is_none(tmp_path):
    told = refused(tmp_path, f"{ENGLISH}lan@congty.example,minh@congty.example,2026-12-01,Loading...\n")
    assert told.startswith("deputies.csv:2: Google Sheets was still computing this row")
