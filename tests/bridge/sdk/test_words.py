import unicodedata

import pytest

from bridge.sdk.words import canonical, fold, is_no_value, is_nothing, visible

WORDS = (
    *("", "  ", "-", "--", "\N{EN DASH}", "\N{EM DASH}", ".", "?", "()", "[]", "0", "0.", "FALSE"),
    *("null", "NULL", "<null>", "None", "-- None --", "'none'", "nil", "undefined", "Unknown", "unassigned"),
    *("Unassigned", "(unassigned)", "[Unassigned]", "not assigned", "No owner", "(blank)"),
    *("N/A", "n.a.", "n.a", "#N/A", "#REF!"),
    *("Không", "KHÔNG CÓ", "khong co", "Chưa có", "(chưa có)", "Chưa phân công", "chưa giao", "Chưa gán"),
)
NAMES = (
    *("Na", "N.A. Tran", "Không Lan", "Chưa Giao Lan", "Nil Lan", "Blank", "00", "10", "-1", "101"),
    *("lan@congty.example", "none@congty.example", "Unassigned team", "x" * 500),
)


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_word_for_nobody_is_one_however_it_is_written(word: str, form: str) -> None:
    written = unicodedata.normalize(form, word)
    for text in (written, written.upper(), f" {written} ", written.replace(" ", "\u00a0"), f"\u200b{written}\ufeff"):
        assert is_nothing(text)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_holds_such_a_word_is_a_name(name: str) -> None:
    assert not is_nothing(name)


@pytest.mark.parametrize("word", ["", " ", "0", "null", "None", " UNDEFINED ", "unknown", "False", "nil"])
def test_what_programs_write_for_none_is_no_value(word: str) -> None:
    assert is_no_value(word)
    assert is_nothing(word)


@pytest.mark.parametrize("cursor", ["-", "_", "n/a", "unassigned", "MTA="])
def test_a_cursor_may_be_what_would_name_nobody(cursor: str) -> None:
    assert not is_no_value(cursor)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Thuỷ", "Thủy"),
        ("Hoà", "Hòa"),
        ("HOÈ", "hòe"),
        ("Hoàng", "Hòang"),
        ("Quý", "Qúy"),
        ("Đức", "\u00d0ức"),
        ("đức", "\u00f0ỨC"),
        ("Đào", "\u0189ào"),
        ("Nguyễn Thị", unicodedata.normalize("NFD", "NGUYỄN THỊ")),
        ("Lê Ổn", unicodedata.normalize("NFD", "LÊ ỔN")),
        ("Lan Anh", "Lan\u00a0\u200bAnh"),
        ("Lan Anh", " lan\u3000\u2009 anh\ufeff"),
        ("lan@congty.example", "ｌａｎ＠ｃｏｎｇｔｙ．ｅｘａｍｐｌｅ"),
        ("lan@congty.example", "LAN@congty\u00ad.example\u200d"),
    ],
)
def test_what_looks_the_same_is_one_name_however_it_was_typed(one: str, other: str) -> None:
    assert canonical(one) == canonical(other)
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), [("Hòa", "Hoa"), ("Hòa", "Hóa"), ("Hương", "Hường"), ("Đức", "Duc")])
def test_accents_tell_people_apart_and_headers_not(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)
    assert fold(one) == fold(other)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("name", ["Nguyễn Thị Ngọc Huyền", "Trần Đức Ổn", "Phạm Quỳnh Hoa", "Lưu Thuý"])
def test_what_is_compared_is_the_same_if_it_is_compared_once_more(name: str, form: str) -> None:
    once = canonical(unicodedata.normalize(form, name))
    assert canonical(once) == once == unicodedata.normalize("NFC", once)


def test_an_id_keeps_its_capitals_and_its_zeros() -> None:
    assert visible(" \uff10\uff10\uff17\u200b") == "007"
    assert visible("005A0") != visible("005a0")
