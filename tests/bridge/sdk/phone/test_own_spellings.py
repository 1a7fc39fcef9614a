import pytest

from bridge.sdk.phone import OwnSpellings, PhoneNumber


def spellings(number: str, region: str = "VN") -> OwnSpellings:
    return OwnSpellings(PhoneNumber.parse(number), region)


@pytest.mark.parametrize(
    ("number", "region", "national", "nsn"),
    [
        ("0901234567", "VN", "0901234567", "901234567"),
        ("+951234567", "VN", "", ""),
        ("+12025550123", "VN", "", ""),
        ("+12025550123", "US", "2025550123", "2025550123"),
        ("+842438123456", "US", "", ""),
    ],
)
def test_a_national_spelling_is_one_only_where_it_is_read_as_this_number(
    number: str, region: str, national: str, nsn: str
) -> None:
    own = spellings(number, region)
    assert (own.national, own.nsn) == (national, nsn)


def test_digits_may_be_somebody_else_s_once_the_plus_is_lost() -> None:
    yangon = spellings("+951234567")
    assert not yangon.is_nobody_elses("951234567")
    assert yangon.is_nobody_elses("+951234567")
    assert not yangon.is_certain("+951234567")


def test_a_spelling_is_certain_if_neither_with_plus_nor_without_it_is_somebody_else_s() -> None:
    lan = spellings("0901234567")
    assert lan.is_certain("84901234567")
    assert lan.is_certain("+84901234567")
    assert lan.is_certain("")
    assert not lan.is_certain("901234567")  # Turkish once a plus is put before it
