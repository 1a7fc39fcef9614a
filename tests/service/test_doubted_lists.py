"""Files that lose more than half of their rows, in the running service: shown, doubted, and confirmed by a command."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.commands.main import main
from tests.support.kept import until
from tests.support.service import RunningService

CONFIG = """
api_keys: [change-me]
connectors:
  customers: {type: csv, path: customers.csv}
extensions:
  csv: {path: staff.csv}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "config.yaml"
    file.write_text(CONFIG, encoding="utf-8")
    write(tmp_path, range(40))
    (tmp_path / "staff.csv").write_text(staff(range(30)), encoding="utf-8")
    return file


def write(folder: Path, customers: Sequence[int]) -> None:
    rows = "".join(f"09012345{at:02d},nv{at % 3}@congty.example\n" for at in customers)
    (folder / "customers.csv").write_text(f"phone,owner email\n{rows}", encoding="utf-8")


def staff(people: Sequence[int]) -> str:
    return "email,ext\n" + "".join(f"nv{at}@congty.example,{100 + at}\n" for at in people)


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)
    return result.exit_code, result.output


def doubted(service: RunningService) -> set[str]:
    return {line.split('"')[1] for line in service.page("/metrics").text.splitlines() if _is_doubt(line)}


def _is_doubt(line: str) -> bool:
    return line.startswith("omi_bridge_list_doubted{") and line.endswith(" 1.0")


def test_a_shrunk_file_is_shown_everywhere_and_rings_on_through_reload_and_restart_until_it_is_confirmed(
    config: Path,
) -> None:
    folder = config.parent
    with RunningService(config, "--workers", "2") as service:
        assert service.ask("0901234539").body == b"100"
        assert run("confirm", "-c", config, "customers")[0] == 1
        write(folder, range(5))
        service.wait_for_log("customers.csv: only 5 of 40 rows are left .*the last good version stays in force")
        config.write_text(config.read_text() + "phone: {region: VN}\n")
        service.hang_up()
        service.wait_for_log("configuration reloaded")
        assert service.ask("0901234539").body == b"100"
    with RunningService(config, "--workers", "2") as service:
        assert [service.ask("0901234539").body for _ in range(6)] == [b"100"] * 6
        troubles = service.troubles
        assert "only 5 of 40 rows are left" in troubles["connector customers"]
        until(lambda: doubted(service) == {"customers"})
        status, told = run("check", "-c", config)
        assert status == 0
        assert "warn    customers: customers.csv: only 5 of 40 rows are left" in told
        assert run("confirm", "-c", config, "customers")[0] == 0
        until(lambda: all(service.ask("0901234539").body == b"" for _ in range(8)))
        until(lambda: json.loads(service.page("/healthz").text)["status"] == "ok")  # as soon as both have looked
        assert service.ask("0901234501").body == b"101"
        until(lambda: not doubted(service))
    with RunningService(config) as service:
        assert service.ask("0901234539").body == b""


def test_a_shrunk_list_of_extensions_is_doubted_and_confirmed_alike(config: Path) -> None:
    with RunningService(config) as service:
        (config.parent / "staff.csv").write_text(staff(range(1, 3)), encoding="utf-8")
        service.wait_for_log("staff.csv: only 2 of 30 rows are left")
        assert service.ask("0901234500").body == b"100"
        assert "only 2 of 30 rows" in service.troubles["extensions.csv"]
        status, told = run("confirm", "-c", config, "extensions.csv")
        assert (status, told.partition(": staff.csv: only 2 of 30 rows")[0]) == (
            0,
            "extensions.csv is confirmed, and believed from now on",
        )
        service.ask_until("0901234500", b"")
        assert service.ask("0901234501").body == b"101"


def test_a_name_that_is_no_list_is_wrong_usage(config: Path) -> None:
    status, told = run("confirm", "-c", config, "customer")
    assert status == 2
    assert "there is no list 'customer': there are customers, extensions.csv" in told


def test_who_only_looks_writes_nothing(config: Path) -> None:
    assert run("check", "-c", config)[0] == 0
    assert run("lookup", "-c", config, "0901234500")[0] == 0
    assert not (config.parent / "last-good").exists()
