"""The renumberings, checked against a second copy of the tables, province by province and carrier by carrier."""

import random

import pytest

from bridge.sdk.phone import vietnam

MOBILES = """
    0120 070 MobiFone, 0121 079 MobiFone, 0122 077 MobiFone, 0126 076 MobiFone, 0128 078 MobiFone,
    0123 083 VinaPhone, 0124 084 VinaPhone, 0125 085 VinaPhone, 0127 081 VinaPhone, 0129 082 VinaPhone,
    0162 032 Viettel, 0163 033 Viettel, 0164 034 Viettel, 0165 035 Viettel, 0166 036 Viettel, 0167 037 Viettel,
    0168 038 Viettel, 0169 039 Viettel, 0186 056 Vietnamobile, 0188 058 Vietnamobile, 0199 059 Gmobile
"""
RENUMBERED_PROVINCES = """
    04 024 Hanoi, 0240 0204 Bac Giang, 025 0205 Lang Son, 026 0206 Cao Bang, 027 0207 Tuyen Quang,
    0280 0208 Thai Nguyen, 0281 0209 Bac Kan, 022 0212 Son La, 0231 0213 Lai Chau, 020 0214 Lao Cai,
    0230 0215 Dien Bien, 029 0216 Yen Bai, 0320 0220 Hai Duong, 0321 0221 Hung Yen, 0241 0222 Bac Ninh,
    0351 0226 Ha Nam, 0350 0228 Nam Dinh, 053 0233 Quang Tri, 054 0234 Thua Thien-Hue, 0510 0235 Quang Nam,
    0511 0236 Da Nang, 061 0251 Dong Nai, 062 0252 Binh Thuan, 064 0254 Ba Ria-Vung Tau, 057 0257 Phu Yen,
    068 0259 Ninh Thuan, 060 0260 Kon Tum, 0501 0261 Dak Nong, 0500 0262 Dak Lak, 063 0263 Lam Dong,
    0651 0271 Binh Phuoc, 072 0272 Long An, 073 0273 Tien Giang, 0650 0274 Binh Duong, 075 0275 Ben Tre,
    066 0276 Tay Ninh, 067 0277 Dong Thap, 0780 0290 Ca Mau, 0781 0291 Bac Lieu, 0710 0292 Can Tho,
    0711 0293 Hau Giang, 074 0294 Tra Vinh
"""
PROVINCES_NOW_MOBILES = """
    08 028 Ho Chi Minh City, 033 0203 Quang Ninh, 031 0225 Hai Phong, 036 0227 Thai Binh, 030 0229 Ninh Binh,
    052 0232 Quang Binh, 037 0237 Thanh Hoa, 038 0238 Nghe An, 039 0239 Ha Tinh, 055 0255 Quang Ngai,
    056 0256 Binh Dinh, 058 0258 Khanh Hoa, 059 0269 Gia Lai, 070 0270 Vinh Long, 076 0296 An Giang,
    077 0297 Kien Giang, 079 0299 Soc Trang
"""
UNCHANGED_PROVINCES = "0210 0210 Phu Tho, 0211 0211 Vinh Phuc, 0218 0218 Hoa Binh, 0219 0219 Ha Giang"


def rows(table: str) -> list[tuple[str, str]]:
    """The old and the new prefix of each row, without their zeros."""
    cells = [row.split(maxsplit=2) for row in table.split(",")]
    return [(old[1:], new[1:]) for old, new, _ in cells]


def subscriber(new: str) -> str:
    return "39995029" if new in {"24", "28"} else "3999502"


def test_the_tables_hold_21_carriers_prefixes_and_63_provinces() -> None:
    provinces = rows(RENUMBERED_PROVINCES) + rows(PROVINCES_NOW_MOBILES) + rows(UNCHANGED_PROVINCES)
    assert len(set(rows(MOBILES))) == 21
    assert len({new for _, new in provinces}) == 63


@pytest.mark.parametrize(("old", "new"), rows(MOBILES))
def test_an_old_mobile_and_its_successor_are_one_number(old: str, new: str) -> None:
    assert vietnam.normalise(f"{old}1234567") == f"{new}1234567"
    assert vietnam.before(f"{new}1234567") == f"{old}1234567"


@pytest.mark.parametrize(("old", "new"), rows(RENUMBERED_PROVINCES))
def test_an_old_landline_that_is_nothing_else_today_and_its_successor_are_one_number(old: str, new: str) -> None:
    line = subscriber(new)
    assert vietnam.normalise(old + line) == new + line
    assert vietnam.before(new + line) == old + line


@pytest.mark.parametrize(("old", "new"), rows(PROVINCES_NOW_MOBILES))
def test_an_old_landline_that_is_a_mobile_today_is_that_mobile(old: str, new: str) -> None:
    line = subscriber(new)
    assert vietnam.normalise(old + line) == old + line
    assert vietnam.before(new + line) == ""


@pytest.mark.parametrize(("old", "new"), rows(UNCHANGED_PROVINCES))
def test_a_province_that_kept_its_code_has_no_old_spelling(old: str, new: str) -> None:
    assert vietnam.normalise(f"{old}3999502") == f"{new}3999502"
    assert vietnam.before(f"{new}3999502") == ""


def test_every_current_area_code_is_read_as_it_stands() -> None:
    provinces = rows(RENUMBERED_PROVINCES) + rows(PROVINCES_NOW_MOBILES) + rows(UNCHANGED_PROVINCES)
    for _, new in provinces:
        assert vietnam.normalise(new + subscriber(new)) == new + subscriber(new)


def test_reading_twice_changes_nothing_whatever_the_prefix() -> None:
    dice = random.Random(84)
    for prefix in range(10, 10_000):
        for length in range(5, 13):
            nsn = f"{prefix}{dice.randrange(10**12):012d}"[:length]
            today = vietnam.normalise(nsn)
            if today is not None:
                assert vietnam.normalise(today) == today


def test_the_old_spelling_always_leads_back() -> None:
    dice = random.Random(2018)
    for prefix in range(10, 10_000):
        for length in (8, 9, 10):
            today = vietnam.normalise(f"{prefix}{dice.randrange(10**10):010d}"[:length])
            if today is not None and (old := vietnam.before(today)):
                assert old != today
                assert vietnam.normalise(old) == today


def test_no_two_spellings_other_than_old_and_new_are_one_number() -> None:
    spelled: dict[str, set[str]] = {}
    for prefix in range(1_000, 10_000):
        for rest in ("2345", "23456", "234567"):
            nsn = f"{prefix}{rest}"
            if today := vietnam.normalise(nsn):
                spelled.setdefault(today, set()).add(nsn)
    for today, spellings in spelled.items():
        assert spellings <= {today, vietnam.before(today)}


@pytest.mark.parametrize(
    "nsn", ["", "0", "98322356", "9832235661", "401234567", "1611234567", "1900123", "84983223566"]
)
def test_what_nobody_can_have_is_nothing(nsn: str) -> None:
    assert vietnam.normalise(nsn) is None


def test_hotlines_have_no_leading_zero() -> None:
    assert vietnam.national("19001234") == "19001234"
    assert vietnam.national("1800123456") == "1800123456"
    assert vietnam.national("983223566") == "0983223566"
    assert vietnam.national("1901234567") == "01901234567"
