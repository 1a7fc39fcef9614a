"""Workbooks in the running service: whatever lies there, its processes live and answer."""

import shutil
from pathlib import Path

import xlsxwriter

from tests.support.documents import ROOT
from tests.support.kept import until
from tests.support.service import RunningService

WORKBOOKS = ROOT / "tests/workbooks"
CONFIG = """
api_keys: [change-me]
connectors:
  customers: {type: xlsx, path: customers.xlsx}
extensions:
  xlsx: {path: staff.xlsx}
"""


def test_a_workbook_that_would_fill_the_memory_ends_nothing(tmp_path: Path) -> None:
    config, customers = tmp_path / "config.yaml", tmp_path / "customers.xlsx"
    config.write_text(CONFIG, encoding="utf-8")
    shutil.copy(WORKBOOKS / "libreoffice.xlsx", customers)
    with xlsxwriter.Workbook(tmp_path / "staff.xlsx") as book:
        sheet = book.add_worksheet()
        for at, row in enumerate([("Email", "Máy lẻ"), ("lan@congty.example", 101), ("minh@congty.example", "0102")]):
            sheet.write_row(at, 0, row)
    with RunningService(config, "--workers", "2") as service:
        until(lambda: sum("read customers.xlsx" in line for line in service.log) == 2)  # by each process
        assert service.ask("0901234561").body == b"101"
        shutil.copy(WORKBOOKS / "far-cell.xlsx", tmp_path / "new.xlsx")
        (tmp_path / "new.xlsx").rename(customers)
        service.wait_for_log("customers.xlsx: takes more than 2 GB of memory: .* the last good version stays in force")
        config.write_text(f"{CONFIG}phone: {{region: VN}}\n", encoding="utf-8")
        service.hang_up()
        service.wait_for_log("configuration reloaded")
        assert {service.ask("0901234561").body for _ in range(6)} == {b"101"}
        with xlsxwriter.Workbook(tmp_path / "new.xlsx") as book:
            book.add_worksheet().write_row(0, 0, ["SĐT", "Người phụ trách"])
            book.worksheets()[0].write_row(1, 0, [912345678, "minh@congty.example"])
        (tmp_path / "new.xlsx").rename(customers)
        assert service.ask_until("0912345678", b"0102").body == b"0102"
        assert not [line for line in service.log if "Traceback" in line or "was sent SIG" in line]
