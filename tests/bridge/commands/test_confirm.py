"""`omi-bridge check`, then `confirm`, then `check` again: what one says to do, the other does."""

import re

import pytest
from click.testing import CliRunner

from bridge.commands.main import main
from bridge.config.loading import load_config
from bridge.service import Service

CONFIG = """
api_keys: [change-me]
connectors: {customers: {type: csv, path: customers.csv}}
extensions: {csv: {path: staff.csv}}
"""


def write(folder, file, rows):
    (folder / file).write_text("phone,email,ext\n" + "".join(f"{row}\n" for row in rows), encoding="utf-8")


def rows(count):
    return [f"09012345{at:02d},nv{at}@congty.example,{100 + at}" for at in range(count)]


@pytest.fixture
def run(tmp_path):
    """Give a command line for a service that once read forty rows, and is not running now, while five are left."""
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG.replace("customers.csv}", "customers.csv, columns: {email: email}}"), encoding="utf-8")
    for file in ("customers.csv", "staff.csv"):
        write(tmp_path, file, rows(40))
    service = Service(load_config(config))
    service.open(10.0)
    service.close()
    for file in ("customers.csv", "staff.csv"):
        write(tmp_path, file, rows(5))

    def run(command, *arguments):
        result = CliRunner().invoke(main, [command, "-c", str(config), *arguments], catch_exceptions=False)
        return result.exit_code, result.output

    return run


@pytest.mark.parametrize(("name", "file"), [("customers", "customers.csv"), ("extensions.csv", "staff.csv")])
def test_what_check_doubts_is_confirmed_by_the_command_that_it_names_though_no_service_runs(run, name, file):
    loss = f"{file}: only 5 of 40 rows are left that lead to somebody"
    assert f"{loss}: not believed before `omi-bridge confirm {name}`" in run("check")[1]
    assert run("confirm", name) == (0, f"{name} is confirmed, and believed from now on: {loss}\n")
    assert loss not in run("check")[1]


def test_what_nobody_doubts_is_not_confirmed(run, tmp_path):
    write(tmp_path, "customers.csv", rows(30))
    status, told = run("confirm", "customers")
    assert status == 1
    assert re.fullmatch(r"customers is not doubted, neither by a service that keeps its lists in \S+ nor here\n", told)
