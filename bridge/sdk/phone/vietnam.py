"""Vietnam's numbering plan and its two renumberings, as data.

One rule decides every collision between old and new: what is a number today is that number. Only what is none today
may be an old spelling. `08 3999 5029` was a landline in Ho Chi Minh City until 2017 and is a VinaPhone mobile now; the
digits cannot tell, so it is the mobile, for a wrong owner is worse than none.

Numbers here are national significant numbers: digits without country code and without the leading zero.

Sources: libphonenumber's metadata, carrier and geocoding files for 84 (2026-07, and 2016-11 for the old area codes);
mobiles of 2018: kynguyenso.plo.vn, fptcorp.com.vn; area codes of 2017: baodautu.vn d61915, kienthuc.net.vn 887209.
"""

import re

COUNTRY_CODE = 84

_MOBILES_OF_2018 = (
    "120:70 121:79 122:77 126:76 128:78 "  # MobiFone
    "123:83 124:84 125:85 127:81 129:82 "  # VinaPhone
    "162:32 163:33 164:34 165:35 166:36 167:37 168:38 169:39 "  # Viettel
    "186:56 188:58 199:59"  # Vietnamobile, Gmobile
)
# 59 provinces of 63. Unchanged: Phu Tho 210, Vinh Phuc 211, Hoa Binh 218, Ha Giang 219.
_AREAS_OF_2017 = (
    "4:24 8:28 "  # Hanoi and Ho Chi Minh City, whose subscribers have eight digits; elsewhere seven
    "33:203 240:204 25:205 26:206 27:207 280:208 281:209 22:212 231:213 20:214 230:215 29:216 "
    "320:220 321:221 241:222 31:225 351:226 36:227 350:228 30:229 "
    "52:232 53:233 54:234 510:235 511:236 37:237 38:238 39:239 "
    "61:251 62:252 64:254 55:255 56:256 57:257 58:258 68:259 60:260 501:261 500:262 63:263 59:269 "
    "70:270 651:271 72:272 73:273 650:274 75:275 66:276 67:277 "
    "780:290 781:291 710:292 711:293 74:294 76:296 77:297 79:299"
)

_RENUMBERED = dict(pair.split(":") for pair in f"{_MOBILES_OF_2018} {_AREAS_OF_2017}".split())
_BEFORE = {new: old for old, new in _RENUMBERED.items()}

_TODAY = re.compile(
    # Mobiles, of any prefix that carriers have or may get, save those that only an old landline can have.
    r"(?:[389][0-9]|5[0125689]|7[016-9])[0-9]{7}"
    # Landlines. No subscriber's number starts with 0 or 1, so 240 is Bac Giang of old and not Hanoi.
    r"|2(?![348][01])[0-9]{9}"
    # Hotlines: neither area code nor leading zero.
    r"|1[89]00[0-9]{4,6}"
    # Internet telephony, which keeps one row of old Dong Thap (67) from being anything else.
    r"|672[0-9]{6}"
    # Landlines of six digits have no successor that is certain: they stay what they are, so that none is mistaken.
    r"|(?:21[0189]|2[348][01]|65[01])[0-9]{6}"
)
_OLD = re.compile(
    f"({'|'.join(old for old in _RENUMBERED if len(old) > 1)})[0-9]{{7}}"
    "|([48])[2-9][0-9]{7}"  # again: 4 0… would be read as Bac Giang the next time
)
_HOTLINE = re.compile(r"1[89]00")


def normalise(nsn: str) -> str | None:
    """Return the number that `nsn` is today, renumbered if it is an old one, or None if nobody can have it.

    The result is final: `normalise` returns it unchanged.
    """
    if _TODAY.fullmatch(nsn):
        return nsn
    found = _OLD.fullmatch(nsn)
    if found is None:
        return None
    code = found[1] or found[2]
    return _RENUMBERED[code] + nsn[len(code) :]


def before(nsn: str) -> str:
    """Return how today's number `nsn` was written before its renumbering.

    Empty if it was never renumbered, and if the old spelling has come to mean somebody else.
    """
    for size in (2, 3):
        code = _BEFORE.get(nsn[:size])
        if code and normalise(old := code + nsn[size:]) == nsn:
            return old
    return ""


def is_hotline(nsn: str) -> bool:
    """Tell whether `nsn` is a hotline, which has neither area code nor leading zero, and eight to ten digits."""
    return _HOTLINE.match(nsn) is not None


def national(nsn: str) -> str:
    """Return `nsn` as it is dialled inside Vietnam: with a leading zero, but for hotlines."""
    return nsn if is_hotline(nsn) else f"0{nsn}"
