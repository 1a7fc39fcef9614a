"""What the parameters of a query stand for: spellings of the caller's number, none of which is somebody else's.

Without `+` a number of another country may be somebody's here: 951234567 is a mobile number in Vietnam, +951234567 one
in Myanmar. Such a caller is asked for with `+` or `00` alone. Even these are lost where a database takes texts for
numbers, as MariaDB and SQLite do for a column of numbers: so what is found for such a caller has to be compared again.
"""

from collections.abc import Mapping

from bridge.sdk import Call, InvalidNumber, PhoneNumber


def values_for(call: Call, region: str) -> Mapping[str, object]:
    """Return what every parameter stands for; None, which equals nothing in SQL, where there is no such spelling.

    The national spellings of another country's number are left out even if they are nobody's here yet.
    """
    caller = call.caller
    national, nsn = (one if _read(one, region) == caller else None for one in (caller.national, caller.nsn))
    return {
        "e164": caller.e164,
        "digits": caller.digits if _is_not_anothers(caller.digits, caller, region) else None,
        "national": national,
        "nsn": nsn,
        "legacy": (_is_not_anothers(caller.legacy, caller, region) and caller.legacy) or None,
        "interleaved": caller.interleaved,
        "forms": [form for form in caller.forms if _is_not_anothers(form, caller, region)],
        "hotline": call.hotline.e164 if call.hotline else None,
    }


def is_anothers_without_plus(caller: PhoneNumber, region: str) -> bool:
    """Tell whether the number, its `+` lost, would be somebody else's in `region`."""
    return not _is_not_anothers(caller.digits, caller, region)


def _is_not_anothers(spelling: str, caller: PhoneNumber, region: str) -> bool:
    return _read(spelling, region) in {caller, None}


def _read(spelling: str, region: str) -> PhoneNumber | None:
    try:
        return PhoneNumber.parse(spelling, region)
    except InvalidNumber:
        return None
