"""Reads one workbook in a process of its own, so that no file can take the service with it.

Five kilobytes may say that a cell stands in XFD1048576, and hundreds of gigabytes would be laid out for the blank ones
before it; a zip may hold a thousand times its size; and what a library does with a damaged file nobody knows. All of
that ends this process: by its limit of memory, by its clock, or as the first that the system stops for want of memory.

`python workbook_child.py DESCRIPTOR BYTES SECONDS` talks with its starter in lines of JSON: it says which sheets there
are, is told which to open, gives the first rows of each, is told which to read, and gives its rows, each with its
number as Excel shows it, and `null` at the end. If nothing can be read, it says why in one word.
"""

import io
import json
import os
import re
import resource
import signal
import sys
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime, time, timedelta

import python_calamine

_ROWS_AHEAD = 50
_MOST_COLUMNS = 1000
_LONGEST_CELL = 32767  # characters, which is Excel's own limit
_MOST_EXACT = 1e15  # above, Excel itself has lost figures
_OLE = b"\xd0\xcf\x11\xe0"
_ENCRYPTED = re.compile(
    re.escape("EncryptedPackage".encode("utf-16-le"))  # [MS-OFFCRYPTO] 2.3.4.4, in the container's list of streams
    # [MS-XLS] 2.1.7.20.3: BOF, of Excel 97 or 95, WriteProtect, FilePass
    + rb"|\x09\x08(?:\x10\0\0\x06.{14}|\x08\0\0\x05.{6})(?:\x86\0\0\0)?\x2f\0",
    re.DOTALL,
)

_EXCEL_ERROR = re.compile(rb"""(<(?:\w+:)?c\s[^>]*?\bt\s*=\s*["'])e(["'])""")
_EXCEL_FORMULA = re.compile(
    rb"<((?:\w+:)?)c(\s[^>]*)>\s*<\1f\b(?:[^>]*/>|[^>]*>[^<]*</\1f>)\s*(?:<\1v\s*/>|<\1v\s*>\s*</\1v>)?\s*</\1c>"
)
_TYPED = re.compile(rb"""\st\s*=\s*["'](?!n["'])""")
_NEVER_COMPUTED = b"=FORMULA()"
_OPEN_ERROR = re.compile(rb"""<table:table-cell\s[^>]*calcext:value-type="error"[^>]*>""")
_OPEN_TEXT = b'office:string-value="#ERROR!"'

_Row = tuple[int, list[str]]


class _RefusedError(Exception):
    """The workbook cannot be read; the message is the word that says why."""


def _limit(memory: int, seconds: float) -> None:
    """Let this process come to an end whatever happens in it, leaving nothing of what it read."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
    signal.setitimer(signal.ITIMER_REAL, seconds)
    with suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as score:  # noqa: PTH123
        score.write("1000")


def _checked(content: bytes) -> bytes:
    """Return the workbook with its errors as texts. Raise if it is protected, or is not as whole as it was written."""
    if content.startswith(_OLE):
        if _ENCRYPTED.search(content):
            raise _RefusedError("password")
        return content
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        if archive.testzip() is not None:
            raise _RefusedError("damaged")
        with suppress(KeyError):
            if b"encryption-data" in archive.read("META-INF/manifest.xml"):  # OpenDocument 1.3, part 2, 4.8.4
                raise _RefusedError("password")
        return _with_errors(archive) or content
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError):
        raise _RefusedError("damaged") from None


def _with_errors(archive: zipfile.ZipFile) -> bytes | None:
    """Return the workbook with a text where a formula yields an error, or was never computed; None if none does.

    The library makes blanks of both, and of errors that it does not know a file that cannot be read.
    """
    changed = {}
    for entry in archive.infolist():
        if change := next((change for name, change in _CHANGES if name.fullmatch(entry.filename)), None):
            before = archive.read(entry)
            if (after := change(before)) != before:
                changed[entry.filename] = after
    if not changed:
        return None
    new = io.BytesIO()
    with zipfile.ZipFile(new, "w") as copy:
        for entry in archive.infolist():
            copy.writestr(entry.filename, changed.get(entry.filename) or archive.read(entry))
    return new.getvalue()


def _of_excel(sheet: bytes) -> bytes:
    if b'"e"' in sheet or b"'e'" in sheet:
        sheet = _EXCEL_ERROR.sub(rb"\1str\2", sheet)
    if b"<f" in sheet or b":f" in sheet:
        sheet = _EXCEL_FORMULA.sub(_never_computed, sheet)
    return sheet


def _never_computed(cell: re.Match[bytes]) -> bytes:
    """Return a cell that has a formula and nothing that it yields; a text that it yields may be blank."""
    prefix, attributes = cell[1], cell[2]
    if _TYPED.search(attributes):
        return cell[0]
    return b'<%bc%b t="str"><%bv>%b</%bv></%bc>' % (prefix, attributes, prefix, _NEVER_COMPUTED, prefix, prefix)


def _of_excel_binary(sheet: bytes) -> bytes:
    """Make texts of errors and of what has several fonts, which the library passes over ([MS-XLSB] 2.1.4, 2.4)."""
    parts: list[bytes] = []
    at = done = 0
    while at < len(sheet):
        begin, kind = at, sheet[at] & 0x7F
        if sheet[at] & 0x80:
            at += 1
            kind |= sheet[at] << 7
        length, at = _length(sheet, at + 1)
        if kind in _BINARY_TEXTS:
            cell = sheet[at : at + length]
            content = cell[:8] + _BINARY_TEXTS[kind](cell)
            parts += [sheet[done:begin], bytes((_PLAIN_TEXT,)), _written_length(len(content)), content]
            done = at + length
        at += length
    return b"".join((*parts, sheet[done:])) if parts else sheet


def _length(record: bytes, at: int) -> tuple[int, int]:
    """Return a length, which stands in groups of seven bits, and where it ends."""
    length = 0
    for shift in (0, 7, 14, 21):
        length |= (record[at] & 0x7F) << shift
        at += 1
        if record[at - 1] < 0x80:  # noqa: PLR2004 - no more groups
            break
    return length, at


def _written_length(length: int) -> bytes:
    groups = [length >> shift & 0x7F for shift in (0, 7, 14, 21) if length >> shift]
    return bytes((*(group | 0x80 for group in groups[:-1]), groups[-1]))


def _rich_text(cell: bytes) -> bytes:
    """Return the text of a BrtCellRString without its fonts."""
    return cell[9 : 13 + 2 * int.from_bytes(cell[9:13], "little")]


def _binary_error(cell: bytes) -> bytes:
    """Return what Excel shows for a BrtCellError or BrtFmlaError."""
    text = _BINARY_ERRORS.get(cell[8], "#ERROR!")
    return len(text).to_bytes(4, "little") + text.encode("utf-16-le")


def _of_libreoffice(content: bytes) -> bytes:
    return _OPEN_ERROR.sub(lambda cell: cell[0].replace(b'office:string-value=""', _OPEN_TEXT), content)


def _text(cell: object) -> str:
    """Return what a cell says, a number without what Excel shows around it."""
    if isinstance(cell, str):
        if "\0" in cell:
            cell = _without_nulls(cell)
        return unicodedata.normalize("NFC", cell[:_LONGEST_CELL]).strip()
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < _MOST_EXACT else f"{cell:.15g}"
    if isinstance(cell, datetime):  # at midnight it is a day, for Excel does not tell them apart
        return cell.isoformat(" ", "minutes") if cell.time() != time.min else cell.date().isoformat()
    if isinstance(cell, timedelta):
        return _text(cell / timedelta(days=1))
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)


def _without_nulls(text: str) -> str:
    """Return a text without what fills up a width. Raise if every other sign is one: letters were taken for halves.

    The library does that with long tables in .xls (https://github.com/tafia/calamine/issues/229).
    """
    if len(text) > 3 and {"\0"} in (set(text[::2]), set(text[1::2])):  # noqa: PLR2004 - two letters
        raise _RefusedError("unreadable")
    return text.replace("\0", "")


def _rows(sheet: python_calamine.CalamineSheet) -> Iterator[_Row]:
    """Give the rows that are not blank; a cell that is merged downwards stands in each row that it covers."""
    left = sheet.start[1] if sheet.start else 0
    ends = {
        (top, column - left): bottom for (top, column), (bottom, _) in sheet.merged_cell_ranges or () if bottom > top
    }
    going_on: dict[int, tuple[int, str]] = {}
    tops = {top for top, _ in ends}
    for at, cells in enumerate(sheet.iter_rows()):
        row = [_text(cell) for cell in cells[:_MOST_COLUMNS]]
        for column, (bottom, text) in [*going_on.items()]:
            if at <= bottom:
                row[column] = text
            else:
                del going_on[column]
        if at in tops:
            going_on |= {
                column: (ends[at, column], text) for column, text in enumerate(row) if text and (at, column) in ends
            }
        while row and not row[-1]:
            row.pop()
        if row:
            yield at + 1, row


_PLAIN_TEXT = 6
_BINARY_TEXTS = {3: _binary_error, 11: _binary_error, 62: _rich_text}
"""What becomes of a cell, by the number of its record."""
_BINARY_ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}
_CHANGES = (
    (re.compile(r"(?:.*[/\\])?[^/\\]*sheet[^/\\]*\.xml", re.IGNORECASE), _of_excel),
    (re.compile(r"(?:.*[/\\])?[^/\\]*sheet[^/\\]*\.bin", re.IGNORECASE), _of_excel_binary),
    (re.compile(r"content\.xml"), _of_libreoffice),
)
"""What is changed in a workbook before the library reads it, by the names of its parts."""


def _first(rows: Iterator[_Row]) -> list[_Row]:
    return [row for row, _ in zip(rows, range(_ROWS_AHEAD), strict=False)]


def _said(what: object) -> None:
    print(json.dumps(what), flush=True)  # noqa: T201 - the other side listens


def _told() -> Sequence[str]:
    names: Sequence[str] = json.loads(sys.stdin.readline() or "[]")
    return names


def _read(descriptor: int) -> None:
    with os.fdopen(descriptor, "rb") as file:
        file.seek(0)  # the starter has looked at its beginning
        content = file.read()
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(_checked(content)))
    kinds = [one for one in book.sheets_metadata if one.typ == python_calamine.SheetTypeEnum.WorkSheet]
    _said([(one.name, one.visible == python_calamine.SheetVisibleEnum.Visible) for one in kinds])
    sheets = {name: book.get_sheet_by_name(name) for name in _told()}
    heads = [
        (name, sheet.start[1] if sheet.start else 0, min(sheet.width, _MOST_COLUMNS), _first(_rows(sheet)))
        for name, sheet in sheets.items()
    ]
    signal.setitimer(signal.ITIMER_REAL, 0)  # from here on the starter sets the pace
    _said(heads)
    for name in _told():
        for row in _rows(sheets[name]):
            sys.stdout.write(f"{json.dumps(row)}\n")
        _said(None)


def main() -> None:
    """Read the workbook whose descriptor is given, within the limits that are given."""
    descriptor, memory, seconds = sys.argv[1:]
    _limit(int(memory), float(seconds))
    try:
        _read(int(descriptor))
    except _RefusedError as error:
        _said(str(error))
    except python_calamine.PasswordError:
        _said("password")
    except MemoryError:
        _said("memory")
    except BrokenPipeError:  # nobody wants to know any more
        os._exit(0)
    except BaseException:  # noqa: BLE001 - what panics in Rust is no Exception
        _said("unreadable")


if __name__ == "__main__":
    main()
