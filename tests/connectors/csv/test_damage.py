"""Tables that are damaged and parse all the same: no customer ever rings another row's owner."""

import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from bridge.config.extensions import ExtensionCsv
from bridge.extensions.extension_file import ExtensionFileWatch
from bridge.sdk import Call, Deadline, Owner, PhoneNumber, SourceUnavailable
from connectors.csv.connector import CsvConfig, CsvConnector
from tests.support.rounds import Rounds

LAN = Owner(email="lan@congty.example")
MINH = Owner(email="minh@congty.example")
HEADER = "Tên,Điện thoại,Ghi chú,Người phụ trách\n"
REFUSED = "a quote in this row makes one cell of it and the rows up to line"


def row(at: int, note: str = "", owner: str = "") -> str:
    return f"Khách {at},09010{at:05d},{note},{owner or ('minh' if at % 2 == 0 else 'lan')}@congty.example\n"


def connector_of(folder: Path, content: str, **settings: object) -> CsvConnector:
    path = folder / "customers.csv"
    path.write_bytes(content.encode())
    connector = CsvConnector(CsvConfig.model_validate({"path": path, **settings}), wait=lambda _: True)
    connector.open()
    return connector


def refusal(folder: Path, content: str) -> str:
    with pytest.raises(SourceUnavailable) as raised:
        connector_of(folder, content)
    return str(raised.value)


def ask(connector: CsvConnector, number: str) -> Sequence[Owner]:
    return connector.find_owners(Call(PhoneNumber.parse(number)), Deadline.after(1.0))


SMALLEST = HEADER + (
    "A,0901000001,,lan@congty.example\n"
    'B,0901000002,"VIP,lan@congty.example\n'
    "C,0901000003,,lan@congty.example\n"
    'D,0901000004,TV 55",minh@congty.example\n'
    "E,0901000005,,minh@congty.example\n"
)

SWALLOWED = {
    "smallest": SMALLEST,
    "many rows": HEADER + row(1) + row(2, '"VIP') + "".join(map(row, range(3, 900))) + row(900, 'TV 55"') + row(901),
    "the next row": HEADER + row(1) + row(2, '"VIP') + row(3, 'TV 55"') + row(4),
    "closed at an end": HEADER + row(1) + row(2, '"VIP') + row(3) + 'D,0901000004,x,minh@congty.example"\n' + row(5),
    "rows without a number": HEADER + row(1) + 'B,0901000002,"VIP,lan@congty.example\nC,,TV 55",minh@congty.example\n',
    "an unreadable number": HEADER + row(1) + row(2, '"VIP') + 'C,không nhớ,TV 55",lan@congty.example\n',
    "closed by a quoted cell": HEADER + row(1) + row(2, '"VIP') + row(3) + row(4, '"a, b"') + row(5),
    "empty quotes between": HEADER + row(1) + row(2, '"VIP') + row(3, '""') + row(4, 'TV 55"') + row(5),
    "in the first cell": HEADER + '"' + row(1) + row(2) + 'Khách" 3,0901000003,,lan@congty.example\n',
    "in the first cell, two rows": HEADER + '"' + row(1) + 'C 55",0901000003,,lan@congty.example\n',
    "in the last cell": HEADER + row(1) + 'B,0901000002,,"Lan\n' + row(3) + 'D,0901000004,,Minh"\n',
    "escaped by a backslash": HEADER + row(1) + row(2, '"TV 55\\""') + row(3) + row(4, 'x"') + row(5),
    "tabs": (HEADER + row(1) + row(2, '"VIP') + row(3) + row(4, 'TV 55"')).replace(",", "\t"),
    "semicolons": (HEADER + row(1) + row(2, '"VIP') + row(3) + row(4, 'TV 55"')).replace(",", ";"),
    "old Macintosh": SMALLEST.replace("\n", "\r"),
    "Windows": SMALLEST.replace("\n", "\r\n"),
    "blanks everywhere": SMALLEST.replace(",", ", "),
    "blanks in the rows alone": HEADER + SMALLEST.removeprefix(HEADER).replace(",", ", "),
    "blanks in these rows alone": HEADER + row(1) + 'A, 0901000002, "VIP, lan\nB, 0901000003, TV 55", minh\n' + row(4),
    "blanks from the first cell on": HEADER + '"A, 0901000002, x, lan\nB", 0901000003, TV 55, minh\n' + row(4),
    "blanks with quotes in the header": (
        '"Tên","Điện thoại","Ghi chú","Người phụ trách"\n' + SMALLEST.removeprefix(HEADER).replace(",", ", ")
    ),
}


@pytest.mark.parametrize("content", SWALLOWED.values(), ids=SWALLOWED)
def test_a_cell_that_holds_whole_rows_is_damage_and_the_file_is_refused(tmp_path: Path, content: str) -> None:
    told = refusal(tmp_path, content)
    assert told.startswith("customers.csv:")
    assert REFUSED in told
    assert "has to be doubled" in told
    assert "0901000" not in told


@pytest.mark.parametrize(
    "content",
    [
        HEADER + row(1) + row(2, '"VIP') + row(3),
        HEADER + row(1) + row(2, '"a, b"') + row(3, '"VIP') + row(4) + row(5),
        HEADER + "".join(row(at, '"VIP' if at == 2 else "") for at in range(1, 9000)),
    ],
    ids=["one", "an odd one", "in a large file"],
)
def test_a_quote_that_nothing_closes_is_told_with_its_row(tmp_path: Path, content: str) -> None:
    assert any(word in refusal(tmp_path, content) for word in ("half-written, or a quote is one too many", "never clo"))


def test_a_quote_in_the_header_that_swallows_rows_is_told(tmp_path: Path) -> None:
    content = 'Tên,Điện thoại,"Ghi chú,Người phụ trách\n' + row(1) + row(2, 'TV 55"') + row(3)
    assert "a quote in the header makes one cell of it and of rows" in refusal(tmp_path, content)


def test_a_damaged_file_leaves_the_last_good_one_in_force_and_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, rounds = tmp_path / "customers.csv", Rounds()
    path.write_text(HEADER + row(2) + row(4))
    connector = CsvConnector(CsvConfig(path=path), wait=rounds)
    connector.open()
    path.write_text(SMALLEST)
    rounds.step(2)
    caplog.set_level(logging.WARNING)
    assert ask(connector, "0901000002") == (MINH,)
    assert f"customers.csv:3: {REFUSED} 5" in connector.trouble()
    rounds.end()
    connector.close()


LEGITIMATE = {
    "an address": '"Số 1, Lê Lợi\nQuận 1, TP HCM"',
    "an address without blanks": '"12 Lê Lợi,P.1\nQ.1,TP HCM"',
    "as many commas as columns": '"Số 1, Lê Lợi\nP.2, Quận 1, TP HCM"',
    "a contact": '"Chị Lan, 0909123456\nAnh Ba, 0909123457"',
    "contacts with as many commas": '"Chị Lan, 0909123456, kế toán\nAnh Ba, 0909123457, thủ kho"',
    "doubled quotes": '"Nhà ""Hoa Mai"", tầng 2\nTV 55"""',
    "many lines": '"' + "\n".join(f"gọi lần {at}, bận" for at in range(200)) + '"',
    "blank lines": '"a\n\n\nb"',
    "quotes only": '""""',
    "an inch": 'TV 55"',
    "in the middle": 'TV "to" 55',
}


@pytest.mark.parametrize("note", LEGITIMATE.values(), ids=LEGITIMATE)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_people_write_in_several_lines_is_accepted(tmp_path: Path, note: str, end: str) -> None:
    connector = connector_of(tmp_path, (HEADER + row(1) + row(2, note) + row(3)).replace("\n", end))
    assert [ask(connector, f"090100000{at}") for at in (1, 2, 3)] == [(LAN,), (MINH,), (LAN,)]
    assert connector.report()[1:] == ()


@pytest.mark.parametrize(
    "content",
    [
        'Phone,Owner\n"0901000001\n0901000002",lan@congty.example\n',
        'Phone,Owner\n"0901000001, 0901000009\n0901000002, 0901000008",lan@congty.example\n',
        'Phone,Phone 2,Owner\n"0901000001, 0901000007\n0901000002",,lan@congty.example\n',
        'Owner,Phone\nlan@congty.example,"0901000001\n0901000002"\n',
    ],
)
def test_several_numbers_in_the_lines_of_a_cell_are_no_rows(tmp_path: Path, content: str) -> None:
    connector = connector_of(tmp_path, content)
    assert LAN in ask(connector, "0901000001")
    assert LAN in ask(connector, "0901000002")


def test_several_texts_in_the_lines_of_an_owner_s_cell_are_no_rows_and_an_email_counts(tmp_path: Path) -> None:
    content = 'Phone,Owner\n0901000001,"Lan, 0905000001\nlan@congty.example"\n0901000002,lan@congty.example\n'
    connector = connector_of(tmp_path, content)
    assert ask(connector, "0901000001") == (Owner(id="Lan, 0905000001", name="Lan, 0905000001"), LAN)
    assert ask(connector, "0901000002") == (LAN,)


@pytest.mark.parametrize(
    ("note", "told"),
    [
        ('"Nhà "Hoa Mai", tầng 2"', "a quote stands where none may be: "),
        ('"TV 55\\" LG"', "and not escaped by a backslash"),
        ('"Dòng 1\nNhà "Hoa Mai""', "a quote stands where none may be (the row goes on to line 4): "),
    ],
)
def test_a_quote_that_is_not_doubled_spoils_its_own_row_and_is_told(tmp_path: Path, note: str, told: str) -> None:
    connector = connector_of(tmp_path, HEADER + row(1) + row(2, note) + row(4))
    assert [ask(connector, f"090100000{at}") for at in (1, 2, 4)] == [(LAN,), (), (MINH,)]
    assert any(line.startswith("customers.csv:3: ") and told in line for line in connector.report())


def broken(columns: str, first: str, *rest: str) -> str:
    """Return a table whose third row is broken into lines."""
    good = {"Tên": "An", "Điện thoại": "0901000009", "SĐT 2": "", "Ghi chú": "x", "Người phụ trách": "lan"}
    whole = ",".join(good[name] for name in columns.split(","))
    return "\n".join([columns, whole, first, *rest, whole.replace("0009", "0008"), ""])


USUAL = "Tên,Điện thoại,Ghi chú,Người phụ trách"
BROKEN = {
    "a note": (broken(USUAL, "B,0901000002,Gọi sau", "17h chiều,minh"), "lines 3 and 4"),
    "a note in three": (broken(USUAL, "B,0901000002,Gọi", "sau", "17h,minh"), "lines 3, 4 and 5"),
    "with a blank line": (broken(USUAL, "B,0901000002,Gọi", "", "17h,minh"), "lines 3 and 5"),
    "before the number": (
        broken("Tên,Ghi chú,Điện thoại,Người phụ trách", "B,Gọi sau", "17h,0901000002,minh"),
        "3 and 4",
    ),
    "an owner": (broken(USUAL, "B,0901000002,,Minh", "Nguyen"), "lines 3 and 4"),
    "an owner in front": (broken("Người phụ trách,Điện thoại,Ghi chú", "Minh", "Nguyen,0901000002,x"), "lines 3 and 4"),
    "a second number": (
        broken("Tên,Điện thoại,SĐT 2,Người phụ trách", "B,0901000002,0902000002", "0903000002,minh"),
        "lines 3 and 4",
    ),
    "behind the owner": (
        broken("Điện thoại,Người phụ trách,Tên,Ghi chú,SĐT 2", "0901000002,minh,B,Gọi", "17h,0905000001"),
        "lines 3 and 4",
    ),
}


@pytest.mark.parametrize(("content", "lines"), BROKEN.values(), ids=BROKEN)
def test_a_row_that_a_line_break_without_quotes_breaks_is_named_and_nothing_of_it_is_used(
    tmp_path: Path, content: str, lines: str
) -> None:
    connector = connector_of(tmp_path, content)
    assert ask(connector, "0901000002") == ()
    assert ask(connector, "0901000009") == ask(connector, "0901000008") == (Owner(id="lan", name="lan"),)
    (told,) = [line for line in connector.report() if line.startswith("customers.csv:3: ")]
    assert "a line break without quotes breaks this row: " in told
    assert lines in told
    assert len(connector.report()) == 3


def test_every_fourth_row_broken_in_two_is_named(tmp_path: Path) -> None:
    rows = [
        f"Khách {at},09010000{at:02d},{note},lan"
        for at in range(1, 41)
        for note in ["Gọi sau\n17h chiều" * (at % 4 == 0)]
    ]
    connector = connector_of(tmp_path, HEADER + "\n".join(rows) + "\n")
    assert [bool(ask(connector, f"09010000{at:02d}")) for at in range(1, 41)] == [at % 4 != 0 for at in range(1, 41)]
    assert "10 rows with something that cannot be used" in connector.report()[1]
    assert all("a line break without quotes" in line for line in connector.report()[2:])


def test_blanks_that_excel_leaves_out_at_the_end_are_no_break(tmp_path: Path) -> None:
    header = "Tên,Người phụ trách,Điện thoại,Ghi chú,Địa chỉ,Nguồn\n"
    rows = "A,lan,0901000001\nB,,\nC,minh,0901000003\nD,lan,0901000004,x,y\nE,lan\nF,minh,0901000006\n"
    connector = connector_of(tmp_path, header + rows)
    assert [len(ask(connector, f"090100000{at}")) for at in (1, 3, 4, 6)] == [1, 1, 0, 1]
    assert "lines 5 and 6 are one" in "\n".join(connector.report())


@pytest.mark.parametrize("footer", ["Total: 3", "Tổng cộng 3 khách", "Generated By: Lan", "\nXuất ngày 1/2", "3 rows"])
def test_a_footer_is_named_and_takes_no_customer_with_it(tmp_path: Path, footer: str) -> None:
    connector = connector_of(tmp_path, HEADER + row(1) + row(2) + footer + "\n")
    assert ask(connector, "0901000002") == (MINH,)
    assert "1 row with something that cannot be used" in connector.report()[1]
    assert "the row has 1 cell, but there are 4 columns" in connector.report()[2]


def test_the_header_once_more_is_named_and_another_header_refuses_the_file(tmp_path: Path) -> None:
    connector = connector_of(tmp_path, HEADER + row(1) + HEADER + row(2))
    assert (ask(connector, "0901000001"), ask(connector, "0901000002")) == ((LAN,), (MINH,))
    assert connector.report()[-1] == "customers.csv:3: the header stands here once more"
    for other in (
        "Tên,Điện thoại,Người phụ trách,Ghi chú\nB,0901000002,lan,x\n",
        "Tên,Điện thoại,Nguồn,Ghi chú,Người phụ trách\nB,0901000002,lan,x,y\n",
        "Tên,Điện thoại,Người phụ trách\nB,0901000002,lan\n",
        "Name,Phone,Owner,Note\nB,0901000002,lan,x\n",
    ):
        assert "customers.csv:3: another header stands here" in refusal(tmp_path, HEADER + row(1) + other)


WIDE = "Mã,Họ tên,Điện thoại,Địa chỉ,Email,Người phụ trách,Người tạo\n1,A,0901000001,HN,a@x.example,lan,minh\n"


@pytest.mark.parametrize(
    "other",
    [
        "STT,Khách hàng,SĐT,Tỉnh,Ngày sinh,Người lên đơn,NVKD\n3,C,0901000003,HN,1/1/1990,minh,lan\n",
        "STT,Khách hàng,SĐT 2,Tỉnh,Ngày sinh,Người lên đơn,Ngày tạo\n3,C,0901000003,HN,1/1/1990,minh,lan\n",
        "STT,Khách hàng,Phone 1 - Value,Tỉnh,Ngày sinh,Người lên đơn,Ngày\n3,C,0901000003,HN,1/1/1990,minh,lan\n",
    ],
)
def test_one_known_header_where_the_numbers_stand_tells_of_another_list(tmp_path: Path, other: str) -> None:
    assert "customers.csv:3: another header stands here" in refusal(tmp_path, WIDE + other)


@pytest.mark.parametrize("word", ["mobile", "Zalo", "cố định"])
def test_a_customer_with_a_word_for_a_number_is_no_header(tmp_path: Path, word: str) -> None:
    connector = connector_of(tmp_path, f"{WIDE}2,B,{word},HN,b@x.example,lan,minh\n3,C,0901000003,HN,,minh,lan\n")
    assert ask(connector, "0901000003") == (Owner(id="minh", name="minh"),)
    assert "customers.csv:3: no telephone number in" in connector.report()[-1]


SHIFTED = {
    "a comma too many": (
        "B,0901000002,Số 1, Lê Lợi,minh@congty.example",
        "the row has 5 cells, but there are 4 columns",
    ),
    "single quotes": ("B,0901000002,'Số 1, Lê Lợi',minh@congty.example", "the row has 5 cells"),
    "curly quotes": ("B,0901000002,“Số 1, Lê Lợi”,minh@congty.example", "the row has 5 cells"),
    "blank behind": ("B,0901000002,Số 1, lan@congty.example,minh@congty.example,", "the row has 6 cells"),
    "blank note behind": ("B,0901000002,Số 1, lan@congty.example,", "the row has 5 cells"),
    "another separator": ("B;0901000002;x;minh@congty.example", "the row's cells are separated by ';'"),
    "tabs": ("B\t0901000002\tx\tminh@congty.example", "the row's cells are separated by a tab"),
}


@pytest.mark.parametrize(("damaged", "told"), SHIFTED.values(), ids=SHIFTED)
def test_a_row_whose_cells_are_shifted_is_named_and_left_out(tmp_path: Path, damaged: str, told: str) -> None:
    connector = connector_of(tmp_path, HEADER + row(1) + damaged + "\n" + row(3) + row(4))
    assert ask(connector, "0901000002") == ()
    assert ask(connector, "0901000001") == ask(connector, "0901000003") == (LAN,)
    assert any(line.startswith(f"customers.csv:3: {told}") for line in connector.report())


FIVE = "Tên,Điện thoại,Nguồn,Người phụ trách,Người tạo\n"
FULL = "A,0901000001,Web,lan,minh\n"
MISSING = {
    "a cell in the middle": ("B,0901000002,minh,lan", "the row has 4 cells, the others have 5: one in the middle may"),
    "single quotes": ("B,0901000002,'12 Lê Lợi, Q1',lan", "' does not keep a separator inside its cell"),
    "curly quotes": ("B,0901000002,“12 Lê Lợi, Q1”,lan", "“ does not keep a separator inside its cell"),
    "curly single quotes": ("B,0901000002,‘Q1, huong’,lan", "‘ does not keep a separator inside its cell"),
    "low quotes": ("B,0901000002,„Q1, huong“,lan", "„ does not keep a separator inside its cell"),
    "a backslash": ("B,0901000002,12 Lê Lợi\\, Q1,lan", "a backslash does not keep a separator inside its cell"),
    "quotes and a cell too few": ("'Cty B, HN',0901000002,lan", "' does not keep a separator inside its cell"),
}


@pytest.mark.parametrize(("damaged", "told"), MISSING.values(), ids=MISSING)
@pytest.mark.parametrize("behind", [FULL.replace("0001", "0004"), ""], ids=["", "last"])
def test_a_shifted_row_that_a_cell_left_out_makes_up_for_is_named(
    tmp_path: Path, damaged: str, told: str, behind: str
) -> None:
    rows = FULL + FULL.replace("0001", "0003") + FULL.replace("0001", "0005")
    connector = connector_of(tmp_path, f"{FIVE}{rows}{damaged}\n{behind}")
    assert ask(connector, "0901000002") == ()
    assert ask(connector, "0901000001") == (Owner(id="lan", name="lan"),)
    assert connector.report()[-1].startswith(f"customers.csv:5: {told}")


SHORT = {
    "most rows": "".join(f"B,09020000{at:02d},x,minh\n" + FULL * (at % 2) for at in range(9)),
    "a fourth of the rows": "".join(f"B,09020000{at:02d},x,minh\n" + FULL * 3 for at in range(9)),
    "a block after many full ones": FULL * 60 + "".join(f"B,09020000{at:02d},x,minh\n" for at in range(9)) + FULL * 60,
}


@pytest.mark.parametrize("rows", SHORT.values(), ids=SHORT)
def test_rows_whose_blanks_at_the_end_are_left_out_are_whole_where_that_is_usual(tmp_path: Path, rows: str) -> None:
    connector = connector_of(tmp_path, FIVE + rows)
    assert [ask(connector, f"09020000{at:02d}") for at in range(9)] == [(Owner(id="minh", name="minh"),)] * 9
    assert connector.report()[1:] == ()


@pytest.mark.parametrize(
    "content",
    [
        "Tên,Điện thoại,Người phụ trách,Ghi chú\nA,0901000002,lan,x\nB,0901000001,lan\nC,0901000003,lan,y\n",
        "Người phụ trách,Tên,Điện thoại,Ghi chú\nlan,A,0901000002,x\nlan,B,0901000001\nlan,C,0901000003,y\n",
        f"{FIVE}'A,'0901000001,'Web,'lan,'minh'\n",
        f"{FIVE}H'Hen,0901000001,TV 55',lan,minh\n",
        f"{FIVE}A,0901000001,“Web” và 'Zalo',lan,minh\n",
    ],
    ids=["owner beside the number", "number behind the owner", "apostrophes of Excel", "an apostrophe", "quoted words"],
)
def test_a_row_in_which_nothing_can_be_missing_and_quotes_inside_cells_are_whole(tmp_path: Path, content: str) -> None:
    connector = connector_of(tmp_path, content)
    assert ask(connector, "0901000001") == (Owner(id="lan", name="lan"),)
    assert connector.report()[1:] == ()


def test_rows_that_all_end_in_a_separator_more_than_the_header_are_whole(tmp_path: Path) -> None:
    rows = "".join(map(row, range(1, 4))).replace("\n", ",,\n")
    connector = connector_of(tmp_path, HEADER + rows)
    assert ask(connector, "0901000003") == (LAN,)
    assert connector.report()[1:] == ()


def staff(folder: Path, content: str) -> ExtensionFileWatch:
    (folder / "staff.csv").write_text(content, encoding="utf-8")
    watch = ExtensionFileWatch(ExtensionCsv(path=folder / "staff.csv"), wait=lambda _: True)
    watch.start()
    return watch


def test_a_damaged_list_of_extensions_is_refused_or_its_rows_are_named(tmp_path: Path) -> None:
    swallowed = 'Lan,lan@congty.example,"HN,101\nAn,an@congty.example,,103\nMinh,minh@congty.example,TV",102\n'
    with pytest.raises(SourceUnavailable, match=f"staff.csv:2: {REFUSED} 4"):
        staff(tmp_path, f"Tên,Email,Ghi chú,Máy lẻ\n{swallowed}").current()
    watch = staff(tmp_path, "Email,Ghi chú,Máy lẻ\nlan@congty.example,Nghỉ\nthứ 7,101\nminh@congty.example,,102\n")
    assert watch.current().extensions_of(LAN) == ()
    assert watch.current().extensions_of(MINH) == ("102",)
    assert "staff.csv:2: a line break without quotes breaks this row: lines 2 and 3 are one" in watch.report()[-1]
    watch = staff(tmp_path, 'Email,Ghi chú,Máy lẻ\nlan@congty.example,"Nghỉ, về\nthứ 7","101\n102"\n')
    assert watch.current().extensions_of(LAN) == ("101", "102")


def test_two_stray_quotes_wherever_they_stand_never_ring_another_rows_owner(tmp_path: Path) -> None:
    owners = ["lan", "minh", "huong", "nghi"]
    rows = [["A", "0901000000", "", "lan"], ["B", "0901000001", "TV 55", "minh"], ["C", "", "", "huong"]]
    rows.append(["D", "0901000003", "x", "nghi"])
    text = HEADER + "".join(",".join(cells) + "\n" for cells in rows)
    places = [at for at in range(len(HEADER), len(text) + 1) if {text[at - 1], text[at : at + 1]} & {",", "\n"}]
    for first in places:
        for second in (place for place in places if place >= first):
            damaged = f'{text[:first]}"{text[first:second]}"{text[second:]}'
            try:
                connector = connector_of(tmp_path, damaged)
            except SourceUnavailable:
                continue
            for at, owner in enumerate(owners):
                rung = {found.name for found in ask(connector, f"090100000{at}")}
                assert not rung & (set(owners) - {owner}), damaged


OF_ANOTHER_WIDTH = [
    'SĐT,Phụ trách,Ghi chú\n"0901111001,lan@congty.example\n0901111002",minh@congty.example,\n',
    'SĐT,Phụ trách,Ghi chú\n0901111001,lan@congty.example,"TV 55\n0901111002,minh@congty.example"\n',
    'Tên,SĐT,Phụ trách,Ghi chú\nA,0901111001,lan@congty.example,"VIP\nB,0901111002,minh@congty.example,1 X, Q1, HCM"\n',
    'Phụ trách,SĐT,Ghi chú\n"lan@congty.example,0901111001\nminh@congty.example",0901111002,\n',
]


@pytest.mark.parametrize("content", OF_ANOTHER_WIDTH)
def test_rows_in_a_cell_are_known_whatever_their_number_of_cells(tmp_path: Path, content: str) -> None:
    with pytest.raises(SourceUnavailable, match="a quote in this row makes one cell of it and the rows up to line 3"):
        connector_of(tmp_path, content)


def test_a_number_and_an_e_mail_in_a_note_of_several_lines_are_no_row(tmp_path: Path) -> None:
    note = '"Gọi chị An\n0905000001, an@khach.example\nĐC: 12 Lê Lợi, Q1"'
    connector = connector_of(tmp_path, HEADER + row(1) + row(2, note) + row(3))
    assert [ask(connector, f"090100000{at}") for at in (1, 2, 3)] == [(LAN,), (MINH,), (LAN,)]
