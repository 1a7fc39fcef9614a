import pytest

from bridge.sdk.errors import UnexpectedAnswer
from bridge.sdk.tables import read_customers, read_table
from bridge.sdk.tables.misread_headers import misread

UNICODE = "Khách hàng,Số điện thoại,Nhân viên phụ trách"
VNI = "Khaùch haøng,Soá ñieän thoaïi,Nhaân vieân phuï traùch"
TCVN3 = "Kh¸ch hµng,Sè ®iÖn tho¹i,Nh©n viªn phô tr¸ch"
TWICE = UNICODE.encode().decode("latin-1")


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (VNI, "the headers are written in VNI"),
        ("SOÁ ÑT;NGÖÔØI PHUÏ TRAÙCH", "the headers are written in VNI"),
        (TCVN3, "the headers are written in TCVN3"),
        ("Tªn,S§T", "the headers are written in TCVN3"),
    ],
)
@pytest.mark.parametrize("encoding", ["windows-1258", "utf-8"])
def test_an_old_font_is_named_whether_or_not_the_file_was_made_utf_8(header, told, encoding):
    content = f"{header}\nx,0901234567,Lan\n".encode("utf-8" if encoding == "utf-8" else "cp1252")
    assert misread(content, encoding).startswith(told)


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_utf_8_that_was_encoded_once_more_is_named(mark):
    assert "UTF-8 twice" in misread(f"{mark}{TWICE}\n".encode(), "utf-8")
    windows = b"".join(bytes([byte]).decode("cp1252", "ignore").encode() for byte in "Số máy".encode())
    assert "UTF-8 twice" in misread(windows, "utf-8")


def test_accents_that_became_question_marks_are_told_as_lost():
    assert "lost their accents" in misread(b"Kh?ch h?ng,S? di?n tho?i,Nh?n vi?n ph? tr?ch\n", "utf-8")


@pytest.mark.parametrize(
    "header", [UNICODE, "phone,owner", "Tên?,Ai?", "Número,Señor", "Straße,Größe", "", "Телефон,Имя", "電話,名前"]
)
def test_other_headers_are_none_of_these(header):
    assert misread(f"{header}\n0901234567,Lan\n".encode(), "utf-8") == ""


@pytest.mark.parametrize(("header", "told"), [(VNI, "VNI"), (TCVN3, "TCVN3")])
def test_a_list_of_customers_tells_it_behind_its_headers(tmp_path, header, told):
    path = tmp_path / "customers.csv"
    path.write_bytes(header.encode("cp1252") + b"\nx,0901234567,Lan\n")
    with read_table(path) as table, pytest.raises(UnexpectedAnswer, match=rf"the file has: .*written in {told}"):
        read_customers(table, {}, "VN")
