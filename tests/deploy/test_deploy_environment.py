"""The file of secrets: what `deploy/omi-bridge.sh` says of lines that systemd would pass over in silence."""

import os
import subprocess

import pytest

from tests.support.documents import ROOT


def told(folder, content):
    file = folder / "environment"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    done = subprocess.run(
        ["/bin/sh", str(ROOT / "deploy/omi-bridge.sh"), "--version"],
        env={"PATH": os.defpath, "OMI_BRIDGE_ENVIRONMENT": str(file)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "hunter2" not in done.stderr
    assert done.returncode == 2
    return done.stderr.replace(f"{folder}/", "").splitlines()


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("export CRM_TOKEN='hunter2'", "write CRM_TOKEN without export: NAME='value'"),
        ("CRM_TOKEN = hunter2", "write CRM_TOKEN without a blank before the =: NAME='value'"),
        ("CRM_TOKEN= hunter2", "write CRM_TOKEN without a blank behind the =: NAME='value'"),
        ("CRM-TOKEN='hunter2'", "a name has letters, digits and _: CRM-TOKEN"),
        ("1CRM='hunter2'", "a name has letters, digits and _: 1CRM"),
        ("CRM_TOKEN='hunter2", "CRM_TOKEN: the quote is not closed in this line"),
        ('CRM_TOKEN="hunter2', "CRM_TOKEN: the quote is not closed in this line"),
        ("CRM_TOKEN=\"hunter2'", "CRM_TOKEN: the quote is not closed in this line"),
        ("CRM_TOKEN='", "CRM_TOKEN: the quote is not closed in this line"),
        ("CRM_TOKEN: hunter2", "has no =: write NAME='value'"),
        ("CRM_TOKEN='hunter2'\r", "ends as lines do in Windows: save it with the line ends of Linux"),
    ],
)
def test_a_line_that_systemd_would_not_take_is_told_with_its_number(tmp_path, line, problem):
    content = f"# secrets\n\nGOOD='hunter2 $HOME'\n{line}\nEMPTY=\n"
    assert told(tmp_path, content) == [f"environment:4: {problem}"]


def test_all_lines_are_told_at_once_and_a_byte_order_mark_too(tmp_path):
    assert told(tmp_path, b"\xef\xbb\xbfONE='hunter2'\nTWO='hunter2\nthree") == [
        "environment:1: begins with a byte-order mark: save it as UTF-8 without one",
        "environment:2: TWO: the quote is not closed in this line",
        "environment:3: has no =: write NAME='value'",
    ]
