"""The console as somebody uses it: the real service with two processes, the console, and a real browser's keyboard."""

from importlib.resources import files

import pytest
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
RUN_AXE = "const done = arguments[0]; axe.run().then(found => done(found.violations));"


@pytest.fixture(scope="module")
def console(tmp_path_factory):
    config = write_config(tmp_path_factory.mktemp("console"), HOSTILE)
    with RunningService(config, "--workers", "2") as service, running_console(config) as address:
        for _ in range(3):
            service.ask()
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


@pytest.mark.parametrize("language", ["en", "vi"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_each_page_by_the_keyboard(console, browser, size, language):
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
    set_up(browser, console)
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
