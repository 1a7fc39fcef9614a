"""The connector that is shown to integrators, all the way: a wheel, an environment without anything else, a call.

Its own tests, as they are shown, are run by that environment's pytest.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.documents import ROOT, block
from tests.support.servers import HttpServer, Reply
from tests.support.service import RunningService

pytestmark = pytest.mark.system  # pip asks the package index

WRITING = ROOT / "connectors/README.md"
OWN_EXTENSIONS = "A list of extensions of your own"
CUSTOMER = b'{"customers": [{"phone": "0901 234 567", "owner": "lan@congty.example"}]}'
NO_INDEX = re.compile("No matching distribution|Could not fetch|NewConnectionError|Connection refused|timed out")


@dataclass(frozen=True)
class Integrator:
    """A folder with an environment in which omi-bridge and the connector that is shown are installed."""

    folder: Path

    def run(self, command, *arguments):
        return subprocess.run(
            [self.folder / "venv/bin" / command, *map(str, arguments)],
            cwd=self.folder,
            # Options of our own run, such as coverage, are none of an integrator's.
            env={name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def configure(self, url):
        """Write what is shown, with the CRM's address, and return where."""
        text = block(WRITING, "Use it", "yaml").text.replace("https://crm.example", url)
        text = text.replace("my_crm:MyCrm", "my_crm").replace("${MY_CRM_TOKEN}", "planted")
        rest = "api_keys: [change-me]\nextensions: {inline: {lan@congty.example: 101}}\n"
        (self.folder / "config.yaml").write_text(text + rest, encoding="utf-8")
        return self.folder / "config.yaml"


@pytest.fixture(scope="module")
def integrator(tmp_path_factory):
    folder = tmp_path_factory.mktemp("integrator")
    for package in ("bridge", "connectors"):
        shutil.copytree(ROOT / package, folder / "omi" / package, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, folder / "omi" / file)
    (folder / "mine").mkdir()
    (folder / "mine/my_crm.py").write_text(block(WRITING, "A complete one", "python").text, encoding="utf-8")
    (folder / "mine/my_pbx.py").write_text(block(WRITING, OWN_EXTENSIONS, "python").text, encoding="utf-8")
    project = block(WRITING, "Use it", "toml").text.replace('["my_crm"]', '["my_crm", "my_pbx"]')
    project += block(WRITING, OWN_EXTENSIONS, "toml").text
    (folder / "mine/pyproject.toml").write_text(project, encoding="utf-8")
    (folder / "test_my_crm.py").write_text(block(WRITING, "Its tests", "python").text, encoding="utf-8")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    made = Integrator(folder)
    pip(made, "wheel", "--no-deps", "--wheel-dir", "wheels", "./omi", "./mine")
    assert len(list(folder.glob("wheels/*.whl"))) == 2
    pip(made, "install", "--constraint", ROOT / "constraints.txt", "pytest", *folder.glob("wheels/*.whl"))
    return made


def pip(integrator, *arguments):
    done = integrator.run("python", "-m", "pip", *arguments, "--quiet", "--disable-pip-version-check")
    if done.returncode and NO_INDEX.search(done.stderr):
        pytest.skip(f"the package index cannot be reached: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr


@pytest.fixture
def crm():
    with HttpServer(
        lambda asked: Reply(CUSTOMER if asked.headers["Authorization"] == "Bearer planted" else b"")
    ) as server:
        yield server


def test_it_is_listed_with_what_it_needs(integrator):
    listed = integrator.run("omi-bridge", "connectors").stdout
    assert "my_crm: Asks MyCRM for the owners of a caller.\n  url (required): Address of MyCRM.\n" in listed


def test_its_list_of_extensions_is_found_by_its_name(integrator):
    found = "from bridge.config.plugins import extension_class; print(extension_class('my_pbx').__doc__)"
    assert integrator.run("python", "-c", found).stdout == "Reads who has which telephone from MyPBX.\n"


def test_it_answers_on_the_command_line(integrator, crm):
    done = integrator.run("omi-bridge", "lookup", "-c", integrator.configure(crm.url), "--explain", "0901234567")
    assert (done.stdout, done.returncode) == ("101\n", 0)
    assert "planted" not in done.stderr


def test_it_answers_a_call(integrator, crm):
    config = integrator.configure(crm.url)
    with RunningService(config, command=[str(integrator.folder / "venv/bin/omi-bridge")]) as service:
        assert service.ask("0901234567").body == b"101"
        assert service.ask("0901234568").body == b""


def test_the_tests_that_are_shown_pass(integrator):
    done = integrator.run("python", "-m", "pytest", "-q", "-W", "error", "test_my_crm.py")
    assert done.returncode == 0, done.stdout
    passed = re.search(r"([0-9]+) passed", done.stdout)
    assert passed
    assert int(passed[1]) > 40


def test_the_service_needs_no_pytest(integrator):
    loaded = "import sys, bridge.web.master; "
    loaded += "print([name for name in sys.modules if 'pytest' in name or 'testing' in name])"
    assert integrator.run("python", "-c", loaded).stdout == "[]\n"
