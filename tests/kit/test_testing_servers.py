"""The kit for servers finds what is wrong with a connector, tells the remedy, and ends, whatever the connector does."""

import inspect
import subprocess
import sys

import pytest

from tests.kit.test_testing import Run
from tests.support import mistakes_at_a_server as mistakes

FOUND = "the_owners_of_a_customer_are_found"
STRANGERS = "a_caller_whom_nobody_knows_has_no_owner"
BREAKS = "a_source_that_breaks_after_a_good_start_is_not_nobody"
HANGS = "a_source_that_hangs_is_left_at_the_deadline"
OPENING = "opening_ends_when_the_source_hangs"
NO_TIME = "a_deadline_that_has_passed_is_no_crash"
CUT = "an_answer_that_is_cut_short_is_not_nobody"
AT_ONCE = "many_calls_at_once_get_their_own_answers"
MADE = "its_constructor_asks_nobody"
ERRORS = "its_errors_give_nothing_away"
CLOSE = "closing_twice_or_before_opening_does_no_harm"

MISTAKES = {
    "Right": {},
    "WaitsForEver": {FOUND: "was still busy long after its deadline in mistakes_at_a_server.py:"},
    "OpensForEver": {FOUND: "It gets no deadline, so make one: Deadline.after(self.config.timeout)"},
    "ClosesForEver": {CLOSE: "close without open: close was still busy after 1.4 s in mistakes_at_a_server.py:"},
    "ClosesWithAnError": {CLOSE: "nothing to close. It has to do no harm"},
    "IsMadeForEver": {FOUND: "the constructor was still busy after 2.4 s in mistakes_at_a_server.py:"},
    "TakesLongToBeMade": {FOUND: "the source is well, while it is made: the constructor was still busy after"},
    "FailsWhenItIsMade": {FOUND: "It keeps the settings and asks nobody: connect and read in open"},
    "ConnectsWhenItIsMade": {
        MADE: "nobody listens, while it is made: the constructor raised ConnectionRefusedError in"
    },
    "ReturnsText": {FOUND: "it returned str instead of a sequence of owners"},
    "ReturnsNone": {STRANGERS: "raised TypeError: it returned NoneType instead of a sequence of owners. That counts"},
    "ReturnsMappings": {FOUND: "it returned dict instead of an owner"},
    "ReturnsListsInOwners": {FOUND: "it returned an owner whose fields are no texts"},
    "ReturnsNumbersInOwners": {FOUND: "it returned an owner whose fields are no texts"},
    "FailsHalfWay": {FOUND: "it returned generator instead of a sequence of owners"},
    "TellsThePasswordAndTheCaller": {ERRORS: "it holds the secret. Use words of your own"},
    "TellsThePasswordAtTheDeadline": {ERRORS: "it accepts and never answers: the error SourceUnavailable: it holds"},
    "TellsThePasswordInABug": {
        ERRORS: "it holds the secret. Use words of your own",
        **dict.fromkeys((BREAKS, HANGS, NO_TIME, CUT), "`raise SourceUnavailable(…) from None`"),
    },
    "HasAPasswordThatIsShown": {"its_settings_show_no_secret": "proxy_password is shown"},
    "KeepsAThread": {"closing_releases_threads_and_connections": "there is still the thread 'keep alive'"},
    "IgnoresTheDeadline": {HANGS: "No wait may go beyond deadline.remaining()"},
    "LimitsEachWaitAlone": dict.fromkeys(
        (HANGS, OPENING), "its answer drips, a byte every 0.08 s: find_owners was still"
    ),
    "TakesTheEndOfAConnectionForThatOfAnAnswer": {CUT: "returned nobody. Nobody is remembered as the truth"},
    "KeepsTheCall": {AT_ONCE: "Keep nothing about a call on self"},
    "KeepsTheAnswer": {AT_ONCE: "Keep nothing about a call on self"},
    "SharesAConnection": {
        AT_ONCE: "let no two calls share a connection",
        HANGS: "No wait may go beyond deadline.remaining()",
        CUT: "and all is well again: find_owners raised SourceUnavailable",
    },
    "TakesAnOutageForNobody": dict.fromkeys((BREAKS, HANGS, NO_TIME, CUT), "ring in vain: raise SourceUnavailable"),
    "TakesALateAnswerForNobody": dict.fromkeys((HANGS, NO_TIME), "ring in vain: raise SourceUnavailable"),
    "TakesARefusedConnectionForNobody": {
        BREAKS: "nobody listens, after it was opened and has answered: find_owners returned nobody"
    },
    "Exits": dict.fromkeys((BREAKS, HANGS, NO_TIME, CUT), "Anything but a SourceError counts as a bug"),
    "ComparesTheEnd": {FOUND: "So it also named somebody who is not the customer's owner"},
}
"""Connectors, the tests that fail for them, alone, and what these say."""


pytestmark = pytest.mark.system  # it waits for what hangs


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Run the kit on all of them, as a stranger's pytest would."""
    lines = ["from tests.support import mistakes_at_a_server as mistakes"]
    for name in MISTAKES:
        lines += [f"class Test{name}(mistakes.AtADirectory):", f"    made_of = mistakes.{name}"]
    folder = tmp_path_factory.mktemp("strangers")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (folder / "test_servers.py").write_text("\n".join(lines), encoding="utf-8")
    chosen = {name: list(told) for name, told in MISTAKES.items()}
    chosen["ReturnsNone"].append(AT_ONCE)  # which waits until strangers are answered
    found = Run(chosen, every=7)
    found.of(folder)
    mistakes.ENDED.set()
    return found


def test_every_mistake_is_tried():
    classes = [one for _, one in inspect.getmembers(mistakes, inspect.isclass) if issubclass(one, mistakes.Right)]
    assert {one.__name__ for one in classes} == set(MISTAKES)


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found_by_the_tests_that_are_meant_for_it_alone_and_the_remedy_is_told(run, name):
    failed = run.failed.get(name, {})
    assert set(failed) == set(MISTAKES[name])
    for test, words in MISTAKES[name].items():
        assert words in failed[test]


@pytest.mark.parametrize(
    ("name", "first"),
    [("OpensForEver", FOUND), ("IsMadeForEver", FOUND), ("FailsWhenItIsMade", FOUND), ("ReturnsNone", STRANGERS)],
)
def test_what_hinders_other_tests_is_told_once_and_they_wait(run, name, first):
    assert [why for why in run.skipped[name].values() if f"first mend test_{first}" in why]


LEFT = """
import threading
from tests.support import mistakes_at_a_server as mistakes
class KeepsAThread(mistakes.Right):
    def open(self):
        threading.Thread(target=threading.Event().wait, name="keep alive", daemon=False).start()
class TestKeepsAThread(mistakes.AtADirectory):
    made_of = KeepsAThread
"""


def test_pytest_ends_though_a_thread_never_does(tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (tmp_path / "test_left.py").write_text(LEFT, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "closing_releases", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "after close there is still the thread 'keep alive'" in done.stdout
    assert "1 failed" in done.stdout
    assert done.returncode == 1
    assert "the tests are over, but not what they started: " in done.stderr
