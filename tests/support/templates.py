"""Makes the tables of `omi-bridge template`: `python -m tests.support.templates` writes them anew.

The numbers of the example rows are no numbers, and their extensions none: so they are never anybody's, if they are left
where they are, and `check` names them.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import xlsxwriter

FOLDER = Path(__file__).parents[2] / "bridge" / "starters"
_MADE = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
_DELETE = "Dòng ví dụ: xóa dòng này đi"


@dataclass(frozen=True)
class Table:
    """One table: its `sheet`, its `columns` with their widths, its `examples`, and the `notes` of a second sheet."""

    sheet: str
    columns: Mapping[str, int]
    examples: Sequence[Sequence[str]]
    notes: Sequence[str]


TABLES = {
    "customers": Table(
        "Khách hàng",
        {"Số điện thoại": 24, "SĐT phụ": 24, "Tên khách hàng": 30, "Nhân viên phụ trách": 30, "Ghi chú": 40},
        [
            ["Ví dụ: 0901 xxx xxx", "", "VÍ DỤ: Công ty A", "lan@congty.example", _DELETE],
            ["Ví dụ: +84 28 xxxx xxxx", "Ví dụ: 0912 xxx xxx", "VÍ DỤ: Chị B", "Trần Văn Minh", _DELETE],
        ],
        [
            "Mỗi khách hàng một dòng. Dòng đầu tiên là tên cột: giữ nguyên, phía trên không thêm gì.",
            "Số điện thoại: cột đã đặt định dạng Văn bản (Text) để Excel không xóa số 0 ở đầu.",
            "Viết số kiểu nào cũng được: 0901234567, +84 90 123 45 67. Một ô có thể ghi nhiều số, cách nhau bằng dấu /",
            "SĐT phụ: số khác của cùng khách hàng; để trống nếu không có.",
            "Nhân viên phụ trách: e-mail (tốt nhất), mã hoặc họ tên của nhân viên, giống như trong danh sách máy lẻ.",
            "Tên khách hàng, Ghi chú: để bạn dùng, omi-bridge không đọc.",
            "Xóa hai dòng ví dụ trước khi dùng. Nếu quên, chúng không thành khách hàng, và omi-bridge check sẽ nhắc.",
        ],
    ),
    "extensions": Table(
        "Máy lẻ",
        {"Email": 32, "Họ tên": 28, "Máy lẻ": 20, "Ghi chú": 40},
        [
            ["vidu.lan@congty.example", "VÍ DỤ: Nguyễn Thị Lan", "Ví dụ: một số", _DELETE],
            ["vidu.minh@congty.example", "VÍ DỤ: Trần Văn Minh", "Ví dụ: hai số", _DELETE],
        ],
        [
            "Mỗi nhân viên một dòng. Dòng đầu tiên là tên cột: giữ nguyên, phía trên không thêm gì.",
            "Email, Họ tên: giống như trong danh sách khách hàng hoặc trong CRM; ít nhất một trong hai.",
            "Máy lẻ (OMICall gọi là số nội bộ): ví dụ 101. Nhiều máy thì ghi 101/102. Ai không có máy lẻ thì ghi dấu -",
            "Ghi chú: để bạn dùng, omi-bridge không đọc.",
            "Xóa hai dòng ví dụ trước khi dùng. Nếu quên, chúng không thành máy lẻ, và omi-bridge check sẽ nhắc.",
        ],
    ),
}


def as_csv(table: Table) -> bytes:
    """Return the table as Excel writes CSV UTF-8."""
    text = io.StringIO()
    csv.writer(text).writerows([list(table.columns), *table.examples])
    return text.getvalue().encode("utf-8-sig")


def as_workbook(table: Table) -> bytes:
    """Return the table as a workbook, all its columns text, with the notes behind it."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        book.set_properties({"created": _MADE})
        heading = book.add_format({"bold": True, "bg_color": "#DDEBF7", "num_format": "@"})
        text, example = book.add_format({"num_format": "@"}), book.add_format({"italic": True, "num_format": "@"})
        sheet = book.add_worksheet(table.sheet)
        for at, (name, width) in enumerate(table.columns.items()):
            sheet.set_column(at, at, width, text)
            sheet.write_string(0, at, name, heading)
        for row, cells in enumerate(table.examples, 1):
            for at, cell in enumerate(cells):
                sheet.write_string(row, at, cell, example)
        sheet.freeze_panes(1, 0)
        notes = book.add_worksheet("Hướng dẫn")
        notes.set_column(0, 0, 110, book.add_format({"text_wrap": True, "valign": "top"}))
        for row, note in enumerate(table.notes):
            notes.write_string(row, 0, note)
    return file.getvalue()


if __name__ == "__main__":
    for name, made in TABLES.items():
        (FOLDER / f"{name}.csv").write_bytes(as_csv(made))
        (FOLDER / f"{name}.xlsx").write_bytes(as_workbook(made))
