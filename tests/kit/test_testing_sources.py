"""The kit for lists of extensions finds what is wrong, and no source that is a server is taken for a connector's."""

import pytest

from tests.kit.test_testing import Run
from tests.support import mistaken_lists as lists

MISTAKES = (
    (lists.RightList, []),
    (
        lists.TakesAnOutageForAnEmptyList,
        ["a_source_that_cannot_be_used_is_no_list", "a_source_that_hangs_is_left_at_the_deadline"],
    ),
    (
        lists.IsReadOnlyOnce,
        ["a_source_that_cannot_be_used_is_no_list", "the_whole_list_is_read_again_and_again"],
    ),
    (
        lists.CrashesWithoutTheFile,
        ["a_source_that_cannot_be_used_is_no_list", "a_source_that_hangs_is_left_at_the_deadline"],
    ),
    (lists.TellsWhatItRead, ["its_errors_its_log_and_its_report_give_no_secret_away"]),
    (lists.WaitsForEver, ["a_source_that_hangs_is_left_at_the_deadline"]),
    (lists.KeepsAThread, ["closing_releases_what_was_held"]),
    (lists.IgnoresTypos, ["its_settings_are_strict_and_show_no_secret"]),
)
"""Lists of extensions, and the tests that fail for them, alone."""

SERVED = """
from bridge.testing import Conformance, FakeCrm
from tests.support import mistakes
SERVERS = {}
def answer(request):
    mine = request.query.get("phone") == "+84901234567"
    return mistakes.ACrm.found if mine else mistakes.ACrm.nobody
class TestServed(Conformance):
    owners = (mistakes.LAN,)
    margin = 0.3
    def connector(self, place):
        SERVERS[place] = FakeCrm(answer).__enter__()
        return mistakes.Right(mistakes.Settings(url=SERVERS[place].url, token=self.secret))
    def stop(self, place):
        SERVERS[place].__exit__(None, None, None)
    def breakages(self):
        return {"it is not running": self.stop}
class TestNeverStopped(TestServed):
    def stop(self, place):
        pass
"""

pytestmark = pytest.mark.system  # the same


@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    """Run the kit on all of them, as a stranger's pytest would; return what failed."""
    lines = ["from tests.support import mistaken_lists as lists"]
    for mistaken, _expected in MISTAKES:
        name = mistaken.__name__
        lines += [f"class Test{name}(lists.ListInAFile):", f"    made_of = lists.{name}"]
    folder = tmp_path_factory.mktemp("strangers")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (folder / "test_lists.py").write_text("\n".join(lines), encoding="utf-8")
    (folder / "test_served.py").write_text(SERVED, encoding="utf-8")
    found = Run({mistaken.__name__: expected for mistaken, expected in MISTAKES}, every=1)
    found.of(folder)
    lists.RightList.ended.set()
    return found.failed


@pytest.mark.parametrize(("mistaken", "expected"), MISTAKES, ids=lambda value: getattr(value, "__name__", ""))
def test_a_mistake_is_found_by_the_tests_that_are_meant_for_it_alone(failed, mistaken, expected):
    assert sorted(failed.get(mistaken.__name__, {})) == expected


def test_a_server_that_is_stopped_is_not_held_against_the_connector(failed):
    assert "Served" not in failed


def test_a_server_that_is_never_stopped_is_told_from_what_the_connector_holds(failed):
    assert "end that in stop(self, place)" in failed["NeverStopped"]["closing_releases_threads_and_connections"]
