"""What the parameters of a query stand for: spellings of the caller's number, none of which is somebody else's.

Such a caller is asked for with `+` or `00` alone. Even these are lost where a database takes texts for numbers, as
MariaDB and SQLite do for a column of numbers: so what is found for such a caller has to be compared again.
"""

from collections.abc import Mapping

from bridge.sdk import PhoneNumber
from bridge.sdk.phone import OwnSpellings


def values_for(caller: OwnSpellings, hotline: PhoneNumber | None) -> Mapping[str, object]:
    """Return what every parameter stands for; None, which equals nothing in SQL, where there is no such spelling.

    The national spellings of another country's number are left out even if they are nobody's here yet; those that it
    has at home find somebody of here as well, and are for queries that return the country.
    """
    number, legacy = caller.number, caller.number.legacy
    return {
        "e164": number.e164,
        "digits": None if is_anothers_without_plus(caller) else number.e164[1:],
        "national": caller.national or None,
        "nsn": caller.nsn or None,
        "legacy": (legacy if caller.is_nobody_elses(legacy) else "") or None,
        "interleaved": caller.interleaved,
        "forms": [form for form in number.forms if caller.is_nobody_elses(form)],
        "national_at_home": number.national_at_home,
        "nsn_at_home": number.nsn_at_home,
        "hotline": hotline.e164 if hotline else None,
    }


def is_anothers_without_plus(caller: OwnSpellings) -> bool:
    """Tell whether the number, its `+` lost, would be somebody else's."""
    return not caller.is_nobody_elses(caller.number.e164[1:])
