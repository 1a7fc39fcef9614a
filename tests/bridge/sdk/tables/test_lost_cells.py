import pytest

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
    ],
)  # fmt: skip
def test_what_excel_shows_instead_of_what_a_cell_says_is_told(text, told):
    assert told in why_lost(text)
    assert owners_of({"owner": text})[1].startswith("the cell for the owner cannot be repaired: ")
    assert owners_of({"owner": text})[0] == ()
    with pytest.raises(ValueError, match=told):
        extensions_in(text)


@pytest.mark.parametrize("cell", ["########", "9.01E+08", '"=VLOOKUP(A2,Sheet2!A:B,2)"', "=Sheet2!B2"])
def test_a_number_that_is_lost_is_no_row_without_a_number(tmp_path, cell):
    path = tmp_path / "customers.csv"
    path.write_text(f"phone,owner\n0901234567,Lan\n{cell},Lan\n", encoding="utf-8")
    with read_table(path) as table:
        read = read_customers(table, {}, "VN")
    assert read.without_phone.count == 0
    assert read.problems.first[0].startswith("customers.csv:3: the telephone number cannot be repaired: ")


@pytest.mark.parametrize("text", ["", "Lan", "0901234567", '="0901234567"', "#", "#1", "#N/A", "=", "=1+1", "Lan (HN)"])
def test_other_cells_are_well(text):
    assert why_lost(text) == ""
