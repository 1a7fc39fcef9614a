import stat
from pathlib import Path

import pytest

from bridge.sdk.files import replace_file


def test_the_new_content_is_there_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_bytes(b"kept: old")
    path.chmod(0o644)
    replace_file(path, b"kept: new", begins=b"kept: ")
    assert path.read_bytes() == b"kept: new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_whoever_has_the_old_file_open_still_reads_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_bytes(b"kept: old")
    with path.open("rb") as file:
        replace_file(path, b"kept: new", begins=b"kept: ")
        assert file.read() == b"kept: old"


def test_what_cannot_be_replaced_stays_and_nothing_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    with pytest.raises(OSError, match="it is no file"):
        replace_file(tmp_path / "kept", b"kept: new", begins=b"kept: ")
    assert [entry.name for entry in tmp_path.iterdir()] == ["kept"]
    with pytest.raises(FileNotFoundError):
        replace_file(tmp_path / "missing" / "kept", b"kept: new", begins=b"kept: ")


@pytest.mark.parametrize("there", [b"phone,owner\n", b"KEPT: else", b"api_keys: [k]\n"])
def test_what_somebody_else_has_put_there_stays(tmp_path: Path, there: bytes) -> None:
    path = tmp_path / "kept"
    path.write_bytes(there)
    with pytest.raises(OSError, match="there is a file that omi-bridge did not make"):
        replace_file(path, b"kept: new", begins=b"kept: ")
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (there, [path])
    with pytest.raises(ValueError, match="has to begin"):
        replace_file(path, b"new", begins=b"kept: ")
