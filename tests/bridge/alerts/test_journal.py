"""From what is wrong, and when, to what is told: a table."""

from itertools import pairwise

import pytest

from bridge.alerts.journal import QUIET, Journal

CRM, LIST = "connector crm", "extensions.csv"
AWAY, REJECTED = "crm.example cannot be reached", "rejected: crm.example answered 401"
START = 1_700_000_000.0
ENDLESS = 1e9


def told(journal, troubles, until, start=0, step=5):
    """Look every five seconds; `troubles` are words by part and times from which and until which they are said."""
    found = []
    for now in range(start, until, step):
        present = {part: words for part, words, begin, end in troubles if begin <= now < end}
        changes = journal.observe(present, START + now)
        found += [(now, change.kind.value, change.part, change.times) for change in changes]
    return found


def flaps(every, on, until, words=AWAY):
    return [(CRM, words, begin, begin + on) for begin in range(0, until, every)]


CASES = {
    "what lasts for seconds is nobody's business": ([(CRM, AWAY, 0, 55)], 3600, []),
    "what lasts is told after a minute, and that it is over": (
        [(CRM, AWAY, 0, 1200)],
        3600,
        [(60, "began", CRM, 0), (1260, "over", CRM, 0)],
    ),
    "what somebody has to act on is told at once": ([(CRM, REJECTED, 10, ENDLESS)], 1200, [(10, "began", CRM, 0)]),
    "no second word within a quarter of an hour, not even a good one": (
        [(CRM, AWAY, 0, 120)],
        3600,
        [(60, "began", CRM, 0), (960, "over", CRM, 0)],
    ),
    "two troubles of one moment are told together, a later one by itself": (
        [
            (CRM, AWAY, 0, ENDLESS),
            (LIST, "cannot be read", 0, ENDLESS),
            ("cache.path", "the disk is full", 300, ENDLESS),
        ],
        1200,
        [(60, "began", CRM, 0), (60, "began", LIST, 0), (360, "began", "cache.path", 0)],
    ),
    "what comes and goes is added up": (
        flaps(120, 90, 1800),
        3600,
        [(60, "began", CRM, 0), (960, "again", CRM, 8), (1860, "over", CRM, 6)],
    ),
    "many short ones make a long one": (
        flaps(60, 20, 300),
        3600,
        [(180, "began", CRM, 3), (1080, "over", CRM, 1)],
    ),
    "what came and went within the quarter of an hour after the all-clear is told once": (
        [(CRM, AWAY, 0, 1200), (CRM, AWAY, 1400, 1500), (CRM, AWAY, 1700, 1800)],
        7200,
        [(60, "began", CRM, 0), (1260, "over", CRM, 0), (2160, "passed", CRM, 1)],
    ),
    "a trouble that takes another turn, on which somebody has to act, is told again": (
        [(CRM, AWAY, 0, 300), (CRM, REJECTED, 300, ENDLESS)],
        7200,
        [(60, "began", CRM, 0), (960, "again", CRM, 0)],
    ),
    "what goes on is not told again": ([(CRM, AWAY, 0, ENDLESS)], 86400, [(60, "began", CRM, 0)]),
    "two short ones with an hour between them are two": ([(CRM, AWAY, 0, 40), (CRM, AWAY, 3600, 3640)], 7200, []),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_told_when(case):
    troubles, until, expected = CASES[case]
    assert told(Journal(60.0), troubles, until) == expected


@pytest.mark.parametrize("every", [7, 45, 130, 333, 1000])
def test_no_part_is_told_of_twice_within_a_quarter_of_an_hour(every):
    found = told(Journal(60.0), flaps(every, every // 2 + 1, 20_000, REJECTED), 30_000)
    assert len(found) > 3
    assert all(later[0] - earlier[0] >= QUIET for earlier, later in pairwise(found))


def test_after_a_restart_nothing_is_told_that_was_told_before():
    before, after = Journal(60.0), Journal(60.0)
    troubles = [(CRM, AWAY, 0, 4000)]
    assert told(before, troubles, 1000) == [(60, "began", CRM, 0)]
    after.restore(before.state(), START + 1000)
    unseen_at_first = [(CRM, AWAY, 1300, 4000)]
    assert told(after, unseen_at_first, 6000, 1000) == [(4060, "over", CRM, 0)]


def test_a_trouble_that_a_restart_ended_is_told_to_be_over():
    before, after = Journal(60.0), Journal(60.0)
    told(before, [(CRM, AWAY, 0, 4000)], 1000)
    after.restore(before.state(), START + 1000)
    assert told(after, [], 6000, 1000) == [(1960, "over", CRM, 0)]


def test_a_clock_that_is_set_back_silences_nothing():
    journal = Journal(60.0)
    told(journal, [(CRM, AWAY, 90_000, 100_000)], 90_200, 90_000)
    assert told(journal, [(CRM, AWAY, 0, 500)], 3600) == [(900, "over", CRM, 0)]


def test_what_is_kept_is_bounded():
    journal = Journal(60.0)
    for number in range(200):
        told(journal, [(f"part {number}", AWAY, 0, ENDLESS)], number * 2000 + 200, number * 2000)
    assert len(journal.state()) < 5
