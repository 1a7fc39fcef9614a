"""Days and times as admins and Excel in Vietnam write them, in the local time of the machine.

The day comes first: `01/12/2026` is the first of December, also where an Excel set to American English meant January
the 12th. Nobody can tell one such date; a list that also holds `12/31/2026` gives it away (`is_month_first`).
Midnight is no time but what Excel adds to a day: `14/12/2026 0:00` is the whole day.
"""

import re
from contextlib import suppress
from datetime import date, datetime, time, timedelta

from bridge.sdk.settings import parse_duration
from bridge.sdk.words import fold

_DAY = re.compile(
    r"(?:(?P<y>[0-9]{4})(?P<s1>[-/.])(?P<m>[0-9]{1,2})(?P=s1)(?P<d>[0-9]{1,2})"
    r"|(?P<d2>[0-9]{1,2})(?P<s2>[-/.])(?P<m2>[0-9]{1,2})(?P=s2)(?P<y2>[0-9]{4}))"
    r"(?:(?:T|[\s,]+)(?P<time>[0-9].*))?",
    re.ASCII,
)
_TIME = re.compile(
    r"(?P<hour>[0-9]{1,2})(?:[:h](?P<minute>[0-9]{2})?(?::(?P<second>[0-9]{2})(?:\.0+)?)?)?\s*(?P<half>AM|PM|SA|CH)?",
    re.ASCII | re.IGNORECASE,
)
_NOON = 12
_DAYS_AGO = {"today": 0, "hom nay": 0, "yesterday": 1, "hom qua": 1}
_FIRST_YEAR, _LAST_YEAR = 2000, 2199
_HELP = "write a day as 2026-12-31 or 31/12/2026, and a time behind it as 13:30"


def parse_moment(text: str) -> date | datetime:
    """Return a day, or a day with a time; raises ValueError, saying what to write, for everything else."""
    found = _DAY.fullmatch(" ".join(text.split()))
    if not found:
        raise ValueError(f"is no day: {_HELP}; the year has four digits, and there is no time zone")
    year, month, day = (int(found[name] or found[f"{name}2"]) for name in ("y", "m", "d"))
    if found["d2"] and month > _NOON >= day:
        raise ValueError(f"has no such month: the day comes first: write {month:02}/{day:02}/{year}")
    try:
        if not _FIRST_YEAR <= year <= _LAST_YEAR:
            raise ValueError  # noqa: TRY301 - told like any other date that there is not
        whole = date(year, month, day)
        at = _time(found["time"]) if found["time"] else time()
        return datetime.combine(whole, at) if at != time() else whole
    except ValueError:
        raise ValueError(f"there is no such day or time: {_HELP}") from None


def parse_point(text: str, now: datetime) -> date | datetime:
    """Return a moment as somebody asks for it: a day, today or yesterday, a time of today, or so long ago as `2h`.

    Raises ValueError, saying what to write, for everything else.
    """
    word = fold(text)
    if word in _DAYS_AGO:
        return now.date() - timedelta(days=_DAYS_AGO[word])
    with suppress(ValueError):
        return now - timedelta(seconds=parse_duration(text))
    if ":" in text and _TIME.fullmatch(text.strip()):
        text = f"{now.date().isoformat()} {text.strip()}"
    try:
        return parse_moment(text)
    except ValueError as error:
        raise ValueError(f"{error}; or write today, yesterday, 13:30, 2h or 3d") from None


def is_month_first(text: str) -> bool:
    """Tell whether a date can only be American: its month comes first, and its day is no month."""
    return _in_either_order(text) == (False, True)


def may_be_month_first(text: str) -> bool:
    """Tell whether a date names another day if its month comes first."""
    return _in_either_order(text) == (True, True)


def begins(moment: date | datetime) -> datetime:
    """Return the instant from which something holds: a day begins at midnight."""
    return moment if isinstance(moment, datetime) else datetime.combine(moment, time())


def ends(moment: date | datetime) -> datetime:
    """Return the instant from which something holds no more: a day is over at the next midnight."""
    return moment if isinstance(moment, datetime) else datetime.combine(moment, time()) + timedelta(days=1)


def written(moment: date | datetime) -> str:
    """Return it as people read it: `2026-12-01`, `2026-12-01 13:30`."""
    return f"{moment:%Y-%m-%d %H:%M}" if isinstance(moment, datetime) else moment.isoformat()


def _time(text: str) -> time:
    found = _TIME.fullmatch(text)
    if not found:
        raise ValueError
    hour = int(found["hour"])
    if half := (found["half"] or "").upper():
        if not 1 <= hour <= _NOON:
            raise ValueError
        hour = hour % _NOON + (_NOON if half in {"PM", "CH"} else 0)
    return time(hour, int(found["minute"] or 0), int(found["second"] or 0))


def _in_either_order(text: str) -> tuple[bool, bool]:
    """Tell whether the first of two figures may be the day, and whether it may be the month, if that matters."""
    found = _DAY.fullmatch(" ".join(text.split()))
    if not found or not found["d2"] or found["d2"] == found["m2"]:
        return True, False
    first, second = int(found["d2"]), int(found["m2"])
    return second <= _NOON, first <= _NOON
