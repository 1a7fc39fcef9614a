from datetime import date, datetime

import pytest

from bridge.config.moments import begins, ends, is_month_first, may_be_month_first, parse_moment, parse_point, written

at = datetime.fromisoformat
FIRST, LAST = date(2026, 12, 1), date(2026, 12, 31)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-12-01", FIRST),
        ("2026/12/1", FIRST),
        ("01/12/2026", FIRST),
        (" 1.12.2026 ", FIRST),
        ("31-12-2026", LAST),
        ("31/12/2026 0:00", LAST),
        ("31/12/2026 12:00:00 SA", LAST),
        ("2026-12-31 13:30", at("2026-12-31 13:30:00")),
        ("2026-12-31T13:30:05", at("2026-12-31 13:30:05")),
        ("31/12/2026 1:30:00 PM", at("2026-12-31 13:30:00")),
        ("31/12/2026 1:30 CH", at("2026-12-31 13:30:00")),
        ("31/12/2026 12:00 CH", at("2026-12-31 12:00:00")),
        ("31/12/2026 13h30", at("2026-12-31 13:30:00")),
        ("31/12/2026, 8h", at("2026-12-31 08:00:00")),
    ],
)
def test_a_day_is_read_as_it_is_written_in_vietnam_with_or_without_a_time(text, meant):
    found = parse_moment(text)
    assert (found, type(found)) == (meant, type(meant))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("12/31/2026", "has no such month: the day comes first: write 31/12/2026"),
        ("01/12/26", "the year has four digits"),
        ("46357", "is no day"),
        ("tomorrow", "is no day"),
        ("31/02/2026", "there is no such day"),
        ("20/20/2026", "there is no such day"),
        ("01/12/0206", "there is no such day"),
        ("01/12-2026", "is no day"),
        ("2026-12-31 25:00", "there is no such day or time"),
        ("2026-12-31 13:00 CH", "there is no such day or time"),
        ("2026-12-31T13:30+07:00", "there is no such day or time"),
        ("2026-12-31T13:30Z", "there is no such day or time"),
    ],
)
def test_what_may_be_another_day_is_none_and_the_remedy_is_told(text, complaint):
    with pytest.raises(ValueError, match=complaint):
        parse_moment(text)


def test_a_day_lasts_from_midnight_to_midnight_and_a_time_is_an_instant():
    noon = at("2026-12-31 12:00:00")
    assert (begins(LAST), ends(LAST)) == (at("2026-12-31 00:00:00"), at("2027-01-01 00:00:00"))
    assert (begins(noon), ends(noon)) == (noon, noon)
    assert (written(LAST), written(noon)) == ("2026-12-31", "2026-12-31 12:00")


@pytest.mark.parametrize(
    ("text", "can_only_be", "may_be"),
    [
        ("12/31/2026", True, False),
        ("01/12/2026", False, True),
        ("31/12/2026", False, False),
        ("12/12/2026", False, False),
        ("2026-01-12", False, False),
        ("", False, False),
    ],
)
def test_a_date_of_an_american_excel_is_known_as_far_as_it_can_be(text, can_only_be, may_be):
    assert (is_month_first(text), may_be_month_first(text)) == (can_only_be, may_be)


NOW = at("2026-11-26 09:30:00")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("today", date(2026, 11, 26)),
        ("hôm nay", date(2026, 11, 26)),
        ("Yesterday", date(2026, 11, 25)),
        ("hôm qua", date(2026, 11, 25)),
        ("2h", at("2026-11-26 07:30:00")),
        ("3d", at("2026-11-23 09:30:00")),
        ("13:30", at("2026-11-26 13:30:00")),
        ("2026-11-25", date(2026, 11, 25)),
        ("25/11/2026", date(2026, 11, 25)),
        ("2026-11-25T14:00", at("2026-11-25 14:00:00")),
        ("25/11/2026 2:00 CH", at("2026-11-25 14:00:00")),
    ],
)
def test_a_point_is_read_as_people_ask_for_it(text, meant):
    found = parse_point(text, NOW)
    assert (found, type(found)) == (meant, type(meant))


@pytest.mark.parametrize("text", ["soon", "11/25/2026", "25:99", "-2h", "26-11", ""])
def test_what_is_no_point_is_told_with_what_to_write(text):
    with pytest.raises(ValueError, match="or write today, yesterday, 13:30, 2h or 3d"):
        parse_point(text, NOW)
