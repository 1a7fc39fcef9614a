import errno
import grp
import pwd
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.sdk.disk.unreadable_file import why_unreadable
from tests.support.another_user import NOBODY, as_nobody, only_root


def missing(path: Path) -> str:
    return why_unreadable(path, FileNotFoundError(errno.ENOENT, "No such file or directory"))


def closed(path: Path) -> str:
    with as_nobody():
        return why_unreadable(path, PermissionError(errno.EACCES, "Permission denied"))


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody may enter, as far as its parents are concerned."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.parametrize(
    ("there", "asked"),
    [
        ("customers.csv", "customer.csv"),
        ("Customers.csv", "customers.csv"),
        ("customers.csv", "customers.csv "),
        ("customers.csv", "customers"),
        ("customers.csv.csv", "customers.csv"),
        ("customers.xlsx", "customers.csv"),
        ("config.yml", "config.yaml"),
        ("config.yaml.txt", "config.yaml"),
    ],
)
def test_a_file_that_may_be_meant_is_named(tmp_path, there, asked):
    (tmp_path / there).touch()
    assert missing(tmp_path / asked) == f"there is no such file: {tmp_path}/{asked}, did you mean '{there}'?"


@pytest.mark.parametrize("there", ["Khách hàng.xlsx", "Khách\u00a0hàng.xlsx"])
def test_a_name_that_only_looks_the_same_is_told_to_be_typed_anew(tmp_path, there):
    (tmp_path / unicodedata.normalize("NFD", there)).touch()
    asked = tmp_path / "Khách hàng.xlsx"
    assert missing(asked) == (
        f"there is no such file: {asked}; a file is there whose name looks the same, with accents or blanks that are "
        "stored otherwise: rename it by typing its name anew"
    )


def test_a_file_of_another_name_is_not_suggested(tmp_path):
    (tmp_path / "staff.csv").touch()
    (tmp_path / "b.csv").touch()
    assert missing(tmp_path / "customers.csv") == f"there is no such file: {tmp_path}/customers.csv"
    assert missing(tmp_path / "a.csv") == f"there is no such file: {tmp_path}/a.csv"


def test_the_first_folder_that_is_missing_is_named(tmp_path):
    path = tmp_path / "crm" / "export" / "customers.csv"
    assert missing(path) == f"there is no such file: {path}; there is no folder {tmp_path}/crm"


def test_a_link_to_nothing_tells_where_it_leads(tmp_path):
    link = tmp_path / "customers.csv"
    link.symlink_to("gone.csv")
    assert missing(link) == f"there is no such file: {link}, which is a link to gone.csv"


@only_root
def test_whoever_may_not_read_a_file_is_told_the_command_that_mends_it(folder):
    file = folder / "config.yaml"
    file.touch(mode=0o600)
    user, group = pwd.getpwuid(NOBODY).pw_name, grp.getgrgid(NOBODY).gr_name
    assert closed(file) == (
        f"Permission denied: the user {user} may not read {file}: as root: chgrp {group} {file} && chmod g+rX {file}"
    )


@only_root
def test_a_closed_folder_is_mended_with_what_is_in_it(folder):
    inner = folder / "my files"
    inner.mkdir(mode=0o700)
    file = inner / "config.yaml"
    file.touch(mode=0o600)
    group = grp.getgrgid(NOBODY).gr_name
    assert closed(file).endswith(
        f"may not read {inner}: as root: chgrp {group} '{inner}' '{file}' && chmod g+rX '{inner}' '{file}'"
    )


@only_root
def test_nobody_is_told_to_open_the_home_of_root():
    assert closed(Path("/root/config.yaml")).endswith(
        "may not read /root: move the file out of there, for example to /etc/omi-bridge"
    )


@only_root
def test_what_the_rights_do_not_explain_is_left_as_the_system_says_it(folder):
    file = folder / "config.yaml"
    file.touch(mode=0o644)
    assert closed(file) == "Permission denied"
    assert why_unreadable(file, OSError(errno.EIO, "Input/output error")) == "Input/output error"
