import pytest

from bridge.sdk.tables import read_customers, read_table


def doubts(folder, text, **columns):
    path = folder / "customers.csv"
    path.write_text(text, encoding="utf-8")
    with read_table(path) as table:
        read = read_customers(table, {meaning: [header] for meaning, header in columns.items()}, "VN")
    return [line for line in read.summary() if line.startswith(("doubtful:", "empty:"))]


def rows(*extensions):
    return "".join(f"090123456{at},{extension},x\n" for at, extension in enumerate(extensions))


def test_a_column_that_counts_the_rows_is_hardly_the_extension(tmp_path):
    told = "doubtful: customers.csv: 'STT' goes 1, 2, 3 … with the rows: is it the extension, or the number of the row?"
    assert doubts(tmp_path, "phone,STT,owner\n" + rows(1, 2, 3), owner="owner", extension="STT") == [told]


@pytest.mark.parametrize("extensions", [(101, 102, 103), (1, 2), (1, 2, 2), (1, "", 3), (2, 3, 4), (1, 2, 3, 5)])
def test_extensions_that_go_otherwise_are_no_slip(tmp_path, extensions):
    text = "phone,ext,owner\n" + rows(*extensions)
    assert doubts(tmp_path, text, owner="owner", extension="ext") == []


@pytest.mark.parametrize("header", ["Mã số thuế", "MST", "Tax code", "CCCD", "Số tài khoản", "Fax"])
def test_numbers_of_another_kind_are_told_by_their_header(tmp_path, header):
    (told,) = doubts(tmp_path, f"{header},owner\n0312345678,Lan\n", phone=header)
    assert told.endswith(f"'{header}' is read as telephone numbers: by its name it holds others, which are no caller's")


def test_a_number_of_more_than_ten_owners_is_told_without_being_shown(tmp_path):
    many = "".join(f"0901234567,nv{n}@congty.example\n" for n in range(11))
    few = "".join(f"0912345678,nv{n}@congty.example\n" for n in range(10))
    (told,) = doubts(tmp_path, f"phone,owner\n{many}{few}")
    assert "1 number(s), such as …567, have more than 10 owners" in told
    assert "901234567" not in told


def test_a_file_with_nothing_but_a_header_is_told(tmp_path):
    (told,) = doubts(tmp_path, "phone,owner\n")
    assert told == "empty: customers.csv: holds a header and no customers: everybody who calls is nobody's"
