import pytest

from bridge.sdk import UnexpectedAnswer
from bridge.sdk.tables import extensions_in, owners_of, read_customers, read_table
from bridge.sdk.tables.lost_cells import why_lost


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("9.01E+08", "Excel has shortened it"),
        ("########", "widen the column"),
        ("##", "widen the column"),
        ("=VLOOKUP(A2,Sheet2!A:B,2)", "paste it as values"),
        ("=VLOOKUP(A2;Sheet2!A:B;2;FALSE)", "paste it as values"),
        ("= Sheet2!B2", "paste it as values"),
        ("='Nhân viên'!$B$2", "paste it as values"),
        ('=TEXT(B2,\n"0")', "paste it as values"),
        *((error, "yields an error") for error in ("#N/A", "#REF!", "#NAME?", "#DIV/0!", "#SPILL!", "Err:502")),
        ("#GETTING_DATA", "yields an error"),
        ("Loading...", "still computing"),
        ("Đang tải…", "still computing"),
    ],
)  # fmt: skip
def test_what_excel_shows_instead_of_what_a_cell_says_is_told(text, told):
    assert told in why_lost(text)
    assert owners_of({"owner": text})[1].startswith("the cell for the owner cannot be repaired: ")
    assert owners_of({"owner": text})[0] == ()
    with pytest.raises(ValueError, match=told):
        extensions_in(text)


LOST = ["########", "9.01E+08", "#N/A", "#VALUE!", '"=VLOOKUP(A2,Sheet2!A:B,2)"', "=Sheet2!B2"]


@pytest.mark.parametrize("cell", LOST)
def test_a_number_that_is_lost_is_no_row_without_a_number(tmp_path, cell):
    path = tmp_path / "customers.csv"
    path.write_text(f"phone,owner\n0901234567,Lan\n{cell},Lan\n", encoding="utf-8")
    with read_table(path) as table:
        read = read_customers(table, {}, "VN")
    assert read.without_phone.count == 0
    assert read.problems.first[0].startswith("customers.csv:3: the telephone number cannot be repaired: ")


WELL = ["", "Lan", "0901234567", '="0901234567"', "#", "#1", "#VIP", "=", "=1+1", "Lan (HN)", "Err", "Loading"]


@pytest.mark.parametrize("text", WELL)
def test_other_cells_are_well(text):
    assert why_lost(text) == ""


@pytest.mark.parametrize("row", ["0901234568,Loading...", "Loading...,Lan", "0901234568,Đang tải..."])
def test_a_table_that_google_was_still_computing_is_none(tmp_path, row):
    """Its customers would be nobody's until the next reading."""
    path = tmp_path / "customers.csv"
    path.write_text(f"phone,owner,note\n0901234567,Lan,Loading...\n{row},\n", encoding="utf-8")
    told = r"customers\.csv:3: Google Sheets was still computing this row \(Loading…\): the table is read again"
    with read_table(path) as table, pytest.raises(UnexpectedAnswer, match=told):
        read_customers(table, {}, "VN")


def test_a_cell_of_no_use_may_be_computed_later(tmp_path):
    path = tmp_path / "customers.csv"
    path.write_text("phone,owner,note\n0901234567,Lan,Loading...\n12,Lan,Loading...\n", encoding="utf-8")
    with read_table(path) as table:
        assert read_customers(table, {}, "VN").problems.count == 1
