"""A real Chromium without a window, as Debian packs it: nothing is downloaded for it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

DESKTOP, PHONE = (1280, 900), (360, 740)
"""Width and height in pixels of CSS."""

_QUIET = (
    "--headless=new",
    "--no-sandbox",  # the tests are root's
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--force-color-profile=srgb",
)


@contextmanager
def chromium(*, allows_clipboard: bool = False) -> Iterator[webdriver.Chrome]:
    """Start one, whose requests are noted."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for option in _QUIET:
        options.add_argument(option)
    if allows_clipboard:
        options.add_experimental_option("prefs", {"profile.default_content_setting_values.clipboard": 1})
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    try:
        yield driver
    finally:
        driver.quit()


def as_large_as(driver: webdriver.Chrome, size: tuple[int, int]) -> None:
    """Show pages on a screen of this size, a small one as a phone's."""
    width, height = size
    screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < DESKTOP[0]}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)


def requested(driver: webdriver.Chrome) -> list[str]:
    """Return the addresses that pages have asked for since the last time."""
    told = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    return [one["params"]["request"]["url"] for one in told if one["method"] == "Network.requestWillBeSent"]


def picture(driver: webdriver.Chrome, file: Path) -> None:
    """Keep what is seen as a PNG."""
    file.write_bytes(driver.get_screenshot_as_png())
