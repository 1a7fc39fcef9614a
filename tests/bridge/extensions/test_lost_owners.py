"""Who loses his extension when a list changes is named, until he leads somewhere again."""

from contextlib import contextmanager

import pytest
import yaml

from bridge.config.loading import load_config
from bridge.extensions.index import ExtensionMap
from bridge.extensions.lists import ExtensionLists
from bridge.extensions.lost_owners import LostOwners
from bridge.sdk.connector import Owner

STAFF = "email,extension\nlan@congty.example,101\nminh@congty.example,102\n"
WITHOUT_LAN = "email,extension\nminh@congty.example,102\nhoa@congty.example,103\n"
TOLD = "1 owner had an extension in extensions.csv before it changed, and none now: lan@congty.example: add them again"


class Place:
    """A configuration whose file of extensions changes, and what is told of the lists."""

    def __init__(self, folder) -> None:
        self._folder = folder
        self.write(STAFF)
        (folder / "customers.csv").write_text("phone,owner\n0901234567,lan@congty.example\n", encoding="utf-8")
        self.lists = self._made()

    def write(self, staff: str) -> None:
        (self._folder / "staff.csv").write_text(staff, encoding="utf-8")

    def changes_to(self, staff: str) -> None:
        self.write(staff)
        for _ in range(2):  # it is read once it stands still
            self.lists.file._file.poll()  # noqa: SLF001 - the watching thread's own step

    def reload(self, **extensions: object) -> None:
        before = self.lists
        self.lists = self._made(before, **extensions)
        before.close(self.lists)

    def told(self) -> str:
        return dict(self.lists.troubles())["extensions"]

    def _made(self, previous=None, **extensions: object) -> ExtensionLists:
        settings = {
            "api_keys": ["change-me"],
            "connectors": {"customers": {"type": "csv", "path": "customers.csv"}},
            "extensions": {"csv": {"path": "staff.csv"}, **extensions},
        }
        (self._folder / "config.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
        lists = ExtensionLists(load_config(self._folder / "config.yaml"), previous)
        lists.start(writes=False)
        return lists


@contextmanager
def placed(folder):
    place = Place(folder)
    assert place.told() == ""
    yield place
    place.lists.close()


def test_who_is_taken_out_of_the_file_is_named_until_he_is_back(tmp_path, caplog):
    with placed(tmp_path) as place:
        place.changes_to(WITHOUT_LAN)
        assert place.told().startswith(TOLD)
        assert place.told().startswith(TOLD)
        assert caplog.text.count(TOLD) == 1
        place.changes_to(STAFF + "hoa@congty.example,103\n")
        assert place.told() == ""


def test_so_is_whose_cell_was_emptied(tmp_path):
    with placed(tmp_path) as place:
        place.changes_to(STAFF.replace(",101", ","))
        assert place.told().startswith(TOLD)


@pytest.mark.parametrize(
    "meant",
    [
        {"inline": {"lan@congty.example": []}},
        {"inline": {"lan@congty.example": 107}},
        {"deputies": {"inline": [{"owner": "lan@congty.example", "deputy": "minh@congty.example"}]}},
    ],
)
def test_an_extension_elsewhere_a_deputy_or_none_on_purpose_settle_it(tmp_path, meant):
    with placed(tmp_path) as place:
        place.changes_to(WITHOUT_LAN)
        place.reload()
        assert place.told().startswith(TOLD), "a reload alone does not"
        place.reload(**meant)
        assert place.told() == ""


def test_who_goes_with_the_configuration_is_named_too(tmp_path):
    with placed(tmp_path) as place:
        place.reload(inline={"an@congty.example": 108, "42": 109})
        assert place.told() == ""
        place.reload(inline={"42": 109})
        assert (
            "had an extension in extensions.inline before it changed, and none now: an@congty.example" in place.told()
        )


def test_another_name_for_one_who_is_known_by_his_email_is_told_once_for_a_row():
    def rows(name):
        return ExtensionMap(of_any_kind=[((name, f"{name}@congty.example", "7"), ("101",)), (("hoa",), ("102",))])

    owners = LostOwners()
    assert not owners.trouble({"csv": rows("lan")}, {"csv"}, lambda _: True)
    told = owners.trouble({"csv": rows("minh")}, {"csv"}, lambda owner: owner != Owner(id="7"))
    assert "1 owner had" in told
    assert "none now: lan:" in told


def test_many_are_counted_and_a_list_that_cannot_be_read_takes_nobody_away():
    owners = LostOwners()
    full = ExtensionMap(of_any_kind=[((f"owner{number}",), ("101",)) for number in range(9)])
    owners.trouble({"csv": full}, {"csv"}, lambda _: True)
    assert owners.trouble({}, {"csv"}, lambda _: True) == ""
    assert "owner0, owner1, owner2, owner3, owner4 and 4 more:" in owners.trouble({}, set(), lambda _: True)
