import time
import zipfile
from io import BytesIO

import pytest

from bridge.sdk.disk.file_kind import kind_of


def packed(*names: str) -> bytes:
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), "x")  # without the time, which would be another in each process
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (packed("[Content_Types].xml", "xl/workbook.xml"), "an Excel workbook"),
        (packed("[Content_Types].xml", "xl/workbook.xml")[:60], "an Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook"),
        (packed("mimetype", "content.xml"), "a LibreOffice document (such as .ods)"),
        (packed("Index/Document.iwa"), "an Apple Numbers document"),
        (packed("word/document.xml"), "a Word document"),
        (packed("customers.csv"), "a ZIP archive"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"\x1f\x8b\x08\x00", "compressed"),
        (b"BZh91AY", "compressed"),
        (b"7z\xbc\xaf\x27\x1c", "compressed"),
        (b"SQLite format 3\0", "a database of SQLite"),
        (b"\x89PNG\r\n", "a picture"),
        (b"ID;PWXL;N;E\r\nP;PGeneral\r\n", "a SYLK file (.slk)"),
        (rb"{\rtf1\ansi", "a formatted text (RTF)"),
        (
            b'<?xml version="1.0"?>\n<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
            "an XML Spreadsheet",
        ),
        (b'\xef\xbb\xbf<?xml version="1.0"?><customers>', "XML"),
        (b"\n\n<!DOCTYPE html>", "a web page (HTML)"),
        ("<TABLE>".encode("utf-16"), "a web page (HTML)"),
        (b"<!-- a -->\n<!-- b --> <html>", "a web page (HTML)"),
        (b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "x">', "a web page (HTML)"),
        (b'\n<script>location = "/login"</script>', "a web page (HTML)"),
        ('<div class="error">Bạn không có quyền</div>'.encode(), "a web page (HTML)"),
        (b"BEGIN:VCARD\r\n", "a file of contacts (vCard)"),
    ],
)
def test_a_file_is_known_by_how_it_begins(content, name):
    file = BytesIO(content)
    found = kind_of(file)
    assert found is not None
    assert found.name == name
    assert file.tell() == 0


@pytest.mark.parametrize("content", [b'{"customers": []}', b'[\n  {"phone": "0901234567"}]'])
def test_json_is_told_from_a_table_where_it_is_no_configuration(content):
    found = kind_of(BytesIO(content), also_json=True)
    assert found is not None
    assert found.name == "JSON"
    assert kind_of(BytesIO(content)) is None


@pytest.mark.parametrize(
    "content", [b"", b"phone,owner\n", b"<b>phone</b>,owner\n", b"[phone],owner\n", b"ID;phone;owner\n", b"PK,phone\n"]
)
def test_a_table_is_left_to_be_read(content):
    assert kind_of(BytesIO(content), also_json=True) is None


@pytest.mark.parametrize("content", [b"<phone>,<owner>\n", b"<!-- -->" * 500 + b"x", b"<data>", b"<p1>;<p2>"])
def test_what_merely_begins_like_a_page_is_none_and_told_at_once(content):
    began = time.monotonic()
    assert kind_of(BytesIO(content)) is None
    assert time.monotonic() - began < 1
