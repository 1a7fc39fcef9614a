"""The service from one start to the next, on the files of one folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.commands.main import main
from bridge.config.loading import load_config
from bridge.sdk.deadline import Deadline
from bridge.service import Service

FILES = {
    "customers.csv": "phone,owner email\n"
    + "".join(f"09012345{at:02},nv{at % 3}@congty.example\n" for at in range(40)),
    "staff.csv": "email,extension\n" + "".join(f"nv{at}@congty.example,{101 + at}\n" for at in range(3)),
    "deputies.csv": "owner,deputy,from,until\nnv0@congty.example,nv1@congty.example,2020-01-01,\n"
    "nv2@congty.example,nv1@congty.example,2020-01-01,2020-01-02\n",
}
PARTS = {
    "customers.csv": "connector customers",
    "staff.csv": "extensions.csv",
    "deputies.csv": "extensions.deputies.csv",
}


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    file = tmp_path / "config.yaml"
    file.write_text(
        "api_keys: [change-me]\nconnectors: {customers: {type: csv, path: customers.csv}}\n"
        "extensions: {csv: {path: staff.csv}, deputies: {csv: {path: deputies.csv}}}\n"
    )
    return file


@contextmanager
def service(config: Path) -> Iterator[Service]:
    made = Service(load_config(config))
    try:
        made.open(10)
        yield made
    finally:
        made.close()


def body(made: Service) -> str:
    return made.lookup.answer(["0901234500"], [], Deadline.after(5)).body


def deleted(file: Path) -> None:
    file.unlink()


def half_written(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-7])


def emptied(file: Path) -> None:
    file.write_bytes(b"")


@pytest.mark.parametrize("damage", [deleted, half_written, emptied])
@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_damaged_at_a_restart_counts_as_it_last_was_and_is_told(config: Path, name: str, damage) -> None:
    with service(config) as made:
        assert (body(made), made.troubles()) == ("102", {})
    damage(config.parent / name)
    with service(config) as made:
        assert body(made) == "102"
        assert list(made.troubles()) == [PARTS[name]]
    checked = CliRunner().invoke(main, ["check", "-c", str(config)])
    assert checked.exit_code == (0 if damage is half_written else 1)
    assert f"{name}: " in checked.stdout


def test_a_decision_names_the_customers_line_and_the_line_of_each_extension(config: Path) -> None:
    with config.open("a") as file:
        file.write("  inline: {nv3@congty.example: 104}\n")
    text = config.read_text().replace(
        "extensions: {csv: {path: staff.csv}, ", "extensions:\n  csv: {path: staff.csv}\n  "
    )
    config.write_text(text.replace("deputies: {csv: {path: deputies.csv}}}", "deputies: {csv: {path: deputies.csv}}"))
    rows = "0911111111,nv1@congty.example\n0911111111,nv3@congty.example\n0922222222,nv0@congty.example\n"
    (config.parent / "customers.csv").write_text(f"phone,owner email\n{rows}")
    with service(config) as made:
        one, other = (made.lookup.answer([number], [], Deadline.after(5)) for number in ("0911111111", "0922222222"))
        where = "in customers.csv:2, 3: extension"
        assert list(one.about_owners()) == [
            f"owner email nv1@congty.example {where} 102 (staff.csv:3)",
            f"owner email nv3@congty.example {where} 104 (extensions.inline nv3@congty.example)",
        ]
        told = "owner email nv0@congty.example in customers.csv:4: extension 102 (staff.csv:3)"
        assert next(iter(other.about_owners())) == told
