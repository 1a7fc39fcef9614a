"""The pictures of docs/console.md and of its Vietnamese twin: the real service, the console, and a real browser.

.venv/bin/python bench/console_pictures.py
"""

import sys
import tempfile
from pathlib import Path

import xlsxwriter
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.browser import PHONE, as_large_as, chromium, picture  # noqa: E402
from tests.support.consoled import PASSWORD, running_console, write_config  # noqa: E402
from tests.support.service import RunningService  # noqa: E402

MINH = "0912345678,minh@congty.example"
SCREEN, TALL = (900, 640), (900, 1000)
PLACES = {"en": ROOT / "docs/pictures", "vi": ROOT / "docs/vi/pictures"}


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        config = write_config(Path(name), MINH)
        with RunningService(config) as service, running_console(config) as address, chromium() as browser:
            for phone in ["0901234567"] * 40 + ["0912345678"] * 5 + ["0987654321"] * 15:
                service.ask(phone)
            for language, folder in PLACES.items():
                folder.mkdir(exist_ok=True)
                pictures(browser, address, language, folder)
                written = config.read_text(encoding="utf-8")
                config.write_text(written.replace("customers.csv}", "customers.csv, time_out: 1s}"), encoding="utf-8")
                configuration(browser, address, folder)
                config.write_text(written.replace('["101", "102"]', '["109"]'), encoding="utf-8")
                change(browser, address, folder)
                config.write_text(written, encoding="utf-8")


def pictures(browser, address: str, language: str, folder: Path) -> None:  # noqa: ANN001 - the library's own
    browser.delete_all_cookies()
    as_large_as(browser, SCREEN)
    browser.get(f"{address}/")
    if found := browser.find_elements(By.CSS_SELECTOR, f"button[lang={language}]"):
        found[0].click()
        WebDriverWait(browser, 10).until(lambda driver: driver.find_elements(By.CSS_SELECTOR, f"html[lang={language}]"))
    browser.find_element(By.ID, "password").send_keys(PASSWORD, Keys.ENTER)
    seen(browser, "number").send_keys("0901234567", Keys.ENTER)
    seen(browser, "support")
    picture(browser, folder / "console-trace.png")
    as_large_as(browser, PHONE)
    picture(browser, folder / "console-phone.png")
    as_large_as(browser, SCREEN)
    for page in ("calls", "sources", "directory", "figures", "upkeep"):
        browser.get(f"{address}/{page}")
        picture(browser, folder / f"console-{page}.png")
    browser.get(f"{address}/set-up?crm=espocrm")
    picture(browser, folder / "console-set-up.png")
    with tempfile.TemporaryDirectory() as name:
        as_large_as(browser, TALL)
        browser.get(f"{address}/set-up/file")
        browser.find_element(By.ID, "file").send_keys(str(customers(Path(name))))
        browser.find_element(By.ID, "look").click()
        WebDriverWait(browser, 60).until(lambda driver: driver.find_elements(By.ID, "found"))
        picture(browser, folder / "console-file.png")


def customers(folder: Path) -> Path:
    """Write a workbook as people keep it, with a title, and a number that Excel has spoilt."""
    path = folder / "Khách hàng.xlsx"
    header = ("STT", "Tên khách", "SĐT", "Email người phụ trách")
    rows = [
        (1, "Nguyễn Thị Hoa", "0901234567", "lan@congty.example"),
        (2, "Công ty An Bình", "028 3812 3456 / 0912 345 678", "minh@congty.example"),
        (3, "Trần Văn Nam", "9.01E+08", "lan@congty.example"),
        (4, "Lê Thu Hà", "'0987654321", "minh@congty.example"),
    ]
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Khách hàng")
        sheet.write(0, 0, "DANH SÁCH KHÁCH HÀNG")
        for at, row in enumerate((header, *rows)):
            sheet.write_row(at + 2, 0, row)
    return path


def configuration(browser, address: str, folder: Path) -> None:  # noqa: ANN001 - the library's own
    WebDriverWait(browser, 30).until(lambda driver: _shows_the_slip(driver, address))
    picture(browser, folder / "console-configuration.png")


def change(browser, address: str, folder: Path) -> None:  # noqa: ANN001 - the library's own
    WebDriverWait(browser, 30).until(lambda driver: _shows_no_slip(driver, address))
    browser.find_element(By.CSS_SELECTOR, "main .btn-primary").click()
    WebDriverWait(browser, 30).until(lambda driver: driver.find_elements(By.ID, "tried"))
    browser.find_element(By.CSS_SELECTOR, "summary").click()
    picture(browser, folder / "console-change.png")


def _shows_no_slip(browser, address: str) -> bool:  # noqa: ANN001 - the library's own
    return not _shows_the_slip(browser, address)


def _shows_the_slip(browser, address: str) -> bool:  # noqa: ANN001 - the library's own
    browser.get(f"{address}/configuration")
    return bool(browser.find_elements(By.CSS_SELECTOR, ".alert-danger.mono"))


def seen(browser, name: str):  # noqa: ANN001, ANN201 - the library's own
    return WebDriverWait(browser, 10).until(lambda driver: driver.find_element(By.ID, name))


if __name__ == "__main__":
    main()
