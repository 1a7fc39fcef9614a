"""A small workbook in Excel's binary form ([MS-XLSB]), which no program at hand writes: one sheet, cells as told."""

import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path

_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OF_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_NULL_STYLE = b"\0\0\0\0"
Cell = tuple[int, bytes]
"""The kind of its record, and what stands there behind the column."""

_ERRORS = {"#NULL!": 0x00, "#DIV/0!": 0x07, "#VALUE!": 0x0F, "#REF!": 0x17, "#NAME?": 0x1D, "#NUM!": 0x24, "#N/A": 0x2A}


def write_xlsb(path: Path, rows: Sequence[Sequence[Cell]]) -> Path:
    """Write a sheet `KH` of such cells; `text`, `rich` and the like make them."""
    cells = b"".join(
        record(0, struct.pack("<I", at) + bytes(13))
        + b"".join(record(kind, struct.pack("<I", column) + said) for column, (kind, said) in enumerate(row))
        for at, row in enumerate(rows)
    )
    size = struct.pack("<IIII", 0, len(rows), 0, max(map(len, rows)))
    sheet = record(129) + record(148, size) + record(145) + cells + record(146) + record(130)
    book = record(131) + record(143) + record(156, struct.pack("<II", 0, 1) + wide("rId1") + wide("KH")) + record(144)
    relation = '<Relationship Id="rId1" Type="{}/{}" Target="{}"/>'
    relations = f'<Relationships xmlns="{_RELATIONS}">{relation}</Relationships>'
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{_TYPES}"/>')
        archive.writestr("_rels/.rels", relations.format(_OF_OFFICE, "officeDocument", "xl/workbook.bin"))
        archive.writestr("xl/workbook.bin", book + record(132))
        archive.writestr(
            "xl/_rels/workbook.bin.rels", relations.format(_OF_OFFICE, "worksheet", "worksheets/sheet1.bin")
        )
        archive.writestr("xl/worksheets/sheet1.bin", sheet)
    return path


def text(said: str) -> Cell:
    """Make a cell with a text of its own (BrtCellSt)."""
    return 6, (_NULL_STYLE + wide(said))


def rich(said: str, runs: int = 1) -> Cell:
    """Make a cell with a text of its own in several fonts (BrtCellRString)."""
    tail = struct.pack("<I", runs) + struct.pack("<HH", 0, 1) * runs
    return 62, (_NULL_STYLE + b"\1" + wide(said) + tail)


def error(said: str) -> Cell:
    """Make a cell with an error (BrtCellError)."""
    return 3, (_NULL_STYLE + bytes((_ERRORS[said],)))


def formula_error(said: str) -> Cell:
    """Make a cell with a formula that yields an error (BrtFmlaError)."""
    return 11, (_NULL_STYLE + bytes((_ERRORS[said],)) + b"\0\0" + struct.pack("<II", 0, 0))


def number(value: float) -> Cell:
    """Make a cell with a number (BrtCellReal)."""
    return 5, (_NULL_STYLE + struct.pack("<d", value))


def wide(said: str) -> bytes:
    """Write a text as [MS-XLSB] 2.5.169 does."""
    return struct.pack("<I", len(said)) + said.encode("utf-16-le")


def record(kind: int, content: bytes = b"") -> bytes:
    """Write a record: its kind and its length in groups of seven bits ([MS-XLSB] 2.1.4)."""
    head = bytes((kind,)) if kind < 0x80 else bytes((kind & 0x7F | 0x80, kind >> 7))
    length = len(content)
    size = bytes((length,)) if length < 0x80 else bytes((length & 0x7F | 0x80, length >> 7))
    return head + size + content
