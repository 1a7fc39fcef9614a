"""The kit for integrators finds what is wrong: a connector for each mistake, and the tests that have to fail for it."""

import threading

import pytest

from tests.support import mistakes as once
from tests.support import mistakes_of_steps as steps

MISTAKES = (
    (once.Right, []),
    (once.IgnoresTheDeadline, ["a_crm_that_hangs_is_left_at_the_deadline"]),
    (once.TakesAnOutageForNobody, ["a_failure_is_not_nobody"]),
    (once.TakesARefusalForNobody, ["a_failure_is_not_nobody"]),
    (once.TakesNoCrmForNobody, ["a_source_that_cannot_be_used_is_not_nobody"]),
    (once.ForgetsThePause, ["a_failure_is_not_nobody"]),
    (
        once.BelievesEveryShape,
        ["an_answer_of_another_shape_is_not_nobody", "what_the_crm_calls_an_error_is_not_nobody"],
    ),
    (once.BelievesEveryByte, ["a_spoilt_answer_is_not_believed"]),
    (once.ReadsWithoutEnd, ["a_spoilt_answer_is_not_believed"]),
    (once.CrashesOnNull, ["a_field_of_another_type_is_no_crash"]),
    (
        once.BelievesAnothersRecord,
        ["a_stranger_gets_no_owners_while_a_customer_calls", "the_record_of_another_customer_does_not_count"],
    ),
    (
        once.AsksWithoutTheCountry,
        [
            "a_field_of_another_type_is_no_crash",
            "a_similar_number_is_another_customer",
            "the_record_of_another_customer_does_not_count",
        ],
    ),
    (once.ComparesTheEnd, ["the_record_of_another_customer_does_not_count"]),
    (once.ComparesTheBeginning, ["the_record_of_another_customer_does_not_count"]),
    (once.ComparesTexts, ["the_number_counts_in_every_spelling"]),
    (once.KnowsNoForeigners, ["a_caller_whom_nobody_knows_has_no_owner"]),
    (
        once.AsksOneAfterTheOther,
        [
            "a_call_waits_for_no_other_beyond_its_deadline",
            "a_customer_keeps_his_owners_while_a_stranger_calls",
            "a_stranger_gets_no_owners_while_a_customer_calls",
        ],
    ),
    (once.SulksAfterAFailure, ["one_failure_is_no_failure_for_ever"]),
    (once.DividesByTheTimeLeft, ["a_deadline_that_has_passed_is_no_crash"]),
    (once.TellsItsToken, ["its_errors_give_nothing_away"]),
    (once.QuotesTheCrm, ["its_errors_give_nothing_away"]),
    (once.ChainsWhatItCaught, ["its_errors_give_nothing_away"]),
    (once.LogsTheCaller, ["its_log_gives_nothing_away"]),
    (once.PrintsItsToken, ["its_log_gives_nothing_away"]),
    (once.KeepsItsAnswers, ["an_answer_is_not_kept"]),
    (once.MakesAClientForEachCall, ["no_more_is_asked_than_max_rate_allows"]),
    (once.TakesAnotherShapeForAnOutage, ["an_answer_of_another_shape_is_not_nobody"]),
    (once.Lists, []),
    (once.ListsTheFirstPageAlone, ["a_list_is_as_long_as_it_says"]),
    (once.ListsAllUnderOneId, ["a_list_is_as_long_as_it_says"]),
    (
        once.ListsForEver,
        [
            "a_list_goes_on_behind_each_of_its_pages",
            "a_list_is_as_long_as_it_says",
            "a_list_that_cannot_be_read_is_no_list",
            "customers_who_are_listed_have_the_owners_of_a_call",
        ],
    ),
    (once.ExplainsItsToken, ["what_it_explains_and_reports_gives_no_secret_away"]),
    (once.IgnoresTypos, ["its_settings_are_strict"]),
    (once.ShowsItsToken, ["its_settings_show_no_secret"]),
    (once.ShowsWrongSettings, ["its_settings_show_no_secret"]),
    (once.LeavesAThread, ["closing_releases_threads_and_connections"]),
    (once.LeavesASocket, ["closing_releases_threads_and_connections"]),
    (once.ClosesOnlyOnce, ["closing_twice_or_before_opening_does_no_harm"]),
    (once.WaitsForCallsAtTheEnd, ["closing_during_a_call_is_no_crash"]),
    (
        once.OpensWithACrash,
        [
            "a_crm_that_was_away_is_found_again",
            "a_failure_while_it_is_opened_is_told",
            "a_source_that_cannot_be_used_is_not_nobody",
            "opening_ends_when_the_source_hangs",
        ],
    ),
    (once.NamesEverybody, ["the_owners_of_a_customer_are_found"]),
    (once.ReturnsAGenerator, ["the_owners_of_a_customer_are_found"]),
    (once.BelievesTheStatus, ["what_the_crm_calls_an_error_is_not_nobody"]),
    (
        steps.SwallowsAFailedDetail,
        [
            "a_crm_that_hangs_is_left_at_the_deadline",
            "a_failure_is_not_nobody",
            "a_spoilt_answer_is_not_believed",
            "an_answer_of_another_shape_is_not_nobody",
        ],
    ),
    (steps.ComparesNoDetail, ["the_record_of_another_customer_does_not_count"]),
    (steps.SignsIn, []),
    (steps.WaitsForAnothersSession, ["a_call_waits_for_no_other_beyond_its_deadline"]),
    (steps.OpensWithoutAnEnd, ["opening_ends_when_the_source_hangs"]),
    (
        steps.OpensWhateverHappens,
        [
            "a_crm_that_was_away_is_found_again",
            "a_failure_while_it_is_opened_is_told",
            "a_source_that_cannot_be_used_is_not_nobody",
            "opening_ends_when_the_source_hangs",
        ],
    ),
    (steps.TellsItsPasswordWhenItSignsIn, ["its_errors_give_nothing_away"]),
    (steps.TellsItsSession, ["its_errors_give_nothing_away"]),
    (steps.NeverSignsInAgain, ["a_session_that_is_over_is_renewed"]),
)
"""Connectors, and the tests that fail for them, alone."""


class Run:
    """Chooses what is run, and collects which tests of which class failed, and which were left out.

    The right connectors take all tests. One with a mistake takes those that are meant for it, and some of the
    others in turn: together, the mistakes try them all.
    """

    def __init__(self, mistakes, every) -> None:
        self.failed = {}
        self.skipped = {}
        self._expected = {f"Test{name}": tests for name, tests in mistakes.items()}
        self._every = every

    def of(self, folder):
        options = ["-p", "no:cacheprovider", "-p", "no:terminal", "--assert=plain", "-W", "ignore"]
        pytest.main([*options, f"--rootdir={folder}", str(folder)], plugins=[self])

    def pytest_collection_modifyitems(self, items):
        items[:] = [item for number, item in enumerate(items) if self._is_chosen(item, number)]

    def _is_chosen(self, item, number):
        expected = self._expected.get(item.cls.__name__)
        turn = list(self._expected).index(item.cls.__name__) if expected else 0
        return not expected or name_of(item.nodeid) in expected or (number + turn) % self._every == 0

    def pytest_runtest_logreport(self, report):
        kind = self.failed if report.failed else self.skipped
        if not report.passed:
            connector = report.nodeid.split("::")[1].removeprefix("Test")
            kind.setdefault(connector, {})[name_of(report.nodeid)] = str(report.longrepr)


def name_of(nodeid):
    return nodeid.split("::")[2].removeprefix("test_").partition("[")[0]


ENDED = threading.Event()
"""Ends the thread of a module that starts one while it is imported."""

IMPORTED = """
import threading
from bridge.testing import HttpConformance
from tests.kit import test_testing as here
threading.Thread(target=here.ENDED.wait, args=(600,), name="pool").start()
class TestImported(here.once.ACrm, HttpConformance):
    owners = (here.once.LAN,)
    def connector(self, url):
        return here.once.Right(here.once.Settings(url=url, token=self.secret))
"""

pytestmark = pytest.mark.system  # it waits for what hangs: each mistake does so for as long as the kit lets it


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Run the kit on all connectors, as a stranger's pytest would."""
    lines = ["from bridge.testing import HttpConformance", "from tests.kit import test_testing as here"]
    for connector, _expected in MISTAKES:
        where = "steps" if issubclass(connector, steps.ReadsDetails) else "once"
        crm = "once.ACrm" if where == "once" else "steps.ACrmWithDetails"
        if issubclass(connector, steps.SignsIn):
            crm = "steps.ACrmWithSessions"
        lines += [
            f"class Test{connector.__name__}(here.{crm}, HttpConformance):",
            "    owners = (here.once.LAN,)",
            "    enough, moment, margin = 1, 0.05, 0.5",
            "    def connector(self, url):",
            f"        made = here.{where}.{connector.__name__}",
            "        return made(made.Config(url=url, token=self.secret, timeout=0.3))",
        ]
    folder = tmp_path_factory.mktemp("strangers")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (folder / "test_connectors.py").write_text("\n".join(lines), encoding="utf-8")
    (folder / "test_imported.py").write_text(IMPORTED, encoding="utf-8")
    mistakes = {connector.__name__: expected for connector, expected in MISTAKES}
    found = Run({**mistakes, "Imported": ["importing_it_starts_no_thread_that_never_ends"]}, every=8)
    found.of(folder)
    once.LeavesAThread.ended.set()
    ENDED.set()
    return found


@pytest.mark.parametrize(("connector", "expected"), MISTAKES, ids=lambda value: getattr(value, "__name__", ""))
def test_a_mistake_is_found_by_the_tests_that_are_meant_for_it_alone(run, connector, expected):
    assert sorted(run.failed.get(connector.__name__, {})) == expected


def test_a_connector_that_finds_nobody_fails_one_test_and_the_others_wait(run):
    first = "first mend test_the_owners_of_a_customer_are_found"
    waiting = {name for name, tests in run.skipped.items() if any(first in why for why in tests.values())}
    assert waiting == {"ReturnsAGenerator", "NamesEverybody"}


@pytest.mark.parametrize(
    ("connector", "test", "advice"),
    [
        ("NamesEverybody", "the_owners_of_a_customer_are_found", "it also named somebody who is not the customer's"),
        (
            "DividesByTheTimeLeft",
            "a_deadline_that_has_passed_is_no_crash",
            "raise SourceUnavailable(…) from None`. Do so before",
        ),
        ("ReadsWithoutEnd", "a_spoilt_answer_is_not_believed", "Read no more than a limit"),
        ("IgnoresTheDeadline", "a_crm_that_hangs_is_left_at_the_deadline", "was still busy long after its deadline"),
        ("OpensWithoutAnEnd", "opening_ends_when_the_source_hangs", "Deadline.after(self.config.timeout)"),
        ("WaitsForAnothersSession", "a_call_waits_for_no_other_beyond_its_deadline", "timeout=deadline.remaining()"),
        ("PrintsItsToken", "its_log_gives_nothing_away", "Log and print nothing about a call"),
        ("KeepsItsAnswers", "an_answer_is_not_kept", "omi-bridge remembers them"),
        ("MakesAClientForEachCall", "no_more_is_asked_than_max_rate_allows", "HttpClient(config) in __init__"),
        ("TakesAnotherShapeForAnOutage", "an_answer_of_another_shape_is_not_nobody", "Raise UnexpectedAnswer"),
        ("ListsTheFirstPageAlone", "a_list_is_as_long_as_it_says", "Ask for all pages"),
        ("ListsForEver", "a_list_goes_on_behind_each_of_its_pages", "the last one after=''"),
        ("Imported", "importing_it_starts_no_thread_that_never_ends", "the thread 'pool' was started while"),
    ],
)
def test_a_failure_says_what_to_do(run, connector, test, advice):
    assert advice in run.failed[connector][test]


def test_a_thread_of_an_import_is_nobody_elses_fault(run):
    assert list(run.failed["Imported"]) == ["importing_it_starts_no_thread_that_never_ends"]
