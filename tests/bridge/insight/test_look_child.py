"""What is said of a customers' file that is looked at: the connector's own words, and nobody's number."""

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bridge.insight.look_child import look
from bridge.starters import starter
from connectors.csv.connector import CsvConfig, CsvConnector
from connectors.xlsx.connector import XlsxConfig, XlsxConnector
from tests.support.documents import ROOT

WORKBOOKS = ROOT / "tests/workbooks"
LAN = b"phone,owner email,note\n0901234567 / 028 3812 3456,lan@congty.example,x\n"


def found(content, name="customers.csv", **wanted):
    descriptor = os.memfd_create("test")
    os.write(descriptor, content)
    asked = {"name": name, "region": "VN", "sheet": "", "phone": "", "owner": "", **wanted}
    try:
        return json.loads(json.dumps(look(descriptor, asked)))
    finally:
        os.close(descriptor)


def workbook(name):
    return (WORKBOOKS / name).read_bytes()


def test_a_text_is_told_with_its_columns_and_its_first_rows():
    rows = b"".join(b"09012345%02d,lan@congty.example,x\n" % at for at in range(20))
    told = found(LAN + rows)
    assert (told["problem"], told["type"], told["rows"], told["numbers"], told["owners"]) == ("", "csv", 21, 22, 1)
    assert told["form"] == {"encoding": "utf-8", "delimiter": ","}
    assert told["columns"] == ["phone", "owner email", "note"]
    assert told["read"] == [
        {"header": "phone", "meaning": "phone"},
        {"header": "owner email", "meaning": "email"},
    ]
    assert told["first"][0] == {"line": 2, "cells": ["…567 / …456", "lan@congty.example"]}
    assert [row["line"] for row in told["first"]] == [*range(2, 12)]
    assert told["yaml"] == "connectors:\n  customers: {type: csv, path: customers.csv}\n"


def test_a_workbook_is_told_with_its_sheet_and_its_header():
    told = found(workbook("openpyxl.xlsx"), "Khách hàng (mới).xlsx")
    assert (told["type"], told["form"], told["header"]) == ("xlsx", {"sheet": "Khách hàng"}, 5)
    assert told["first"][3] == {"line": 9, "cells": ["…564 / …565", "Trần Văn Minh"]}
    assert told["yaml"] == "connectors:\n  customers: {type: xlsx, path: Khách hàng (mới).xlsx}\n"


@pytest.mark.parametrize("name", ["openpyxl.xlsx", "xlsxwriter.xlsx"])
def test_the_words_are_those_of_check_for_a_workbook(name):
    connector = XlsxConnector(XlsxConfig(path=WORKBOOKS / name), wait=lambda _: True)
    connector.open()
    assert [line["text"] for line in found(workbook(name), name)["report"]] == list(connector.report())


def test_the_words_are_those_of_check_for_a_text(tmp_path):
    content = LAN + b"1234,minh@congty.example,\n,lan@congty.example,\n0912345678,,\n9.01E+08,lan@congty.example,x\n"
    (tmp_path / "customers.csv").write_bytes(content)
    connector = CsvConnector(CsvConfig(path=tmp_path / "customers.csv"), wait=lambda _: True)
    connector.open()
    told = found(content)["report"]
    assert [line["text"] for line in told] == list(connector.report())
    assert [line["text"] for line in told if line["attention"]][1].startswith("customers.csv:3: no telephone number in")


def test_the_country_of_the_configuration_counts():
    content = b"phone,owner email\n0412 345 678,lan@congty.example\n"
    assert found(content, region="AU")["numbers"] == 1
    assert "no Vietnamese number has this length and prefix" in found(content)["problem"]


def test_a_column_that_is_not_found_is_told_with_those_that_are_there_and_may_be_named():
    content = b"Kontakt,Betreuer\n0901234567,lan@congty.example\n"
    told = found(content)
    assert told["problem"] == (
        "customers.csv: no column is known to hold telephone numbers: name it under `columns: {phone: …}`; "
        "the file has: 'Kontakt', 'Betreuer'"
    )
    assert told["columns"] == ["Kontakt", "Betreuer"]
    named = found(content, phone="Kontakt", owner="Betreuer")
    assert (named["problem"], named["numbers"]) == ("", 1)
    assert "    columns: {phone: Kontakt, owner: Betreuer}\n" in named["yaml"]


def test_a_sheet_is_chosen():
    assert (
        "several sheets could be meant: 'Miền Bắc', 'Miền Nam'"
        in found(workbook("two-lists.xlsx"), "a.xlsx")["problem"]
    )
    told = found(workbook("two-lists.xlsx"), "a.xlsx", sheet="miền bắc")
    assert (told["problem"], told["form"]) == ("", {"sheet": "Miền Bắc"})
    assert "sheet: miền bắc" in told["yaml"]
    assert found(LAN, sheet="Miền Bắc")["problem"] == ""  # a text has none


def bomb():
    """Return a workbook of a thousandth of its size: 100 MB of blanks before its first row."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook("xlsxwriter.xlsx"))) as whole, zipfile.ZipFile(made, "w", 8) as written:
        for name in whole.namelist():
            blanks = b" " * 100_000_000 if name == "xl/worksheets/sheet1.xml" else b""
            written.writestr(name, blanks + whole.read(name))
    return made.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "problem"),
    [
        (b"", "a.csv", "a.csv: has no header: its first line has to hold the columns' names"),
        (b"", "a.xlsx", "a.xlsx: is empty"),
        (b"<!doctype html><p>", "a.xls", "a.xls: is a web page (HTML) and no workbook, whatever its name ends with"),
        (b"<!doctype html><p>", "a.csv", "a.csv: is a web page (HTML): export it as CSV"),
        (
            b"a\x00\xff\x01\x80\x00\x00" * 999,
            "a.csv",
            "a.csv:1: NUL bytes: the file is damaged or half-written, or set `encod",
        ),
        (b"\x00\xff\x01\x80" * 999, "a.ods", "a.ods: is no workbook, whatever its name ends with: open it in Excel"),
        (b"\xff\xfe\xfd\x81\x8d" * 999, "a.txt", "a.txt:1: bytes that are not utf-16"),
        (b"phone\n0901234567\n", "a.csv", "a.csv: no column is known to name the owner: name it under `columns: {own"),
        (b"x" * 2_000_000, "a.csv", "a.csv:1: the line is longer than 1048576 characters: is this a table?"),
        (b"%PDF-1.7", "a.csv", "a.csv: is a PDF: export the table as CSV from where the PDF was made"),
        (workbook("password.xlsx"), "a.xlsx", "a.xlsx: is protected by a password, which nobody types here"),
        (workbook("password.xls"), "a.xls", "a.xls: is protected by a password, which nobody types here"),
        (workbook("password.ods"), "a.ods", "a.ods: is protected by a password, which nobody types here"),
        (workbook("far-cell.xlsx"), "a.xlsx", "a.xlsx: takes more than 2 GB of memory: probably a cell far below or"),
        (workbook("openpyxl.xlsx")[:4000], "a.xlsx", "a.xlsx: is damaged or half-written: save it once more"),
        (b"\x03Lan" + b"\0" * 161, "~$a.xlsx", "~$a.xlsx: is what lies beside a workbook while it is open"),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else "",
)
def test_what_cannot_be_read_is_told_in_words(content, name, problem):
    told = found(content, name)
    assert told["problem"].startswith(problem)
    assert told["report"] == []


def test_a_zip_that_holds_a_thousand_times_its_size_is_read_or_refused_in_words():
    content = bomb()
    assert len(content) < 200_000
    told = found(content, "a.xlsx")
    assert told["problem"] == "" or "takes" in told["problem"] or "cannot be read" in told["problem"]


@pytest.mark.parametrize("content", [LAN, starter("customers.csv")])
def test_a_text_is_known_by_its_content(content):
    assert found(content, "customers.xlsx")["type"] == "csv"
    assert found(workbook("openpyxl.xlsx"), "customers.csv")["type"] == "xlsx"


@pytest.mark.parametrize(
    "name", ["passwd", "<script>.csv", "a b.csv\u202e", "customers", "${file:/etc/passwd}.csv", ".csv", "a: b #.csv"]
)
def test_an_odd_name_is_told_and_not_written_into_the_lines(name):
    told = found(LAN, name)
    assert "path: customers.csv}" in told["yaml"]
    assert told["problem"] in {"", "write it as it is, without ${…}"}


@pytest.mark.parametrize("key", ["sheet", "phone", "owner", "name"])
def test_no_file_of_the_machine_is_read_for_what_is_typed(key, tmp_path):
    (tmp_path / "secret").write_text("planted", encoding="utf-8")
    told = found(workbook("two-lists.xlsx"), **{"name": "a.xlsx", key: f"${{file:{tmp_path}/secret}}"})
    assert told["problem"] == "write it as it is, without ${…}"
    assert "planted" not in str(told)


def test_a_formula_is_a_text_and_no_number():
    content = b"phone,owner email\n=cmd|' /C calc'!A0,lan@congty.example\n0901234567,=HYPERLINK(\"x\")\n"
    told = found(content)
    assert [row["cells"][1] for row in told["first"]] == ["lan@congty.example", '=HYPERLINK("x")']
    assert "customers.csv:2: " in str(told["report"])


@pytest.mark.parametrize(
    "cell", ["0901234567", "+84 90 123 4567", "90-1234567; 1234567", "0901234567, 123 45 67", "'901234567", "1234567"]
)
def test_no_number_is_shown_by_more_than_three_digits(cell):
    told = found(f'phone;owner email\n0912345678;x@congty.example\n"{cell}";0901234567\n'.encode())
    text = json.dumps(told | {"yaml": ""}, ensure_ascii=False)
    assert "…567" in text
    assert "1234567" not in text.replace(" ", "").replace("-", "")


def test_a_wide_table_is_cut():
    header = ",".join(f"c{at} {'x' * 200}" for at in range(900))
    told = found(f"phone,owner,{header}\n0901234567,lan\n".encode())
    assert (len(told["columns"]), told["more_columns"]) == (60, 842)
    assert max(map(len, told["columns"])) == 81
    assert len(json.dumps(told)) < 20_000


def test_a_child_may_not_write_to_any_file(tmp_path):
    code = "from bridge.insight.look_child import limit; limit(); __import__('pathlib').Path('x').write_text('planted')"
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=False, capture_output=True, text=True, encoding="utf-8"
    )
    assert "File too large" in ended.stderr
    assert [Path(found).stat().st_size for found in tmp_path.iterdir()] == [0]
