"""What a file is that is given where a plain text is needed, recognised by how it begins.

Whoever chose the wrong file, or saved it in the wrong form, is told which it is and what to do with it, instead of
what is wrong with its first line.
"""

import re
import zipfile
from contextlib import suppress
from typing import BinaryIO, NamedTuple

TEXTS, WORKBOOKS = (".csv", ".txt"), (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
"""How the names of tables end that can be read; what they are is seen by their content."""

_SAMPLE = 4096


class FileKind(NamedTuple):
    """`name` with its article; `remedy` says how a table comes out of it; some are workbooks."""

    name: str
    remedy: str
    is_workbook: bool = False


_WORKBOOK = FileKind(
    "an Excel workbook", "write xlsx instead of csv in the configuration, or save it as CSV UTF-8", is_workbook=True
)
_IN_A_ZIP = (
    ("xl/", _WORKBOOK),
    (
        "content.xml",
        FileKind(
            "a LibreOffice document (such as .ods)",
            "write xlsx instead of csv in the configuration, or save it as CSV",
            is_workbook=True,
        ),
    ),
    ("index/", FileKind("an Apple Numbers document", "export it as CSV, in Unicode (UTF-8)")),
    ("index.zip", FileKind("an Apple Numbers document", "export it as CSV, in Unicode (UTF-8)")),
    ("word/", FileKind("a Word document", "save its table as CSV UTF-8 in Excel")),
)
_ZIP = FileKind("a ZIP archive", "unpack it, and name the CSV file in it")
_COMPRESSED = FileKind("compressed", "unpack it, and name the CSV file in it")
_PICTURE = FileKind("a picture", "export the table itself as CSV")
_BY_BYTES = (
    (b"\xd0\xcf\x11\xe0", _WORKBOOK),
    (b"%PDF-", FileKind("a PDF", "export the table as CSV from where the PDF was made")),
    (b"\x1f\x8b", _COMPRESSED),
    (b"BZh", _COMPRESSED),
    (b"\xfd7zXZ\0", _COMPRESSED),
    (b"\x28\xb5\x2f\xfd", _COMPRESSED),
    (b"7z\xbc\xaf\x27\x1c", _COMPRESSED),
    (b"Rar!", _COMPRESSED),
    (b"SQLite format 3\0", FileKind("a database of SQLite", "read it with type: sql, or export the table as CSV")),
    (b"\x89PNG", _PICTURE),
    (b"\xff\xd8\xff", _PICTURE),
)
_BEFORE = r"(?s:(?><\?xml.*?\?>)|(?><!--.*?-->)|\s)*+"  # atomic: what is made to be tried in all ways is not
_OF_A_PAGE = "html|head|body|table|script|style|meta|title|link|div|span|center|form|font|h[1-6]|p|br"
_BY_TEXT = (
    (r"ID;P[^\r\n]*[\r\n]+[A-Z];", FileKind("a SYLK file (.slk)", "open it in Excel and save it as CSV UTF-8")),
    (r"\{\\rtf", FileKind("a formatted text (RTF)", "save it as plain text, in UTF-8")),
    (rf"{_BEFORE}<(?:!doctype\s+html|{_OF_A_PAGE})\b", FileKind("a web page (HTML)", "export it as CSV")),
    (r"(?s)<\?xml.*office:spreadsheet", FileKind("an XML Spreadsheet", "open it in Excel and save it as CSV UTF-8")),
    (r"<\?xml", FileKind("XML", "export it as CSV")),
    (r"begin:vcard", FileKind("a file of contacts (vCard)", "export them as CSV")),
)
_JSON = (re.compile(r'\{\s*"|\[\s*[\[{]'), FileKind("JSON", "export it as CSV"))
_ANY = tuple((re.compile(form, re.IGNORECASE), kind) for form, kind in _BY_TEXT)


def kind_of(file: BinaryIO, *, also_json: bool = False) -> FileKind | None:
    """Return what the file is if it is clearly no plain text or table, and go back to its start."""
    sample = file.read(_SAMPLE)
    file.seek(0)
    if sample.startswith(b"PK\x03\x04"):
        return _in_a_zip(file)
    for start, kind in _BY_BYTES:
        if sample.startswith(start):
            return kind
    # A web page may be UTF-16, and may begin with a byte-order mark and blank lines.
    text = sample.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xfe\xff \t\r\n").decode("latin-1")
    forms = (*_ANY, _JSON) if also_json else _ANY
    return next((kind for form, kind in forms if form.match(text)), None)


def _in_a_zip(file: BinaryIO) -> FileKind:
    """Tell it by what is in it; one that is only half there is an Excel workbook, as nearly all are."""
    names: list[str] = []
    with suppress(zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        names = [name.lower().replace("\\", "/") for name in zipfile.ZipFile(file).namelist()]
    file.seek(0)
    if any(name.rpartition("/")[2] in {"workbook.xml", "workbook.bin"} for name in names):  # some stand at the top
        return _WORKBOOK
    known = (kind for part, kind in _IN_A_ZIP if any(name.startswith(part) for name in names))
    return next(known, _ZIP if names else _WORKBOOK)
