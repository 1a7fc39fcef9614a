"""Looks at one customers' file that a browser has sent to the console: a process of its own, which keeps nothing.

Why not in the console, and why not in the service? The console opens no connector, so that no file can bring it down; a
file that somebody only wants to look at is none of the service's business, whose memory and time are the callers'. So
the console starts this, and this reads the file by the connector that would read it from the disk: the same columns are
found and the same words told as by `omi-bridge check`. Whatever the file does ends with this process: it has so much
memory, so many seconds, is the first that is stopped for want of memory, and may not write a byte to any file.

`python -m bridge.insight.look_child DESCRIPTOR` hears by its standard input what is wanted, and says what it found in
one line of JSON. What it says is masked: it shows no telephone number by more than three digits.
"""

import json
import re
import resource
import signal
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from bridge.config.content import Content
from bridge.config.loading import load_config
from bridge.insight.line_mask import LineMask
from bridge.sdk.connector import Attention
from bridge.sdk.disk.file_kind import WORKBOOKS, kind_of
from bridge.sdk.errors import ConfigError, SourceError
from bridge.sdk.secrets import Redaction
from bridge.sdk.tables import AnyTable, Customers

SECONDS = 45
"""After how many a look is given up: before a proxy does, which waits for a minute."""

MEMORY = 1 << 30
"""Bytes of address space; what reads a workbook has a limit of its own."""

_FIRST_ROWS, _MOST_COLUMNS, _LONGEST = 10, 60, 80
_SAMPLE = 4096
_FEWEST_MASKED = 6
_PLAIN_NAME = re.compile(r"[^\W_][\w .()+,-]{0,80}\.[a-z]{3,4}", re.IGNORECASE)
_KEY = "x" * 32
"""What stands for the key of OMICall while the lines are checked."""

_mask = LineMask(Redaction())


def main() -> None:
    """Look at the file whose descriptor is given."""
    wanted = json.load(sys.stdin)
    limit()
    try:
        found = look(int(sys.argv[1]), wanted)
    except MemoryError:
        found = {"failed": "look-memory"}
    except Exception as error:  # noqa: BLE001 - what is in the file stands in no log, so the place has to do
        place = traceback.extract_tb(error.__traceback__)[-1]
        found = {"failed": "bug", "bug": f"{type(error).__name__} in {Path(place.filename).name}:{place.lineno}"}
    print(json.dumps(found))  # noqa: T201 - the console listens


def limit() -> None:
    """Let this process come to an end whatever happens in it, and leave nothing behind."""
    with suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as score:  # noqa: PTH123
        score.write("1000")
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY if most == resource.RLIM_INFINITY else min(MEMORY, most), most))
    for forbidden in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
        resource.setrlimit(forbidden, (0, 0))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)


def look(descriptor: int, wanted: Mapping[str, str]) -> dict[str, object]:
    """Return what the connector makes of the file, or why it cannot be read, and the lines for the configuration."""
    path, name = Path(f"/proc/self/fd/{descriptor}"), wanted["name"]
    kind = _type_of(path, name)
    settings = _settings(kind, wanted)
    lines = yaml.safe_dump(
        {"connectors": {"customers": settings}}, allow_unicode=True, sort_keys=False, default_flow_style=None, width=200
    )
    told: dict[str, object] = {
        **dict.fromkeys(("columns", "read", "first", "report"), ()),
        **dict.fromkeys(("header", "more_columns"), 0),
        "type": kind,
        "yaml": lines,
        "form": {},
    }
    if any("${" in value for value in wanted.values()):
        return told | {"problem": "write it as it is, without ${…}"}
    try:
        connector: Any = _connector(lines, wanted["region"])
        with connector.opened(path, name) as table:
            told |= {"columns": [_cut(header) for header in table.columns[:_MOST_COLUMNS]]}
            told |= {"more_columns": max(0, len(table.columns) - _MOST_COLUMNS), "header": table.header}
            told |= {"form": {key: _cut(value) for key, value in table.form.items()}}
            return told | _told(table, connector.customers_in(table, _FIRST_ROWS))
    except ConfigError as error:
        return told | {"problem": "; ".join(_mask(one.message) for one in error.problems)}
    except SourceError as error:
        return told | {"problem": _mask(str(error))}


def _type_of(path: Path, name: str) -> str:
    """Return the type of the connector that reads the file: by its content, and by its name if that tells nothing."""
    with path.open("rb") as file:
        kind, beginning = kind_of(file), file.read(_SAMPLE)
    is_text = kind is None and beginning and b"\0" not in beginning
    if (kind and kind.is_workbook) or (name.lower().endswith(WORKBOOKS) and not is_text):
        return "xlsx"
    return "csv"


def _settings(kind: str, wanted: Mapping[str, str]) -> Mapping[str, object]:
    """Return the connector's settings; a name that would look odd in a path is replaced by a usual one."""
    name = wanted["name"]
    usual = f"customers.{kind}"
    columns = {meaning: wanted[meaning] for meaning in ("phone", "owner") if wanted[meaning]}
    return {
        "type": kind,
        "path": name if _PLAIN_NAME.fullmatch(name) else usual,
        **({"sheet": wanted["sheet"]} if kind == "xlsx" and wanted["sheet"] else {}),
        **({"columns": columns} if columns else {}),
    }


def _connector(lines: str, region: str) -> object:
    """Make the connector of these lines, checked as a file is. Raises ConfigError."""
    text = f"api_keys: [{_KEY}]\nphone: {{region: {json.dumps(region)}}}\n{lines}"
    config = load_config(Path("config.yaml"), {}, content=Content(text.encode(), {}, {}))
    source = config.sources["customers"]
    return source.connector(source.config)


def _told(table: AnyTable, customers: Customers) -> dict[str, object]:
    """Say what was read: which column is what, how much, the first rows, and what of it cannot be used."""
    layout = customers.layout
    meanings = {
        **dict.fromkeys(layout.countries, "country"),
        **{at: meaning for meaning, at in layout.owner.items()},
        **dict.fromkeys(layout.phones, "phone"),
    }
    read = sorted(meanings)
    return {
        "problem": "",
        "read": [{"header": _cut(table.columns[at]), "meaning": meanings[at]} for at in read],
        "rows": customers.ending.rows,
        "numbers": len(customers.index),
        "owners": len(customers.rows_of),
        "first": [{"line": line, "cells": list(_cells(cells, meanings, read))} for line, cells in customers.first],
        "report": [{"text": _mask(line), "attention": isinstance(line, Attention)} for line in customers.summary()],
    }


def _cells(cells: Sequence[str], meanings: Mapping[int, str], read: Sequence[int]) -> Iterator[str]:
    """Give what stands in the columns that are read, of a number its last three digits."""
    for at in read:
        text = _cut(cells[at])
        digits = re.sub(r"…\d+|\D", "", text)
        yield f"…{digits[-3:]}" if meanings[at] == "phone" and len(digits) >= _FEWEST_MASKED else text


def _cut(text: str) -> str:
    line = _mask(" ".join(text.split()))
    return f"{line[:_LONGEST]}…" if len(line) > _LONGEST else line


if __name__ == "__main__":
    main()
