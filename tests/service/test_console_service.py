"""The console as somebody uses it: the real service with two processes, the console, and a real browser's keyboard."""

import re
from importlib.resources import files

import pytest
import xlsxwriter
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from tests.support.browser import DESKTOP, PHONE, as_large_as, chromium, requested
from tests.support.consoled import PASSWORD, running_console, write_config
from tests.support.service import RunningService

HOSTILE = '0912345678,"<img src=x onerror=alert(1)>@congty.example"'
PAGES = {
    "/calls": "…567",
    "/sources": "customers",
    "/directory": "directory:",
    "/figures": "≤ 2000",
    "/configuration": "customers.csv",
    "/set-up": "EspoCRM",
    "/upkeep": "",
}
MOST_TABS = 30
AXE = files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")
IT_IS_TIME = "document.dispatchEvent(new Event('visibilitychange'))"
"""Has the page of calls ask again at once, if it would at all: as when somebody comes back to its tab."""
RUN_AXE = "const done = arguments[0]; axe.run().then(found => done(found.violations));"


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return write_config(tmp_path_factory.mktemp("console"), HOSTILE)


@pytest.fixture(scope="module")
def service(config):
    with RunningService(config, "--workers", "2") as running:
        for _ in range(3):
            running.ask()
        yield running


@pytest.fixture(scope="module")
def console(config, service):  # noqa: ARG001 - which it asks
    with running_console(config) as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    with chromium() as driver:
        yield driver


def press(browser, *keys):
    ActionChains(browser).send_keys(*keys).perform()


def tab_to(browser, selector):
    """Go from one thing to the next by the keyboard, until the wanted one has the focus; it has to be seen there."""
    for _ in range(MOST_TABS):
        press(browser, Keys.TAB)
        focused = browser.switch_to.active_element
        if focused in browser.find_elements(By.CSS_SELECTOR, selector):
            assert focused.value_of_css_property("outline-style") != "none" or "focusable" in focused.get_attribute(
                "class"
            )
            return
    raise AssertionError(f"the keyboard does not lead to {selector}")


def sign_in(browser, console):
    """Come in, unless one has already."""
    browser.get(f"{console}/")
    if found := browser.find_elements(By.ID, "password"):
        found[0].send_keys(PASSWORD, Keys.ENTER)
        wait_for(browser, "#number")


def wait_for(browser, selector):
    return WebDriverWait(browser, 10).until(lambda driver: driver.find_elements(By.CSS_SELECTOR, selector))


def complaints(browser):
    """Return what keeps people out of the page, as axe sees it, and whatever the page is broader than the screen by."""
    browser.execute_script(AXE)
    found = browser.execute_async_script(RUN_AXE)
    serious = [
        (one["id"], [node["html"] for node in one["nodes"]])
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]
    broader = browser.execute_script("return document.documentElement.scrollWidth - window.innerWidth")
    return serious, max(0, broader)


def forget(browser, number):
    """Have a caller forgotten, whom nobody asks for here."""
    tab_to(browser, "#number")
    press(browser, number, Keys.ENTER)
    wait_for(browser, "#sure")
    assert complaints(browser) == ([], 0)
    tab_to(browser, "#sure")
    press(browser, Keys.ENTER)
    (found,) = wait_for(browser, "#forgotten")
    assert f"…{number[-3:]}" in found.text
    assert complaints(browser) == ([], 0)


def try_a_change(browser, console):
    """Try the configuration's file on whoever called, whichever process took the call; nothing in it has changed."""
    browser.get(f"{console}/configuration")
    tab_to(browser, "main .btn-primary")
    press(browser, Keys.ENTER)
    wait_for(browser, "#tried, .alert[role=alert]")
    if browser.find_elements(By.ID, "tried"):  # else it was tried twice in this minute
        told = browser.find_element(By.CSS_SELECTOR, "section [role=status]").text
        assert {int(number) for number in re.findall(r"[0-9]+", told)} == {0, 1}
    assert complaints(browser) == ([], 0)


def set_up(browser, console):
    """Fill in the form of a CRM, wrongly and then rightly."""
    browser.get(f"{console}/set-up?crm=espocrm")
    wait_for(browser, "#need-url")
    tab_to(browser, "#need-url")
    press(browser, "espo.example", Keys.ENTER)
    wait_for(browser, "#need-url.is-invalid")
    assert complaints(browser) == ([], 0)
    tab_to(browser, "#need-url")
    press(browser, Keys.HOME, "https://", Keys.ENTER)
    wait_for(browser, "#lines")
    assert "key: ${ESPO_API_KEY}" in browser.find_element(By.TAG_NAME, "main").text
    assert complaints(browser) == ([], 0)


def look_at_a_file(browser, console, folder):
    """Have a workbook looked at in which something cannot be used, and be told what; nothing is larger than allowed."""
    book = folder / "KH <b>.xlsx"
    with xlsxwriter.Workbook(book) as written:
        rows = [
            ("SĐT", "Người phụ trách", "Ghi chú"),
            ("0901234567", "lan@congty.example"),
            ("12", "=cmd|' /C calc'!A0"),
        ]
        sheet = written.add_worksheet("Miền Bắc")
        for at, row in enumerate(rows):
            for column, text in enumerate(row):
                sheet.write_string(at, column, text)
    large = folder / "large.csv"
    with large.open("wb") as sparse:
        sparse.truncate(100_000_000)
    browser.get(f"{console}/set-up")
    browser.find_element(By.ID, "file").send_keys(str(large))
    WebDriverWait(browser, 10).until(lambda driver: "20 MB" in driver.find_element(By.ID, "too-large").text)
    assert complaints(browser) == ([], 0)
    browser.find_element(By.ID, "file").clear()
    browser.find_element(By.ID, "file").send_keys(str(book))
    tab_to(browser, "#look")
    press(browser, Keys.ENTER)
    (found,) = WebDriverWait(browser, 60).until(lambda driver: driver.find_elements(By.CSS_SELECTOR, "#found"))
    told = browser.find_element(By.TAG_NAME, "main").text
    assert found.text == "KH <b>.xlsx"
    assert "KH <b>.xlsx, sheet 'Miền Bắc':3: no telephone number in '12'" in told
    assert "…567 lan@congty.example" in told
    assert "customers: {type: xlsx, path: customers.xlsx}" in told
    assert complaints(browser) == ([], 0)


@pytest.mark.parametrize("language", ["en", "vi"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_each_page_by_the_keyboard(console, browser, size, language, tmp_path):
    browser.delete_all_cookies()
    as_large_as(browser, size)
    browser.get(f"{console}/")
    if browser.find_element(By.TAG_NAME, "html").get_attribute("lang") != language:
        tab_to(browser, f"button[lang={language}]")
        press(browser, Keys.ENTER)
        wait_for(browser, f"html[lang={language}]")
    assert complaints(browser) == ([], 0)
    tab_to(browser, "#password")
    press(browser, PASSWORD, Keys.ENTER)
    wait_for(browser, "#number")
    tab_to(browser, "#number")
    press(browser, "0901234567", Keys.ENTER)
    wait_for(browser, "#support")
    assert [one.text for one in browser.find_elements(By.CSS_SELECTOR, ".badge")] == ["101", "102"]
    assert complaints(browser) == ([], 0)
    tab_to(browser, "#copy")
    for path, told in PAGES.items():
        tab_to(browser, f"nav a[href='{path}']")
        press(browser, Keys.ENTER)
        wait_for(browser, f"nav a[href='{path}'][aria-current=page]")
        assert told in browser.find_element(By.TAG_NAME, "main").text
        assert complaints(browser) == ([], 0)
    forget(browser, "0987654321")
    try_a_change(browser, console)
    set_up(browser, console)
    look_at_a_file(browser, console, tmp_path)
    asked = requested(browser)
    assert asked
    assert [url for url in asked if not url.startswith((f"{console}/", "data:"))] == []
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_a_hostile_name_is_only_a_text(console, browser):
    as_large_as(browser, DESKTOP)
    sign_in(browser, console)
    browser.find_element(By.ID, "number").send_keys("0912345678", Keys.ENTER)
    wait_for(browser, "#support")
    assert "<img src=x onerror=alert(1)>@congty.example" in browser.find_element(By.TAG_NAME, "main").text
    assert browser.find_elements(By.CSS_SELECTOR, "main img") == []
    tab_to(browser, "#copy")
    press(browser, Keys.ENTER)
    WebDriverWait(browser, 10).until(lambda driver: driver.find_element(By.ID, "copy").text in {"Copied", "Đã chép"})


def shown(browser):
    """Return which of the page's states is told, and how many calls are listed."""
    told = [one.get_attribute("data-state") for one in browser.find_elements(By.CSS_SELECTOR, "[data-state]")
            if one.is_displayed()]  # fmt: skip
    return told, len(browser.find_elements(By.CSS_SELECTOR, "#calls details"))


def becomes(browser, *expected):
    try:
        WebDriverWait(browser, 20).until(lambda driver: shown(driver) == expected)
    except TimeoutException:
        raise AssertionError(shown(browser)) from None


@pytest.fixture
def calls(browser, console):
    """The page of calls, narrowed by what is typed into it to those of one extension; how many there are."""
    browser.delete_all_cookies()
    as_large_as(browser, DESKTOP)
    sign_in(browser, console)
    browser.get(f"{console}/calls")
    browser.find_element(By.ID, "extension").send_keys("102", Keys.ENTER)
    wait_for(browser, "#extension[value='102']")
    return len(browser.find_elements(By.CSS_SELECTOR, "#calls details"))


def test_new_calls_appear_by_themselves_among_those_that_are_looked_for(browser, console, service, calls):
    becomes(browser, ["live"], calls)
    assert asks_again(browser, console) == [f"{console}/calls"]
    service.ask("0977000111")
    service.ask()
    becomes(browser, ["live"], calls + 1)
    assert browser.find_element(By.ID, "extension").get_attribute("value") == "102"
    assert complaints(browser) == ([], 0)
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def asks_again(browser, console):
    """Return what the page asks for when it is time to."""
    requested(browser)
    browser.execute_script(IT_IS_TIME)
    return [url for url in requested(browser) if url.startswith(console)]


def test_no_call_appears_while_one_is_read_or_the_page_pauses(browser, console, service, calls):
    tab_to(browser, "#pause")
    press(browser, Keys.ENTER)
    becomes(browser, ["paused"], calls)
    assert asks_again(browser, console) == []
    tab_to(browser, "#calls summary")
    press(browser, Keys.ENTER)
    wait_for(browser, "#calls details[open]")
    ActionChains(browser).click(browser.find_element(By.ID, "pause")).perform()
    becomes(browser, ["held"], calls)
    service.ask()
    assert asks_again(browser, console) == []
    assert shown(browser) == (["held"], calls)
    ActionChains(browser).click(browser.find_element(By.CSS_SELECTOR, "#calls details[open] summary")).perform()
    becomes(browser, ["live"], calls + 1)


def test_who_is_not_signed_in_any_more_keeps_the_list_and_is_told(browser, calls):
    becomes(browser, ["live"], calls)
    browser.delete_all_cookies()
    becomes(browser, ["signed-out"], calls)
    assert browser.find_elements(By.ID, "password") == []
    assert complaints(browser) == ([], 0)


def test_without_a_script_the_button_brings_the_new_calls(browser, service, calls):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.find_element(By.ID, "refresh").click()
        wait_for(browser, "#extension[value='102']")
        assert shown(browser) == ([], calls)
        assert not browser.find_element(By.ID, "pause").is_displayed()
        service.ask()
        WebDriverWait(browser, 20).until(lambda driver: refreshed(driver) == ([], calls + 1))
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def refreshed(browser):
    browser.find_element(By.ID, "refresh").click()
    wait_for(browser, "#refresh")
    return shown(browser)


def test_the_sources_are_told_as_both_processes_see_them(browser, console, service):
    as_large_as(browser, DESKTOP)
    sign_in(browser, console)
    service.ask()
    browser.get(f"{console}/sources")
    told = browser.find_element(By.TAG_NAME, "main").text
    assert "with key number 1 of the 1 in api_keys" in told
    assert re.search(r"Callers remembered\n\d+ · \d+ \(each process its own\)", told)
    assert "Rows that lead to somebody\n2" in told
    assert "Last failure\nnone since the start" in told
