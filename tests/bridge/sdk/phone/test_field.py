"""Fields as people type them: what is certain is read, what is not is told, and nothing is taken for another number."""

import csv
import re
import string
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from bridge.sdk.phone import (
    FieldReading,
    PhoneNumber,
    Unread,
    holds,
    holds_any,
    parse_all,
    read_field,
    spelling,
    unread_told_to,
    vietnam,
)

LAN = PhoneNumber("+84901234567")
HIDING = "*•●×?…"
REASONS = {
    "hidden": "some of its digits are hidden",
    "goes-on": "its digits go on behind something that no number has",
    "torn": "digits that may belong to it stand apart from it",
    "two-ways": "it can be read in two ways",
    "ending": "the ending of a second number: write that number in full",
    "length": "no Vietnamese number has this length and prefix",
    "long": "too long for one number",
    "signs": "it holds something that no number has",
    "country": "without + it cannot be told whose country's it is",
    "abroad": "no number of the country beside it",
    "nowhere": "as it is written, no country has it: write 0 or +84 in front, or its country's code",
    "uncertain": "no telephone number can be read with certainty",
}

slowly = settings(deadline=None, max_examples=300)


def unescaped(text: str) -> str:
    """Return the text of a table's cell, where what cannot be seen is written as in Python."""
    text = text.replace(r"\t", "\t").replace(r"\n", "\n")
    return re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), text)


def cases() -> list[dict[str, str]]:
    with (Path(__file__).parent / "field_cases.csv").open(encoding="utf-8", newline="") as table:
        return [{name: unescaped(text) for name, text in row.items()} for row in csv.DictReader(table)]


def keys(text: str) -> set[str]:
    return {number.e164 for number in read_field(text).numbers}


# --- what clerks type


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["input"])
def test_a_field_is_read_as_the_table_says(case: dict[str, str]) -> None:
    reading = read_field(case["input"], case["region"], case["country"])
    assert [number.e164 for number in reading.numbers] == case["numbers"].split()
    assert [one.reason for one in reading.unread] == [REASONS[name] for name in case["unread"].split()]
    assert " ".join(number.country for number in reading.assumed) == case["assumed"]
    assert bool(reading.lack) == (not case["numbers"] and any(map(str.isalnum, case["input"])))


def test_what_is_told_of_a_number_shows_three_digits_and_no_word() -> None:
    (unread,) = read_field("Lan 0901Lan234567; Minh").unread
    assert unread.text == "0901Lan234567"
    for shown in (unread.masked, str(unread), repr(unread), f"{read_field('090a1234567')}"):
        assert sum(map(str.isdigit, shown)) <= 3
        assert "Lan" not in shown
    assert "567" in str(unread)
    assert unread.reason in str(unread)


def test_a_field_is_empty_read_or_lacking() -> None:
    assert read_field("") == read_field(" - ") == FieldReading()
    assert read_field("không có").lack
    assert not read_field("không có").unread
    assert not read_field("0901234567").lack
    long = read_field("0901234567;" + " " * 500)
    assert not long.numbers
    assert "500 characters" in long.unread[0].reason


def test_a_record_holds_a_number_if_one_of_its_fields_does() -> None:
    assert holds_any(["0912345678", None, "Zalo: 0901 234 567"], LAN)
    assert not holds_any(["0912345678", "", None], LAN)
    assert not holds_any([], LAN)
    assert holds_any(["010-1234-5678"], PhoneNumber("+821012345678"), "KR")


# --- countries


@pytest.mark.parametrize("country", ["+66", "66", "0066", " +66 ", "66.0", "TH", "th", "Thailand", "Thái Lan", "(+66)"])
def test_a_country_beside_the_number_decides_whose_it_is(country: str) -> None:
    thai = PhoneNumber("+66812345678")
    for text in ("0812345678", "812345678", "081 234 5678"):
        assert read_field(text, country=country).numbers == (thai,)
        assert holds(text, thai, country=country)
        assert not holds(text, PhoneNumber("+84812345678"), country=country)
    assert read_field("+84 81 234 5678", country=country).numbers == (PhoneNumber("+84812345678"),)


def test_a_number_beside_an_unknown_country_is_read_only_if_it_says_itself_whose_it_is() -> None:
    reading = read_field("0901234567", country="Freedonia")
    assert not reading.numbers
    assert reading.unread
    assert read_field("+84 901234567", country="Freedonia").numbers == (LAN,)
    assert read_field("0901234567", country=" ").numbers == (LAN,)


# --- who hears of what cannot be read


def test_whoever_listens_hears_what_cannot_be_read_and_nobody_else_does() -> None:
    heard: list[Unread] = []
    with unread_told_to(heard.append):
        assert not holds("09****4567", LAN)
        assert holds("0901234567 / 098322356", LAN)
        assert parse_all("0901234567") == (LAN,)
        assert not holds("chưa có", LAN)
    assert not holds("09****4567", LAN)
    assert [one.text for one in heard] == ["09****4567", "098322356"]


def test_all_fields_of_a_record_are_heard_even_if_the_first_is_the_callers() -> None:
    heard: list[Unread] = []
    with unread_told_to(heard.append):
        assert holds_any(["0901234567", "0912 xxx 678"], LAN)
    assert [one.text for one in heard] == ["0912 xxx 678"]


# --- properties: nothing is read that is not there

MOBILES = ["32", "39", "52", "55", "56", "58", "59", "70", "76", "79", "81", "84", "86", "89", "90", "98", "99"]
LANDLINES = ["203", "210", "214", "225", "236", "242", "249", "256", "269", "277", "283", "289", "299"]
SIGNS = '_:&=~<>{}@$%^!"`\\≈→•«»“”📞…?*ạaàeghknptuvyxO oIlSB²๓'


def tail(length: int) -> st.SearchStrategy[str]:
    return st.text(string.digits, min_size=length, max_size=length)


nsns = st.one_of(
    st.builds("{}{}".format, st.sampled_from(MOBILES), tail(7)),
    st.builds("{}{}".format, st.sampled_from(LANDLINES), tail(7)),
    st.builds("{}{}".format, st.sampled_from(["1900", "1800"]), st.integers(4, 6).flatmap(tail)),
)
prefixes = st.sampled_from(["", "0", "84", "+84", "0084", "+84 ", "+84 (0)"])
signs = st.text(SIGNS, min_size=1, max_size=3)


def is_in_order(digits: str, text: str) -> bool:
    rest = iter(text)
    return all(digit in rest for digit in digits)


@slowly
@given(
    st.text("0123456789" * 4 + "+-./ ()[],;:x*#&_<>aO\n", max_size=60)
    | st.lists(nsns, max_size=3).map("/".join)
    | st.text(max_size=60)
)
@example("028 3899 0001/02")
@example("<a href='tel:0901234567'>8</a>")
@example("9.01234567E8")
def test_a_number_that_is_read_stands_in_the_field_digit_by_digit(text: str) -> None:
    digits = "".join(filter(str.isdigit, spelling.plain(text)))
    for number in read_field(text).numbers:
        held = [number.nsn_at_home, *number.nsns]
        assert any(is_in_order(nsn.lstrip("+"), digits) for nsn in held)


@slowly
@given(nsns, prefixes, st.data())
def test_a_sign_within_a_number_never_makes_another_of_it(nsn: str, prefix: str, data: st.DataObject) -> None:
    written = prefix + (vietnam.national(nsn) if not prefix else nsn)
    at = data.draw(st.integers(1, len(written) - 1))
    sign = data.draw(signs)
    assume(" " not in sign or not re.search(r"[^\W0-9_]{2}", sign))  # what stands behind a word is another matter
    field = written[:at] + sign + written[at:]
    assume(not re.search(r"(?i)x *[0-9]{1,6}(?![0-9])", field))  # that is an extension
    assert keys(field) <= {f"+84{nsn}"}


@slowly
@given(nsns, prefixes, st.sampled_from(HIDING), st.data())
def test_a_number_of_which_digits_are_hidden_is_told_and_not_read(
    nsn: str, prefix: str, sign: str, data: st.DataObject
) -> None:
    first = data.draw(st.integers(0, len(nsn) - 3))
    last = data.draw(st.integers(first + 2, len(nsn) - (first == 0)))
    between = data.draw(st.sampled_from(["", " "]))
    hidden = f"{nsn[:first]}{between}{sign * (last - first)}{between}{nsn[last:]}".strip()
    reading = read_field((prefix + hidden) if prefix or first == 0 else f"0{hidden}")
    assert not reading.numbers
    assert [one.reason for one in reading.unread] == [REASONS["hidden"]]


@slowly
@given(nsns, nsns, st.text(SIGNS + " ", min_size=1, max_size=4))
def test_two_numbers_with_anything_between_are_these_or_none(one: str, other: str, between: str) -> None:
    field = f"{vietnam.national(one)}{between}{vietnam.national(other)}"
    assert keys(field) <= {f"+84{one}", f"+84{other}"}


@slowly
@given(nsns, st.sampled_from(["Zalo ", "SĐT 1: ", "- ", "• ", "+", "📞", "(1) ", "2. ", "<b>", '"', "ĐT:"]))
def test_what_stands_in_front_of_a_number_takes_nothing_from_it(nsn: str, before: str) -> None:
    assume(not vietnam.is_hotline(nsn))
    assert keys(f"{before}0{nsn}") == {f"+84{nsn}"}


@slowly
@given(nsns, st.sampled_from(["_Zalo", " (Lan)", "</b>", '"', " - Lan", "; ", " #12", " nhánh 12", "!", " và"]))
def test_what_stands_behind_a_number_takes_nothing_from_it(nsn: str, behind: str) -> None:
    assert keys(f"{vietnam.national(nsn)}{behind}") == {f"+84{nsn}"}


@pytest.mark.parametrize("unit", ["0 ", "0", "9012345/", "9012345 ", "+66,9012345", "a1", "<a ", "x ", "&amp;", "1) 0"])
def test_no_field_makes_more_work_than_its_length(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted, not timed: how often one number is tried."""
    tried: list[str] = []
    dialled = spelling.dialled
    monkeypatch.setattr(spelling, "dialled", lambda text: (tried.append(text), dialled(text))[1])
    field = (unit * 500)[:500]
    read_field(field)
    assert sum(map(len, tried)) <= 20 * len(field)
