"""Every class that is shown to integrators passes the tests that are shown with it."""

import subprocess
import sys

import pytest

from tests.support.documents import ROOT, blocks

pytestmark = pytest.mark.system  # the kit, as it is shown, waits for what hangs

SHOWN = {
    "my_crm": ("A complete one", "Its tests"),
    "my_session_crm": ("One that signs in", "One that signs in"),
    "my_directory": ("Over another protocol", "Over another protocol"),
    "my_pbx": ("A list of extensions of your own", "A list of extensions of your own"),
}


@pytest.mark.parametrize("name", SHOWN)
def test_what_is_shown_passes_its_tests(name, tmp_path):
    python = blocks("python", ROOT / "connectors/README.md")
    code, tests = SHOWN[name]
    (tmp_path / f"{name}.py").write_text(next(one.text for one in python if one.heading == code), encoding="utf-8")
    tested = [one.text for one in python if one.heading == tests][-1]
    (tmp_path / f"test_{name}.py").write_text(tested, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-W", "error", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout
    skipped = [line for line in done.stdout.splitlines() if line.startswith("SKIPPED")]
    assert [line for line in skipped if ": not tried: " not in line] == []
