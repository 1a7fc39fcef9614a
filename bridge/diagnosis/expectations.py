"""What a rehearsal and `check` are given in files: callers, and what has to be answered to them.

YAML is written as in the configuration. CSV is written in Excel, so a semicolon and a tab separate cells as a comma
does, in every encoding that Excel has. A row that cannot be meant as it stands is refused with its line: passed over,
it would let a rehearsal pass.
"""

import csv
import re
from pathlib import Path

from bridge.config.expectations import Expectation, load_expectations
from bridge.sdk.errors import ConfigError, InvalidNumber, SourceError
from bridge.sdk.phone.spelling import dialled, is_withheld
from bridge.sdk.tables.text_file import TextFile

_BODY = re.compile(r"([0-9]+(:[0-9]+)*)?", re.ASCII)
_DIGIT = re.compile("[0-9]")
_YAML = {".yaml", ".yml"}
_SEPARATORS = ",;\t"
_REMEDY = "write NUMBER,EXTENSIONS such as 0901234567,101:102; nothing for nobody"


def callers_in(path: Path) -> list[str]:
    """Return the callers of a file, one a line; a line without a digit is a header. Raises ValueError."""
    found = [row[0] for _, row in _rows(path) if _DIGIT.search(row[0])]
    if not found:
        raise ValueError(f"{path.name} holds no number")
    return found


def expectations_in(path: Path, region: str) -> tuple[Expectation, ...]:
    """Return what a file expects, YAML by its name or else CSV, whose first row may be a header. Raises ValueError."""
    if path.suffix.lower() in _YAML:
        try:
            return load_expectations(path, region)
        except ConfigError as error:
            raise ValueError(str(error)) from None
    rows = _rows(path)
    if rows and not _DIGIT.search(rows[0][1][0]) and not is_withheld(rows[0][1][0]):
        del rows[0]
    if not rows:
        raise ValueError(f"{path.name} holds no number")
    return tuple(_expectation(path.name, line, row) for line, row in rows)


def _expectation(file: str, line: int, row: list[str]) -> Expectation:
    place = f"{file}:{line}"
    if len(row) != 2 or not _BODY.fullmatch(row[1]):  # noqa: PLR2004 - a number and an answer
        raise ValueError(f"{place}: {_REMEDY}")
    if not is_withheld(row[0]):
        try:
            dialled(row[0])
        except InvalidNumber as error:
            raise ValueError(f"{place}: no telephone number stands first: {error}; {_REMEDY}") from None
    return Expectation(f"row {line}", place, row[0], extensions=tuple(filter(None, row[1].split(":"))))


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Return the rows that are not blank, each with its line."""
    try:
        file = TextFile(path)
        try:
            lines = list(file)
        finally:
            file.close()
        first = next((line for line in lines if any(map(line.count, _SEPARATORS))), "")
        reader = csv.reader(lines, delimiter=max(_SEPARATORS, key=first.count))
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except (SourceError, csv.Error) as error:
        raise ValueError(str(error) if isinstance(error, SourceError) else f"{path.name}: {error}") from None
    return [(line, row) for line, row in rows if any(row)]
