import unicodedata

import pytest

from bridge.sdk.words import is_no_value, is_nothing

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
