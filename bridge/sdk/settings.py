"""The kinds of values that settings are made of, the same in the core and in every connector."""

import math
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any

from phonenumbers import SUPPORTED_REGIONS
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from bridge.sdk.disk.own_file import Mark
from bridge.sdk.phone.countries import region_meant

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"\s*(?P<amount>[0-9]+(?:\.[0-9]+)?)\s*(?P<unit>[a-z]*)\s*", re.ASCII)
_DECIMAL_COMMA = re.compile(r"\s*[0-9]+,[0-9]")
_NO_DURATION = re.compile(r"\s*0+(\.0+)?\s*(ms|s|m|h|d)?\s*")
_LONGEST_DURATION = 366 * 86400.0
_DURATION_HELP = "write a duration with its unit, such as 500ms, 1.8s, 5m, 24h or 7d"

_SIZES = {"": 1, "b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "kib": 1024, "mib": 1024**2, "gib": 1024**3}
_SIZE = re.compile(r"\s*(?P<amount>[0-9]+)\s*(?P<unit>[a-z]*)\s*", re.ASCII | re.IGNORECASE)

_VARIABLE = r"(?:[A-Z][A-Z0-9_]*|[a-z][a-z0-9]*_[a-z0-9_]*)"
_UNFILLED = re.compile(rf"\${_VARIABLE}|%{_VARIABLE}%|\{{\{{\s*{_VARIABLE}\s*\}}\}}")
"""Names like those of variables alone; other texts with such signs may well be passwords."""


def parse_duration(value: object) -> float:
    """Return a duration in seconds from what stands in the YAML: a text with a unit, or a bare number of seconds.

    Raises ValueError for nothing, zero, a negative or an endless duration, and for anything that is none.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError(_DURATION_HELP)  # noqa: TRY004 - pydantic takes only ValueError for a complaint
    text = str(value)
    found = _DURATION.fullmatch(text)
    if text.lstrip().startswith("-"):
        raise ValueError(f"a duration cannot be negative: {_DURATION_HELP}")
    if _DECIMAL_COMMA.match(text):
        raise ValueError(f"a fraction has a point, not a comma: {_DURATION_HELP}")
    if not found or found["unit"] not in {"", *_UNITS}:
        raise ValueError(_DURATION_HELP)
    seconds = float(found["amount"]) * _UNITS.get(found["unit"], 1.0)
    if seconds == 0:
        raise ValueError(f"a duration of 0 would mean no time at all: {_DURATION_HELP}")
    if not math.isfinite(seconds) or seconds > _LONGEST_DURATION:
        raise ValueError(f"longer than a year: {_DURATION_HELP}")
    return seconds


def parse_duration_or_none(value: object) -> float:
    """Return a duration as `parse_duration` does, where 0 turns something off."""
    return 0.0 if _NO_DURATION.fullmatch(str(value)) else parse_duration(value)


def parse_size(value: object) -> int:
    """Return a number of bytes from a text with a unit (`2MB`, `512KiB`) or a bare number of bytes.

    Raises ValueError for zero and for anything that is no size.
    """
    found = None if isinstance(value, bool) else _SIZE.fullmatch(str(value))
    if not found or found["unit"].lower() not in _SIZES or int(found["amount"]) == 0:
        raise ValueError("write a size with its unit, such as 512KiB or 2MB")
    return int(found["amount"]) * _SIZES[found["unit"].lower()]


def written_duration(seconds: float) -> str:
    """Return a duration as an admin writes it: `5s`, `1.8s`, `500ms`, `10m`."""
    for unit in ("d", "h", "m"):
        if seconds >= _UNITS[unit] and seconds % _UNITS[unit] == 0:
            return f"{seconds / _UNITS[unit]:g}{unit}"
    return f"{seconds:g}s" if seconds >= 1 else f"{seconds * 1000:g}ms"


def written_size(size: int) -> str:
    """Return a number of bytes as an admin writes it: `2MB`, `512KiB`."""
    units = ("GiB", "GB", "MiB", "MB", "KiB", "KB")
    unit = next((unit for unit in units if size % _SIZES[unit.lower()] == 0), "")
    return f"{size // _SIZES[unit.lower()]}{unit}"


_DURATIONS = (parse_duration, parse_duration_or_none)


def is_duration(metadata: Iterable[object]) -> bool:
    """Tell whether a field with these metadata is a `Duration`."""
    return any(isinstance(reader, BeforeValidator) and reader.func in _DURATIONS for reader in metadata)


def written(value: object, metadata: Iterable[object]) -> str:
    """Return the value of a setting as it stands in the YAML; `metadata` are its field's."""
    metadata = tuple(metadata)
    readers = [reader.func for reader in metadata if isinstance(reader, BeforeValidator)]
    if is_duration(metadata) and isinstance(value, (int, float)):
        return written_duration(value)
    if parse_size in readers and isinstance(value, int):
        return written_size(value)
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


Duration = Annotated[
    float, BeforeValidator(parse_duration), WithJsonSchema({"type": ["string", "number"], "examples": ["1.8s", "5m"]})
]
"""Seconds; written with a unit in the YAML. Never 0, negative or endless."""

DurationOrNone = Annotated[
    float,
    BeforeValidator(parse_duration_or_none),
    WithJsonSchema({"type": ["string", "number"], "examples": ["0", "5m"]}),
]
"""The same, where 0 turns something off."""

Size = Annotated[int, BeforeValidator(parse_size), WithJsonSchema({"type": ["string", "integer"], "examples": ["2MB"]})]
"""Bytes; written with a unit in the YAML. Never 0."""


def parse_switch(value: object) -> bool:
    """Return true or false, also from the texts that `${…}` may stand for; raises ValueError for `yes`, `on` or 1."""
    if value is True or value == "true":
        return True
    if value is False or value == "false":
        return False
    raise ValueError("has to be true or false")


Switch = Annotated[bool, BeforeValidator(parse_switch)]
"""True or false, and nothing that merely looks like it."""


def refuse_unfilled(text: str) -> None:
    """Raise ValueError if a text, which is meant to be a secret, is a variable as other programs write them."""
    if _UNFILLED.fullmatch(text):
        raise ValueError("a variable of the environment is written ${CRM_TOKEN}, for example")


def parse_network(value: object) -> IPv4Network | IPv6Network:
    """Return a network from its text, such as `10.0.0.0/8`; an address alone is a network of one.

    Raises ValueError for anything that is none, and for an address in a network where the network is needed.
    """
    try:
        return ip_network(str(value))
    except ValueError:
        pass
    try:
        meant = ip_network(str(value), strict=False)
    except ValueError:
        raise ValueError("has to be an address or a network, such as 203.0.113.7 or 10.0.0.0/8") from None
    raise ValueError(f"names one address in a network: did you mean {meant}?")


Network = Annotated[
    IPv4Network | IPv6Network,
    BeforeValidator(parse_network),
    WithJsonSchema({"type": "string", "examples": ["203.0.113.7", "10.0.0.0/8"]}),
]
"""Addresses that belong together; written as one address or with a length."""


class OneOrMore:
    """Marks a list that may be written as a single value: `Annotated[list[Text], OneOrMore()]`."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401
        """Take what is no list for a list of one."""
        return core_schema.no_info_before_validator_function(
            lambda value: value if isinstance(value, list) else [value], handler(source)
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Allow editors both."""
        found = handler(schema)
        return {"anyOf": [found["items"], found]}


Text = Annotated[str, Field(min_length=1)]
"""A text that may not be empty. A whole number in the YAML counts as the text that was written."""


def _beside_the_configuration(path: Path, info: ValidationInfo) -> Path:
    text = str(path)
    for form, told in _NO_PATHS:
        if form.match(text):
            raise ValueError(told)
    directory = (info.context or {}).get("directory")
    return path if directory is None else Path(directory) / path


_NO_PATHS = (
    (re.compile(r".*\s\Z", re.DOTALL), "ends with a blank: take it out"),
    (re.compile("~"), "~ is not filled in: write the whole path, such as /home/lan/customers.csv"),
    (
        re.compile(r"[A-Za-z]:[\\/]|\\\\"),
        "is a path of Windows: write where the file is on this machine, such as /srv/customers.csv",
    ),
    (re.compile(r"file:", re.IGNORECASE), "write the path alone, without file:"),
    (re.compile(r"[a-z][a-z0-9+.-]*:/", re.IGNORECASE), "is an address: a file of this machine has to stand here"),
)

LocalPath = Annotated[Path, AfterValidator(_beside_the_configuration)]
"""A file or folder; a relative one is looked for beside the configuration file."""


@dataclass(frozen=True, slots=True)
class Written:
    """Marks a setting with a path at which the service writes: `Annotated[LocalPath | None, Written(mark)]`.

    `mark` tells its files from anybody else's, which are never touched; `beside` are the endings of what is written
    beside it. Two settings may name the same file only if the setting `shared_by` beside each has one value.
    """

    mark: Mark
    beside: tuple[str, ...] = ()
    shared_by: str = ""


def state_file(name: str, environment: Mapping[str, str] = os.environ) -> Path:
    """Return where a file is kept whose place the configuration leaves open: where systemd says, else beside it.

    Source: https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#RuntimeDirectory=
    """
    return Path(environment.get("STATE_DIRECTORY", "")) / name


def _country(text: str) -> str:
    if text not in SUPPORTED_REGIONS:
        meant = region_meant(text)
        advice = f"write {meant}" if meant in SUPPORTED_REGIONS else "write VN for Vietnam"
        raise ValueError(f"is no country's code, which has two capital letters (ISO 3166): {advice}")
    return text


def _country_of_the_configuration(text: str, info: ValidationInfo) -> str:
    return _country(text) if text else str((info.context or {}).get("region", "VN"))


Region = Annotated[str, AfterValidator(_country)]
"""A country's code of two letters (ISO 3166), as libphonenumber knows it."""

SourceRegion = Annotated[str, AfterValidator(_country_of_the_configuration), Field(validate_default=True)]
"""The country of a source's numbers; an empty default stands for the configuration's `phone.region`."""


def located(place: tuple[str | int, ...], problem: str) -> ValidationError:
    """Return the complaint as pydantic collects it: `place` leads from the model that raises it to the key."""
    error = PydanticCustomError("located", "{problem}", {"problem": problem})
    return ValidationError.from_exception_data(
        "settings", [InitErrorDetails(type=error, loc=place, input=None)], hide_input=True
    )
