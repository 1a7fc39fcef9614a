import os
from pathlib import Path

import pytest

from bridge.sdk.disk.list_state import ListState
from bridge.sdk.errors import SourceUnavailable
from bridge.sdk.files.shrinking import Shrinking
from bridge.sdk.files.watched_file import WatchedFile
from bridge.testing import FakeClock


class Place:
    """A file, the folder of what is kept of it, and processes that watch it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "customers.csv"
        self.folder = folder / "state"
        self.clock = FakeClock()
        self.kept = ListState()
        self.watched: list[WatchedFile[int]] = []

    def write(self, rows: int, sign: str = "x") -> None:
        self.path.write_text(f"{sign}\n" * rows)

    def start(self, *, writes: bool = True, folder: Path | None = None) -> WatchedFile[int]:
        kept = self.kept = ListState(folder or self.folder, "customers", writes=writes, wall_clock=self.clock)
        watched = WatchedFile(self.path, rows_of, shrinking=Shrinking(int, lambda: kept), wait=lambda _: True)
        watched.start()
        self.watched.append(watched)
        return watched


def rows_of(path: Path) -> int:
    return path.read_text().count("\n")


def settle(watched: WatchedFile[int]) -> int:
    watched.poll()
    watched.poll()
    return watched.current()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    made.write(40)
    return made


def test_a_file_that_lost_more_than_half_of_its_rows_is_doubted(place: Place) -> None:
    watched = place.start()
    place.write(19)
    assert settle(watched) == 40
    assert watched.trouble == (
        "customers.csv: only 19 of 40 rows are left that lead to somebody: not believed before "
        "`omi-bridge confirm customers`, or another version of like size a minute later"
    )
    place.write(20)
    assert settle(watched) == 20
    assert watched.trouble == ""


@pytest.mark.parametrize("restarts", [False, True])
def test_a_file_that_loses_half_in_steps_is_doubted_as_well(place: Place, *, restarts: bool) -> None:
    watched = place.start()
    for rows, in_force in ((21, 21), (11, 21), (6, 21), (3, 21)):
        place.clock.advance(4)
        place.write(rows)
        watched = place.start() if restarts else watched
        assert settle(watched) == in_force
    assert "only 3 of 40 rows are left" in watched.trouble


def test_what_was_confirmed_is_what_later_versions_are_measured_by(place: Place) -> None:
    watched = place.start()
    place.write(25)
    settle(watched)
    place.write(19)
    assert settle(watched) == 25
    ListState(place.folder, "customers").confirm()
    assert settle(watched) == 19
    place.write(12)
    assert settle(place.start()) == settle(watched) == 12


def test_a_small_file_may_lose_what_it_likes(place: Place) -> None:
    place.write(19)
    watched = place.start()
    place.write(1)
    assert settle(watched) == 1


def test_a_doubted_file_is_doubted_through_a_restart_and_the_last_good_one_stays_in_force(place: Place) -> None:
    place.start()
    place.write(5)
    for _ in range(3):
        place.clock.advance(3600)
        watched = place.start()
        assert watched.current() == 40
        assert "only 5 of 40 rows are left" in watched.trouble


def test_a_file_that_is_as_it_was_is_believed_without_a_copy(place: Place) -> None:
    place.start()
    (place.folder / "customers.good").unlink()
    assert place.start().current() == 40


def test_a_copy_is_the_services_own_and_only_of_its_file(place: Place, tmp_path: Path) -> None:
    place.start()
    assert (place.folder / "customers.good").stat().st_mode & 0o777 == 0o600
    assert place.folder.stat().st_mode & 0o777 == 0o700
    place.path = tmp_path / "other.csv"
    place.write(3)
    assert place.start().current() == 3


def test_what_omi_bridge_did_not_make_is_never_written_over(place: Place) -> None:
    place.folder.mkdir()
    (place.folder / "customers.good").write_text("somebody's")
    place.start()
    assert (place.folder / "customers.good").read_text() == "somebody's"


def test_a_copy_that_another_process_is_just_taking_is_no_trouble(place: Place) -> None:
    place.folder.mkdir()
    (place.folder / "customers.good").write_bytes(place.path.read_bytes())
    place.start()
    assert place.kept.trouble == ""
    assert (place.folder / "customers.good.json").exists()


def test_no_copy_is_taken_of_what_the_file_has_become_since_it_was_read(place: Place) -> None:
    place.start()
    kept = ListState(place.folder, "customers", writes=True, wall_clock=place.clock)

    def lose(_old: int, _new: int) -> None:
        place.write(5)

    shrinking = Shrinking(int, lambda: kept)
    watched = WatchedFile(place.path, rows_of, shrinking=shrinking, accept=lose, wait=lambda _: True)
    place.watched.append(watched)
    watched.start()
    place.write(41)
    assert settle(watched) == 41
    assert place.start().current() == 40


def test_confirming_puts_the_doubted_version_in_force_in_every_process(place: Place) -> None:
    watched = [place.start(), place.start()]
    place.write(5)
    assert [settle(one) for one in watched] == [40, 40]
    assert "only 5 of 40 rows" in ListState(place.folder, "customers").confirm()
    assert [settle(one) for one in watched] == [5, 5]
    assert [one.trouble for one in watched] == ["", ""]
    assert place.start().current() == 5


def test_what_was_confirmed_is_that_version_alone(place: Place) -> None:
    watched = place.start()
    place.write(5)
    settle(watched)
    ListState(place.folder, "customers").confirm()
    place.write(3, "y")
    assert settle(watched) == 40


def test_nothing_is_confirmed_where_nothing_is_doubted(place: Place) -> None:
    watched = place.start()
    assert ListState(place.folder, "customers").confirm() == ""
    place.write(5)
    settle(watched)
    place.write(39)
    settle(watched)
    assert ListState(place.folder, "customers").confirm() == ""


def test_a_later_different_version_of_like_size_is_believed(place: Place) -> None:
    watched = place.start()
    place.write(6)
    assert settle(watched) == 40
    place.clock.advance(61)
    place.write(7)
    assert settle(watched) == 7


@pytest.mark.parametrize(
    ("rows", "sign", "seconds"),
    [(6, "x", 3600), (7, "x", 59), (2, "x", 3600)],
    ids=["the same again", "too soon", "of another size"],
)
def test_what_is_the_same_too_soon_or_of_another_size_confirms_nothing(
    place: Place, rows: int, sign: str, seconds: float
) -> None:
    watched = place.start()
    place.write(6)
    settle(watched)
    place.clock.advance(seconds)
    place.write(rows, sign)
    os.utime(place.path, (1, 1))
    assert settle(watched) == 40


def test_a_later_version_is_believed_after_a_restart_too(place: Place) -> None:
    place.start()
    place.write(6)
    place.start()
    place.clock.advance(61)
    place.write(7)
    assert place.start().current() == 7


def test_who_only_looks_doubts_as_well_and_writes_nothing(place: Place) -> None:
    assert place.start(writes=False).current() == 40
    assert not place.folder.exists()
    place.start()
    place.write(5)
    looking = place.start(writes=False)
    assert looking.current() == 40
    assert "only 5 of 40" in looking.trouble
    assert not (place.folder / "customers.doubted").exists()


def test_where_nothing_can_be_written_a_file_is_doubted_as_long_as_the_process_lives(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    (place.path.parent / "file").write_text("")
    nowhere = place.path.parent / "file/state"
    watched = place.start(folder=nowhere)
    assert "after a restart nobody can tell whether it has shrunk" in caplog.text
    place.write(5)
    assert settle(watched) == 40
    assert place.start(folder=nowhere).current() == 5


def test_a_copy_that_cannot_be_used_is_told_and_nothing_is_in_force(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place.start()
    (place.folder / "customers.good").unlink()
    place.write(5)
    kept = ListState(place.folder, "customers", wall_clock=place.clock)
    watched = WatchedFile(place.path, _strict, shrinking=Shrinking(int, lambda: kept), wait=lambda _: True)
    watched.start()
    with pytest.raises(SourceUnavailable, match="only 5 of 40 rows"):
        watched.current()
    assert "the copy of its last good version cannot be used" in caplog.text


def _strict(path: Path) -> int:
    if not path.exists():
        raise SourceUnavailable("there is no such file")
    return rows_of(path)


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"digest": 1}', "\0"])
def test_damaged_files_of_the_folder_cost_nothing_but_the_memory(place: Place, damage: str) -> None:
    place.folder.mkdir()
    for kind in ("doubted", "confirmed", "good.json"):
        (place.folder / f"customers.{kind}").write_text(damage)
    watched = place.start()
    place.write(5)
    assert settle(watched) == 40


def test_the_minute_runs_on_while_the_same_version_is_seen_again(place: Place) -> None:
    watched = place.start()
    place.write(6)
    settle(watched)
    place.clock.advance(40)
    os.utime(place.path, (1, 1))
    settle(watched)
    place.clock.advance(40)
    place.write(7)
    assert settle(watched) == 7


def test_the_same_file_read_otherwise_is_not_doubted(place: Place) -> None:
    place.start()
    kept = ListState(place.folder, "customers", writes=True, wall_clock=place.clock)
    watched = WatchedFile(place.path, lambda _: 3, shrinking=Shrinking(int, lambda: kept), wait=lambda _: True)
    watched.start()
    assert (watched.current(), watched.trouble) == (3, "")


def deleted(path: Path) -> None:
    path.unlink()


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def no_longer_readable_as_such(path: Path) -> None:
    path.write_bytes(b"\xff" * 1000)


@pytest.mark.parametrize("damage", [deleted, a_folder, no_longer_readable_as_such])
def test_a_file_that_cannot_be_read_at_a_restart_is_stood_in_for_by_its_copy(place: Place, damage) -> None:
    place.start()
    damage(place.path)
    again = place.start()
    assert again.current() == 40
    assert again.trouble.startswith("customers.csv: ")
    assert place.kept.stands_in == again.trouble
    if place.path.is_dir():
        place.path.rmdir()
    place.write(5)
    assert settle(again) == 40, "a version that is measured by the copy is doubted as any other"
    assert "only 5 of 40 rows are left" in again.trouble
    place.write(41)
    assert settle(again) == 41
    assert (again.trouble, place.kept.stands_in) == ("", "")


def test_a_file_that_is_being_written_at_a_restart_is_stood_in_for_by_its_copy(place: Place) -> None:
    place.start()
    kept = ListState(place.folder, "customers", wall_clock=place.clock)
    writers = [5]

    def load(path: Path) -> int:
        if path == place.path and writers:
            place.write(writers.pop())
        return rows_of(path)

    again = WatchedFile(place.path, load, shrinking=Shrinking(int, lambda: kept), wait=lambda _: True)
    again.start()
    assert (again.current(), again.trouble) == (40, "customers.csv: changed while it was being read")
    assert settle(again) == 40
    assert "only 5 of 40 rows are left" in again.trouble


def test_without_a_copy_there_is_nothing_to_stand_in(place: Place) -> None:
    place.path.unlink()
    with pytest.raises(SourceUnavailable, match="there is no such file"):
        place.start().current()
    assert place.kept.stands_in == ""


def test_the_copy_of_another_file_does_not_stand_in(place: Place) -> None:
    place.start()
    place.path = place.path.with_name("others.csv")
    with pytest.raises(SourceUnavailable, match="there is no such file"):
        place.start().current()
