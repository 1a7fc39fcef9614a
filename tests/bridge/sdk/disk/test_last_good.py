import logging
from pathlib import Path

import pytest

from bridge.sdk import LastGood, ListState, SourceUnavailable

WHOLE, HALF, FEW, OTHERS = frozenset("abcd"), frozenset("ab"), frozenset("a"), frozenset("b")


@pytest.fixture
def good(caplog: pytest.LogCaptureFixture) -> LastGood[frozenset[object]]:
    caplog.set_level(logging.INFO)
    return LastGood("people", "the last good list stays in force", logging.getLogger("test"))


def take(good: LastGood[frozenset[object]], new: frozenset[object]) -> str:
    """Judge a reading as those who read do; return what is lost."""
    if loss := good.loss(new, lambda content: content):
        good.refuse(loss)
    else:
        good.put(new)
    return loss


def test_nothing_is_in_force_before_the_first_good_reading(good: LastGood[frozenset[object]]) -> None:
    with pytest.raises(SourceUnavailable, match=r"^people: has not been read yet$"):
        good.current()
    good.refuse("away")
    with pytest.raises(SourceUnavailable, match=r"^people: away$"):
        good.current()


def test_a_failure_leaves_the_last_good_content_and_each_reason_is_told_once(
    good: LastGood[frozenset[object]], caplog: pytest.LogCaptureFixture
) -> None:
    good.refuse("away")
    good.put(WHOLE)
    for reason in ("away", "away", "people: broken"):
        good.refuse(reason)
    assert (good.current(), good.trouble, good.failures) == (WHOLE, "people: broken", 3)
    good.put(HALF)
    assert (good.current(), good.trouble, good.failures) == (HALF, "", 0)
    assert caplog.messages == [
        "people: away",
        "people: is good again",
        "people: away; the last good list stays in force",
        "people: broken; the last good list stays in force",
        "people: is good again",
    ]


def test_whoever_hears_of_a_failure_can_see_it_already(good: LastGood[frozenset[object]]) -> None:
    seen: list[str] = []

    class Heard(logging.Handler):
        def emit(self, _record: logging.LogRecord) -> None:
            seen.append(good.trouble)

    log, heard = logging.getLogger("test"), Heard()
    log.addHandler(heard)
    good.refuse("away")
    good.put(WHOLE)
    log.removeHandler(heard)
    assert seen == ["away", ""]


def test_a_list_of_which_more_than_half_is_gone_counts_only_if_it_is_read_again_so(
    good: LastGood[frozenset[object]],
) -> None:
    assert take(good, WHOLE) == ""
    assert take(good, FEW) == "only 1 of 4"
    assert take(good, OTHERS) == "only 1 of 4"
    assert good.current() == WHOLE
    assert take(good, OTHERS) == ""
    assert good.current() == OTHERS


def test_what_comes_back_whole_makes_the_loss_forgotten(good: LastGood[frozenset[object]]) -> None:
    assert [bool(take(good, reading)) for reading in (WHOLE, FEW, WHOLE, FEW)] == [False, True, False, True]


def test_half_of_it_is_no_loss_to_doubt(good: LastGood[frozenset[object]]) -> None:
    assert [take(good, reading) for reading in (WHOLE, HALF)] == ["", ""]


def test_a_loss_that_somebody_confirms_is_none(good: LastGood[frozenset[object]], tmp_path: Path) -> None:
    kept = ListState(tmp_path, "crm", writes=True)
    good.put(WHOLE)
    assert good.loss(FEW, frozenset, kept) == "only 1 of 4"
    assert kept.doubted == "people: only 1 of 4 are left"
    assert ListState(tmp_path, "crm").confirm() == "people: only 1 of 4 are left"
    assert good.loss(OTHERS, frozenset, kept) == "only 1 of 4"
    assert good.loss(FEW, frozenset, kept) == ""
    assert kept.doubted == ""
