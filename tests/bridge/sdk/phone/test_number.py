"""Numbers: what is read, what is refused, and that a key belongs to one customer whatever the spelling."""

import csv
import itertools
import logging
import re
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from bridge.sdk.errors import InvalidNumber
from bridge.sdk.phone import PhoneNumber, holds, parse_all, vietnam
from bridge.sdk.phone import number as phone

slowly = settings(deadline=None, max_examples=300)


def unescaped(text: str) -> str:
    """Return the text of a table's cell, where what cannot be seen is written as in Python."""
    text = text.replace(r"\t", "\t").replace(r"\n", "\n")
    return re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), text)


def cases() -> list[tuple[str, str, str]]:
    with (Path(__file__).parent / "phone_cases.csv").open(encoding="utf-8", newline="") as table:
        return [(unescaped(row["input"]), row["region"], row["expected"]) for row in csv.DictReader(table)]


def key(text: str, region: str = "VN") -> str | None:
    try:
        return PhoneNumber.parse(text, region).e164
    except InvalidNumber:
        return None


def keys(text: str, region: str = "VN") -> list[str]:
    return [number.e164 for number in parse_all(text, region)]


# --- one number


@pytest.mark.parametrize(("text", "region", "expected"), cases())
def test_a_spelling_is_read_as_the_table_says(text: str, region: str, expected: str) -> None:
    assert (key(text, region) or "invalid") == expected


@pytest.mark.parametrize(("text", "region", "expected"), cases())
def test_a_field_with_one_number_is_read_like_the_number(text: str, region: str, expected: str) -> None:
    if expected != "invalid":
        assert keys(text, region) == [expected]


def test_the_reason_of_a_refusal_never_repeats_the_text() -> None:
    for text in ("anonymous", "098322356789123", "0983223566#", "+999123456789", "098322356", "101", "9" * 99):
        with pytest.raises(InvalidNumber) as refusal:
            PhoneNumber.parse(text)
        assert text not in str(refusal.value)
        assert str(refusal.value)
        assert refusal.value.__cause__ is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Anonymous", "withheld"),
        ("", "withheld"),
        ("101", "internal extension or a short code"),
        ("0901234567 0912345678", "too long"),
        ("1800 FLOWERS", "something that no number has"),
        ("098322356", "no Vietnamese number"),
        ("+1983223566", "no number of its country"),
        ("+999123456789", "no country's number"),
    ],
)
def test_a_refusal_says_why(text: str, reason: str) -> None:
    with pytest.raises(InvalidNumber, match=reason):
        PhoneNumber.parse(text)


def test_a_mobile_has_all_its_forms() -> None:
    number = PhoneNumber.parse("0983223566")
    assert number.e164 == "+84983223566"
    assert number.digits == "84983223566"
    assert number.national == "0983223566"
    assert number.nsn == "983223566"
    assert number.legacy == ""
    assert number.interleaved == "%9%8%3%2%2%3%5%6%6"
    assert number.nsns == ("983223566",)
    assert number.likely_forms == ("0983223566", "+84983223566", "84983223566", "983223566", "0084983223566")
    assert number.forms == (*number.likely_forms, "840983223566")


def test_a_renumbered_mobile_has_the_old_forms_too() -> None:
    number = PhoneNumber.parse("0701234567")
    assert number.legacy == "01201234567"
    assert number.forms[:5] == ("0701234567", "+84701234567", "84701234567", "701234567", "0084701234567")
    assert number.forms[5:10] == ("01201234567", "+841201234567", "841201234567", "1201234567", "00841201234567")
    assert number.forms[10:] == ("840701234567", "8401201234567")
    assert number.likely_forms == number.forms[:10]
    assert number.nsns == ("701234567", "1201234567")


def test_a_landline_of_hanoi_has_an_old_form_and_one_of_ho_chi_minh_city_has_none() -> None:
    assert PhoneNumber.parse("02439995029").legacy == "0439995029"
    assert PhoneNumber.parse("02839995029").legacy == ""
    assert "0839995029" not in PhoneNumber.parse("02839995029").forms


def test_a_hotline_has_no_leading_zero_and_no_form_twice() -> None:
    number = PhoneNumber.parse("1900 1234")
    assert number.national == number.nsn == "19001234"
    assert number.forms == ("19001234", "+8419001234", "8419001234", "008419001234")


def test_a_foreign_number_has_only_spellings_that_cannot_be_taken_for_vietnamese() -> None:
    number = PhoneNumber.parse("+66 81 234 5678")  # 0812345678 is a VinaPhone mobile
    assert number.national == number.e164 == "+66812345678"
    assert number.nsn == number.digits == "66812345678"
    assert number.nsns == ("66812345678",)
    assert number.legacy == ""
    assert number.interleaved == "%6%6%8%1%2%3%4%5%6%7%8"
    assert number.likely_forms == ("+66812345678", "0066812345678")
    assert number.forms == (*number.likely_forms, "66812345678")


def test_a_foreign_number_whose_digits_are_somebody_elses_keeps_its_plus() -> None:
    number = PhoneNumber("+951234567")  # 951234567 is 0951234567 of Vietnam, of which a spreadsheet took the zero
    assert number.national == number.nsn == number.digits == "+951234567"
    assert number.forms == ("+951234567", "00951234567")
    assert number.interleaved == "%9%5%1%2%3%4%5%6%7"


def test_a_number_is_written_as_at_home_only_where_it_is_at_home() -> None:
    number = PhoneNumber.parse("+82 10 1234 5678")
    assert (number.national_in("KR"), number.nsn_in("KR"), number.nsn_at_home) == (
        "01012345678",
        "1012345678",
        "1012345678",
    )
    assert number.national_in("TH") == "+821012345678"
    assert number.interleaved_in("KR") == "%1%0%1%2%3%4%5%6%7%8"
    assert PhoneNumber.parse("0983223566").national_in("KR") == "+84983223566"


def test_an_italian_number_keeps_its_zero() -> None:
    number = PhoneNumber.parse("+39 06 1234 5678")
    assert number.nsn_in("IT") == number.national_in("IT") == "0612345678"


def test_numbers_with_the_same_ending_are_different() -> None:
    assert key("+12983223566") != key("+84983223566")
    assert key("888") is None
    assert key("+33678885678") != key("0678885678")
    assert key("02839995029") != key("0839995029")
    assert key("0439995029") != key("0839995029")


def test_a_number_is_a_key_with_an_order() -> None:
    low, high = PhoneNumber.parse("0901234567"), PhoneNumber.parse("0912345678")
    assert sorted([high, low]) == [low, high]
    assert len({low, PhoneNumber.parse("+84 90 123 4567"), high}) == 2


def test_a_number_in_a_log_line_shows_three_digits(caplog: pytest.LogCaptureFixture) -> None:
    number = PhoneNumber.parse("0983223566")
    logging.getLogger("test").warning("call from %s, %r, %s, %s", number, number, [number], f"{number} {number!r}")
    assert caplog.messages == ["call from …566, PhoneNumber(…566), [PhoneNumber(…566)], …566 PhoneNumber(…566)"]


# --- several numbers in a field


@pytest.mark.parametrize(
    "field",
    [
        "0901234567 / 0912345678",
        "0901234567/0912345678",
        "0901234567;0912345678",
        "0901234567, 0912 345 678",
        "0901234567|0912345678",
        "0901234567\n0912345678",
        "0901234567\r\n0912345678\r\n",
        "0901234567 - 0912345678",
        "0901 234 567 \u2013 0912 345 678",
        "0901234567-0912345678",
        "0901234567 0912345678",
        "0901234567\u00a00912345678",
        "0901.234.567 0912.345.678",
        "0901234567 hoặc 0912345678",
        "0901234567 hoa\u0323\u0306c 0912345678",
        "0901234567 or 0912345678",
        "0901234567 ext 12 / 0912345678 máy lẻ 5",
        "0901234567 x12, 0912345678;ext=7",
        "0901234567,101; 0912345678",
        "0901234567 ext 12 0912345678",
        "0901234567 x 0912345678",
        "0901234567 / 0912345678 / 0901234567",
        "0901234567; ; 0912345678;",
        "\uff10901234567\uff0f0912345678\uff1b",
        "ĐT: 0901 234 567 (Lan), 0912 345 678 (Minh)",
        "Lan:0901234567 Minh:0912345678",
        "0901234567 / chưa có / 0912345678",
        "0901234567 / 0912345678 / 68",
    ],
)
def test_two_numbers_in_a_field_are_two(field: str) -> None:
    assert keys(field) == ["+84901234567", "+84912345678"]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("028.3812.3456", "+842838123456"),
        ("028 3812 3456", "+842838123456"),
        ("(028) 3812-3456", "+842838123456"),
        ("(028) 3812 - 3456", "+842838123456"),
        ("028/3812 3456", "+842838123456"),
        ("+84 / 28 3812 3456", "+842838123456"),
        ("028 3812 3456 / 77", "+842838123456"),
        ("028 3812 3456 - 101", "+842838123456"),
        ("028 3812 3456 /", "+842838123456"),
        ("028 38123456 (gặp Lan)", "+842838123456"),
        ("Fax 028 3812 3456", "+842838123456"),
        ("1900 1234 / 5678 / 90", "+8419001234"),
        ("+49 30 1234-5678", "+493012345678"),
        ("+49 30/123456", "+4930123456"),
    ],
)
def test_one_number_with_separators_in_it_stays_one(field: str, expected: str) -> None:
    assert keys(field) == [expected]


@pytest.mark.parametrize(
    "field",
    [
        "0203812345 - 6",  # 0203 812 3456, or Lao Cai's 020 3812345 and another ending
        "19001234 - 56",  # a hotline of ten digits, or one of eight and another ending
        "+1 / 2839995029",  # American, or a landline in Ho Chi Minh City
        "+1, 2839995029",
        "+1 (mobile) 283-999-5029",
        "0901234567 8",
        "090 123 4567 8",
        "0901 NAM 234567",
        "0901234xxx",
        "028 3234567/8",
        "090 123 4567 091 234 5678",
    ],
)
def test_a_field_that_can_be_read_in_two_ways_yields_no_number(field: str) -> None:
    with pytest.raises(InvalidNumber):
        parse_all(field)


def test_two_numbers_are_two_even_if_the_first_ones_country_has_longer_ones() -> None:
    assert keys("+49301234 19001234") == ["+49301234", "+8419001234"]


@pytest.mark.parametrize("field", ["", " ", "\u00a0", "-", "--", "/", ";", "\n", "()"])
def test_a_field_without_letters_and_digits_is_empty(field: str) -> None:
    assert parse_all(field) == ()


@pytest.mark.parametrize("field", ["anonymous", "0", "N/A", "không có", "9.01E+08", "101", "ext 12", "098322356 / 113"])
def test_a_field_with_something_but_no_number_is_refused(field: str) -> None:
    with pytest.raises(InvalidNumber) as refusal:
        parse_all(field)
    assert field not in str(refusal.value).split()


def test_a_very_long_field_is_refused_even_if_it_starts_with_a_number() -> None:
    with pytest.raises(InvalidNumber):
        parse_all("0901234567;" + " " * 500)
    assert keys("0901234567;" + " " * 400) == ["+84901234567"]


def test_a_field_is_read_in_its_region() -> None:
    assert keys("(212) 555-0123 / +84 983 223 566", "US") == ["+12125550123", "+84983223566"]


# --- properties

DIGITS = "0123456789"
MOBILE_PREFIXES = ["32", "39", "52", "55", "56", "58", "59", "70", "76", "79", "81", "84", "86", "89", "90", "98", "99"]
LAND_PREFIXES = ["203", "210", "214", "225", "236", "242", "249", "256", "269", "277", "283", "289", "299"]


def tail(length: int) -> st.SearchStrategy[str]:
    return st.text(DIGITS, min_size=length, max_size=length)


vietnamese = st.one_of(
    st.builds("{}{}".format, st.sampled_from(MOBILE_PREFIXES), tail(7)),
    st.builds("{}{}".format, st.sampled_from(LAND_PREFIXES), tail(7)),
    st.builds("{}{}".format, st.sampled_from(["1900", "1800"]), st.integers(4, 6).flatmap(tail)),
)
foreign = st.one_of(
    st.builds("+1{}{}".format, st.sampled_from(["212", "415", "283", "903"]), tail(7)),
    st.builds("+8210{}".format, tail(8)),
    st.builds("+336{}".format, tail(8)),
    st.builds("+3906{}".format, tail(8)),
    st.builds("+49{}".format, tail(9)),
    st.builds("+65{}{}".format, st.sampled_from("689"), tail(7)),
)
prefixes = st.sampled_from(["", "0", "84", "+84", "0084", "840", "+840", "00840", "+84 (0)", "(+84) ", "tel:+84"])
separators = st.sampled_from(["", "", "", " ", ".", "-", "\u00a0", "\u2013", " - ", "(", ")", "\u200b", "\u2009"])
endings = st.sampled_from(["", "", " ", "\t", " ext 12", "x7", " máy lẻ 101", ";ext=5", ",101"])


@st.composite
def written(draw: st.DrawFn, nsn: str) -> str:
    """Any spelling of a Vietnamese number, the one before its renumbering included."""
    digits = draw(st.sampled_from([nsn, vietnam.before(nsn) or nsn]))
    spaced = "".join(itertools.chain.from_iterable((digit, draw(separators)) for digit in digits))
    if draw(st.booleans()):
        spaced = spaced.translate({ord(digit): ord(digit) + 0xFEE0 for digit in DIGITS})
    return draw(prefixes) + spaced + draw(endings)


@slowly
@given(st.data(), vietnamese)
def test_any_spelling_of_a_number_is_the_same_key(data: st.DataObject, nsn: str) -> None:
    text = data.draw(written(nsn))
    assume(len(text) <= 64)
    assert key(text) == f"+84{nsn}"


@slowly
@given(st.data(), vietnamese, vietnamese)
def test_spellings_of_two_numbers_are_never_one_key(data: st.DataObject, one: str, other: str) -> None:
    assume(one != other)
    first, second = key(data.draw(written(one))), key(data.draw(written(other)))
    assert first is None or first != second


@slowly
@given(st.one_of(st.builds("+84{}".format, vietnamese), foreign))
def test_every_form_of_a_number_is_that_number(e164: str) -> None:
    found = key(e164)
    assume(found is not None)
    number = PhoneNumber(str(found))
    assert len(set(number.forms)) == len(number.forms)
    assert number.e164 in number.forms
    for form in number.forms:
        assert PhoneNumber.parse(form) == number
        assert parse_all(form) == (number,)


@slowly
@given(
    st.text(DIGITS, min_size=1, max_size=18),
    st.sampled_from(["", "+", "00", "+84", "84", "0", "+490", "+81", "+62", "+549", "+78", "+1", "+440"]),
)
@example("00983223566", "+84")
@example("01234", "+49")
@example("123456789012345", "+49")
@example("12345678901234567", "+81")
def test_a_key_read_again_is_the_same_key(digits: str, prefix: str) -> None:
    found = key(prefix + digits)
    if found is not None:
        assert key(found) == found
        assert PhoneNumber(found).forms == PhoneNumber.parse(found).forms
        assert all(key(form) == found for form in PhoneNumber(found).forms)


@slowly
@given(
    st.sampled_from(["", "0", "84", "840", "+84", "+840", "0084", "8484", "84190", "019", "+1", "00"]),
    st.text(DIGITS, min_size=5, max_size=12),
    st.sampled_from(["VN", "US", "KR", "DE"]),
)
@example("84", "1234567", "VN")
@example("84", "19001234", "VN")
@example("00", "84983223566", "US")
def test_the_quick_way_reads_what_libphonenumber_reads(prefix: str, digits: str, region: str) -> None:
    quickly = phone.read_vietnamese(prefix + digits, region)
    if quickly is not None:
        assert phone._read_worldwide(prefix + digits, region) == quickly  # noqa: SLF001


@slowly
@given(st.text(max_size=80) | st.text("0123456789+-./ ()x,;\u00a0\uff10\u0660ex:t\n", max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    for region in ("VN", "US"):
        found = key(text, region)
        try:
            several = parse_all(text, region)
        except InvalidNumber:
            several = ()
        assert len(set(several)) == len(several)
        for number in (*several, *([PhoneNumber(found)] if found else [])):
            assert re.fullmatch(r"\+[1-9][0-9]{6,14}", number.e164)
            assert key(number.e164) == number.e164


@slowly
@given(
    st.lists(vietnamese, min_size=1, max_size=4, unique=True), st.sampled_from([" / ", "/", "; ", ",", "\n", " hoặc "])
)
def test_a_field_holds_the_numbers_that_were_written_into_it(nsns: list[str], between: str) -> None:
    field = between.join(vietnam.national(nsn) for nsn in nsns)
    assert keys(field) == [f"+84{nsn}" for nsn in nsns]


@slowly
@given(st.one_of(st.builds("+84{}".format, vietnamese), foreign))
def test_a_masked_number_shows_at_most_three_digits(e164: str) -> None:
    number = PhoneNumber(e164)
    for shown in (number.masked, str(number), repr(number), f"{number}"):
        assert sum(map(str.isdigit, shown)) == 3


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("0901 234 567", True),
        ("0912345678 / +84901234567", True),
        ("0901234568", False),
        ("901", False),
        ("n/a", False),
        ("", False),
        (None, False),
    ],
)
def test_a_field_holds_a_number_or_not_whatever_stands_in_it(text, held):
    assert holds(text, PhoneNumber("+84901234567")) is held


@slowly
@given(
    st.one_of(
        st.builds("+84{}".format, vietnamese),
        foreign,
        st.builds("+{}{}".format, st.sampled_from(["95", "220"]), tail(7)),
    )
)
def test_no_spelling_that_a_connector_can_reach_for_is_somebody_elses(e164: str) -> None:
    assume(key(e164) == e164)
    number = PhoneNumber(e164)
    for text in (number.e164, number.digits, number.national, number.nsn, *number.nsns, *number.forms, number.legacy):
        assert not text or key(text) in {e164, None}


@slowly
@given(st.one_of(st.builds("+84{}".format, vietnamese), foreign), st.sampled_from(["", " ", ".", "-", "%20", "%"]))
def test_a_number_is_masked_however_it_is_grouped(e164: str, between: str) -> None:
    assume(key(e164) == e164)
    number = PhoneNumber(e164)
    spellings = (*number.forms, number.nsn_at_home, number.national_in("KR"), number.interleaved)
    for text in filter(None, spellings):
        masked = number.masked_in(f"asked for {between.join(text)}, in vain")
        assert number.nsn_at_home[:-3] not in re.sub("%20|[^0-9]", "", masked)
        assert masked.startswith("asked for ")
        assert masked.endswith("…" + e164[-3:] + ", in vain")
