import logging
import sqlite3
import stat

import pytest

from bridge.sdk import Customer, SourceRejected, SourceUnavailable
from bridge.storage.forgotten import Forgotten
from bridge.storage.purges.marks import Purge
from bridge.storage.purges.purges import Purges
from bridge.storage.snapshot.keeper import forget_read_ahead
from tests.support.fakes import FakeClock
from tests.support.listing import LAN, MINH, Kept, Lister, customers, number

LIFE = 1200  # twice `every`, which is longer than the ttl of 600


@pytest.fixture
def clock():
    return FakeClock()


def test_every_customer_is_answered_once_the_whole_list_is_read(tmp_path, clock):
    kept = Kept(Lister(customers(25)), tmp_path, clock)
    assert kept.owners(3) is None
    kept.read()
    assert [kept.owners(at) for at in (0, 3, 24, 25)] == [(LAN,), (LAN,), (LAN,), None]


def test_what_is_kept_may_be_read_by_its_owner_alone(tmp_path, clock):
    Kept(Lister(customers(25)), tmp_path / "made", clock).read()
    assert stat.S_IMODE((tmp_path / "made").stat().st_mode) == 0o700
    files = [file for file in (tmp_path / "made").iterdir() if file.is_file()]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_reading_that_was_ended_goes_on_where_it_was(tmp_path, clock):
    first = Kept(Lister(customers(95)), tmp_path, clock)
    first.connector.during = lambda: first.keeper.close() if len(first.connector.pages) == 4 else None
    first.read()
    first.ends()
    assert (first.connector.pages, first.owners(3)) == ([0, 10, 20, 30], None)
    second = Kept(Lister(customers(95)), tmp_path, clock).read()
    assert second.connector.pages == [40, 50, 60, 70, 80, 90]
    assert [second.owners(at) for at in (0, 39, 40, 94)] == [(LAN,)] * 4


def test_a_failure_is_no_empty_list_and_costs_nothing_that_was_read(tmp_path, clock, caplog):
    kept = Kept(Lister(customers(25)), tmp_path, clock).read()
    kept.connector.all = customers(45, MINH)
    kept.connector.pages.clear()
    kept.connector.fails_behind = (2, SourceUnavailable("the CRM is away"))
    clock.advance(600)
    with caplog.at_level(logging.WARNING):
        kept.read()
    assert kept.owners(3) == (LAN,)
    assert kept.snapshot.trouble == "the customers cannot be read: the CRM is away"
    assert caplog.text.count("the CRM is away") == 1
    kept.connector.fails_behind = None
    kept.read()  # at once it is not asked again
    clock.advance(2)
    kept.read()
    assert kept.connector.pages == [0, 10, 20, 30, 40]
    assert (kept.owners(3), kept.owners(44), kept.snapshot.trouble) == ((MINH,), (MINH,), "")


def test_a_source_that_is_refused_is_asked_ever_more_seldom(tmp_path, clock):
    kept = Kept(Lister(customers(5)), tmp_path, clock)
    kept.connector.fails_behind = (0, SourceRejected("401"))
    for _ in range(600):
        kept.read()
        clock.advance(1)
    assert 5 < len(kept.connector.since) < 12


def test_nothing_is_half_in_force(tmp_path, clock):
    kept = Kept(Lister(customers(95)), tmp_path, clock).read()
    kept.connector.all = customers(95, MINH)
    seen = set()
    kept.connector.during = lambda: seen.update([kept.owners(0), kept.owners(94)])
    clock.advance(600)
    kept.read()
    assert seen == {(LAN,)}
    assert {kept.owners(0), kept.owners(94)} == {(MINH,)}


def test_who_was_deleted_is_noticed_when_all_are_read_again(tmp_path, clock):
    kept = Kept(Lister(customers(25)), tmp_path, clock).read()
    kept.connector.all = customers(24)
    clock.advance(600)
    kept.read()
    assert (kept.owners(23), kept.owners(24)) == ((LAN,), None)


def test_a_list_that_has_lost_more_than_half_is_doubted_until_it_is_confirmed(tmp_path, clock):
    kept = Kept(Lister(customers(100)), tmp_path, clock).read()
    kept.connector.all = customers(40)
    clock.advance(600)
    kept.read()
    assert kept.owners(99) == (LAN,)
    assert "only 40 of 100 numbers are left" in kept.snapshot.trouble
    assert "omi-bridge confirm crm" in kept.snapshot.trouble
    assert kept.connector.kept.confirm()
    kept.read()
    assert (kept.owners(39), kept.owners(99), kept.connector.kept.doubted) == ((LAN,), None, "")


def test_changes_are_read_in_between_and_everything_now_and_then(tmp_path, clock):
    kept = Kept(Lister(customers(25), changes=True), tmp_path, clock).read()
    kept.connector.changed = [Customer([number(3)], (MINH,), "r3"), Customer([], (), "r4", gone=True)]
    clock.advance(600)
    kept.read()
    assert kept.connector.since == [None, 1000.0 - 300]
    assert [kept.owners(at) for at in (2, 3, 4)] == [(LAN,), (MINH,), None]
    clock.advance(21000)
    kept.read()
    assert kept.connector.since[-1] is None


def test_changes_that_came_before_make_a_list_young_and_no_new_file(tmp_path, clock):
    kept = Kept(Lister(customers(25), changes=True), tmp_path, clock).read()
    kept.connector.changed = [Customer([number(3)], (LAN,), "r3")]
    before = kept.snapshot.files.in_force.stat().st_ino
    clock.advance(900)
    kept.read()
    assert (kept.snapshot.age, kept.snapshot.files.in_force.stat().st_ino) == (0, before)
    other = Kept(Lister([]), tmp_path, clock)
    other.snapshot.look()
    assert other.snapshot.age == 0


def test_a_changed_number_leaves_the_old_one(tmp_path, clock):
    kept = Kept(Lister(customers(25), changes=True), tmp_path, clock).read()
    kept.connector.changed = [Customer([number(77)], (LAN,), "r3")]
    clock.advance(600)
    kept.read()
    assert (kept.owners(3), kept.owners(77)) == (None, (LAN,))


def test_records_of_a_lower_rank_decide_unless_none_of_their_owners_counts(tmp_path, clock):
    listed = [Customer([number(1)], (LAN,), "contact"), Customer([number(1)], (MINH,), "lead", rank=1)]
    kept = Kept(Lister(listed), tmp_path, clock).read()
    assert kept.owners(1) == (LAN,)
    kept.connector.gone = {LAN}
    assert kept.owners(1) == (MINH,)
    kept.connector.gone = {LAN, MINH}
    assert kept.owners(1) == ()


def test_owners_of_one_number_come_in_the_order_of_the_list(tmp_path, clock):
    listed = [Customer([number(1)], (MINH,), "b"), Customer([number(1), number(2)], (LAN, MINH), "a")]
    kept = Kept(Lister(listed), tmp_path, clock).read()
    assert (kept.owners(1), kept.owners(2)) == ((MINH, LAN), (LAN, MINH))


def test_a_record_whose_owners_cannot_be_told_is_asked_for(tmp_path, clock):
    listed = [Customer([number(1)], (LAN,), "a"), Customer([number(1)], None, "b"), Customer([number(2)], (LAN,), "c")]
    kept = Kept(Lister(listed), tmp_path, clock).read()
    assert (kept.owners(1), kept.owners(2)) == (None, (LAN,))


def test_who_counted_when_they_were_read_counts_while_that_cannot_be_told(tmp_path, clock):
    kept = Kept(Lister([Customer([number(1)], (LAN, MINH), "a")]), tmp_path, clock)
    kept.connector.gone = {LAN}
    kept.read()
    kept.connector.cannot_count = SourceUnavailable("users: not read yet")
    assert kept.owners(1) == (MINH,)


def test_it_is_fresh_for_twice_the_pause_and_used_for_the_stale_ttl_after_that(tmp_path, clock):
    kept = Kept(Lister(customers(3)), tmp_path, clock).read()
    clock.advance(LIFE - 1)
    assert kept.snapshot.says(number(1)).is_fresh
    clock.advance(2)
    assert not kept.snapshot.says(number(1)).is_fresh
    clock.advance(3600)
    assert kept.snapshot.says(number(1)) is None


def test_of_two_processes_one_reads_and_both_see(tmp_path, clock):
    first, second = (Kept(Lister(customers(25)), tmp_path, clock) for _ in range(2))
    first.read()
    second.read()
    assert (second.owners(3), second.connector.pages) == ((LAN,), [])
    first.ends()
    clock.advance(600)
    second.read()
    assert second.connector.pages == [0, 10, 20]


def test_customers_of_another_source_are_none(tmp_path, clock):
    first = Kept(Lister(customers(25)), tmp_path, clock).read()
    first.ends()
    other = Kept(Lister(customers(25, MINH)), tmp_path, clock, source="another key")
    other.snapshot.look()
    assert other.owners(3) is None
    assert other.read().owners(3) == (MINH,)


def test_who_is_forgotten_is_not_answered_from_before_and_stands_in_no_file(tmp_path, clock):
    forgotten = Forgotten(clock=clock, wall_clock=clock)
    kept = Kept(Lister(customers(25)), tmp_path, clock, forgotten=forgotten).read()
    clock.advance(100)
    forgotten.forget(number(3))
    assert (kept.owners(3), kept.owners(4)) == (None, (LAN,))
    assert forget_read_ahead(kept.snapshot.files, number(3)) == 1
    assert str(number(3).e164[1:]).encode() not in kept.snapshot.files.in_force.read_bytes()
    kept.snapshot.look()
    assert (kept.owners(3), kept.owners(4)) == (None, (LAN,))


@pytest.mark.parametrize(
    "purge", [Purge(callers=frozenset([number(3)])), Purge(owners=frozenset(["minh@congty.example"]))]
)
def test_what_was_purged_is_not_answered_until_it_is_read_again(tmp_path, clock, purge):
    purges = Purges(clock=clock, wall_clock=clock)
    listed = [*customers(3), *customers(1, MINH, 3), *customers(5, first=4)]
    kept = Kept(Lister(listed), tmp_path, clock, purges=purges).read()
    clock.advance(100)
    purges.purge(purge)
    assert [kept.owners(at) for at in (2, 3, 4)] == [(LAN,), None, (LAN,)]
    clock.advance(600)
    assert kept.read().owners(3) == (MINH,)


def test_a_purge_while_all_are_read_counts_for_what_was_being_read(tmp_path, clock):
    purges = Purges(clock=clock, wall_clock=clock)
    lister = Lister(customers(25))

    def purge() -> None:
        lister.during = lambda: None
        clock.advance(1)
        purges.purge(Purge(callers=frozenset([number(3)])))
        clock.advance(1)

    lister.during = purge
    kept = Kept(lister, tmp_path, clock, purges=purges).read()
    assert (kept.owners(3), kept.owners(4)) == (None, (LAN,))


def test_a_record_tells_whose_numbers_it_has_in_whichever_list_it_stands(tmp_path, clock):
    listed = [
        Customer([number(1), number(2)], (LAN,), "1:42"),
        Customer([number(3)], (LAN,), "2:42"),
        Customer([number(4)], (LAN,), "42"),
        Customer([number(5)], (LAN,), "1:142"),
    ]
    kept = Kept(Lister(listed), tmp_path, clock)
    assert kept.snapshot.callers_of("42") == []
    kept.read()
    assert sorted(map(str, kept.snapshot.callers_of("42"))) == sorted(map(str, map(number, (1, 2, 3, 4))))


def test_a_row_that_is_not_what_was_written_answers_nobody_and_is_read_anew(tmp_path, clock):
    kept = Kept(Lister(customers(25)), tmp_path, clock).read()
    with sqlite3.connect(kept.snapshot.files.in_force) as db:
        db.execute("UPDATE numbers SET rank = 1 WHERE number = ?", [int(number(3).e164[1:])])
    db.close()
    kept.snapshot.look()
    assert kept.owners(3) is None
    assert "not what was written" in kept.snapshot.trouble
    assert (kept.read().owners(3), kept.snapshot.trouble) == ((LAN,), "")


def test_somebody_elses_file_is_left_alone(tmp_path, clock):
    kept = Kept(Lister(customers(25)), tmp_path, clock)
    kept.snapshot.files.reading.write_text("name;phone\n")
    kept.read()
    assert kept.snapshot.files.reading.read_text() == "name;phone\n"
    assert "did not make" in kept.snapshot.trouble


def test_how_far_a_reading_is_can_be_told_by_every_process(tmp_path, clock):
    kept = Kept(Lister(customers(400)), tmp_path, clock)
    other = Kept(Lister([]), tmp_path, clock)
    told = []
    kept.connector.during = lambda: (clock.advance(6), told.append(other.snapshot.progress()))
    kept.read()
    assert told[20] == "read 200 of 400, 2 min left"
    assert kept.snapshot.progress() == ""
