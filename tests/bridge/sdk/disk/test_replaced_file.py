import stat
from pathlib import Path

import pytest

from bridge.sdk.files import replace_file


def test_the_new_content_is_there_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_bytes(b"old")
    path.chmod(0o644)
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_whoever_has_the_old_file_open_still_reads_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_bytes(b"old")
    with path.open("rb") as file:
        replace_file(path, b"new")
        assert file.read() == b"old"


def test_what_cannot_be_replaced_stays_and_nothing_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    with pytest.raises(OSError, match="Is a directory"):
        replace_file(tmp_path / "kept", b"new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["kept"]
    with pytest.raises(FileNotFoundError):
        replace_file(tmp_path / "missing" / "kept", b"new")
