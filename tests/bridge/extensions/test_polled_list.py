import contextlib
import itertools
import logging
import threading

import pytest

from bridge.extensions.polled_list import PolledList
from bridge.sdk.connector import Owner
from bridge.sdk.errors import SourceRejected, SourceUnavailable
from bridge.sdk.extension_source import ExtensionEntry
from bridge.storage.machine import MachineMemory
from bridge.storage.shared.machine_namespace import MachineNamespace
from tests.support.fakes import FakeClock
from tests.support.listed import entries, listed
from tests.support.rounds import Rounds

LAN, MINH = Owner(login="lan"), Owner(login="minh")


class Reading:
    """A list whose rounds the test lets go."""

    def __init__(self, said, *, clock=None, **settings):
        self.kind = None
        self.clock = clock or FakeClock()
        self.rounds = Rounds()
        self.pauses = []
        settings = listed(said, **settings)
        self.kind = settings.source
        self.list = PolledList(settings, clock=self.clock, wait=self._wait)

    @property
    def source(self):
        return self.kind.made[-1]

    def _wait(self, seconds):
        self.pauses.append(seconds)
        return self.rounds(seconds)

    def say(self, said):
        self.kind.says = said
        self.rounds.step()


@contextlib.contextmanager
def reading(said, *, started=True, **settings):
    made = Reading(said, **settings)
    try:
        if started:
            made.list.start()
            made.list.wait(10)
            made.rounds.step(0)
        yield made
    finally:
        made.rounds.end()
        made.list.close()


def test_the_list_is_read_at_the_start_and_again_on_its_schedule():
    with reading(entries(lan="101"), refresh="15m") as made:
        assert made.list.current().extensions_of(LAN) == ("101",)
        made.say(entries(lan="105"))
        assert made.list.current().extensions_of(LAN) == ("105",)
        assert made.pauses == [900.0, 900.0]
        assert made.list.trouble == ""


def test_a_list_that_is_read_before_its_time_is_a_new_one_and_the_other_process_has_it_too():
    memory, clock = MachineMemory.make(), FakeClock()
    with reading(entries(lan="101"), started=False, clock=clock, refresh="1h") as ours:
        theirs = Reading(None, clock=clock, refresh="1h")
        for process in (ours, theirs):
            process.list.share(MachineNamespace(memory, "extensions.scripted", "1", clock))
            process.list.start()
            process.rounds.step(0)
        assert theirs.kind.made == []
        assert theirs.list.current().extensions_of(LAN) == ("101",)
        clock.advance(100)
        ours.say(entries(lan="105"))
        theirs.rounds.step()
        assert theirs.kind.made == []
        assert theirs.list.current().extensions_of(LAN) == ours.list.current().extensions_of(LAN) == ("105",)
        assert ours.source.readings == 2
        theirs.rounds.end()
        theirs.list.close()


def test_a_list_that_one_process_could_not_read_the_other_does_not_try_before_the_pause_is_over():
    memory, clock = MachineMemory.make(), FakeClock()
    with reading(SourceRejected("401"), started=False, clock=clock, refresh="1h") as ours:
        theirs = Reading(entries(lan="101"), clock=clock, refresh="1h")
        for process in (ours, theirs):
            process.list.share(MachineNamespace(memory, "extensions.scripted", "1", clock))
            process.list.start()
            process.rounds.step(0)
        assert (ours.source.readings, theirs.kind.made) == (1, [])
        assert ours.pauses == theirs.pauses == [60.0]
        assert theirs.list.trouble == ours.list.trouble
        clock.advance(60)
        theirs.rounds.step()
        assert theirs.list.current().extensions_of(LAN) == ("101",)
        theirs.rounds.end()


def test_half_a_list_is_not_believed_because_the_same_reading_says_so_again():
    memory, clock = MachineMemory.make(), FakeClock()
    with reading(entries(lan="101", minh="102", nghi="103"), started=False, clock=clock, refresh="1h") as made:
        made.list.share(MachineNamespace(memory, "extensions.scripted", "1", clock))
        made.list.start()
        made.rounds.step(0)
        clock.advance(100)
        made.say(entries(lan="101"))
        assert made.list.trouble
        assert made.list.current().extensions_of(MINH) == ("102",)
        made.rounds.step()
        assert made.source.readings == 3


def test_a_list_that_was_never_good_is_unavailable_and_says_why():
    with reading(SourceUnavailable("pbx.example answered 503")) as made:
        with pytest.raises(SourceUnavailable, match=r"^extensions\.scripted: pbx\.example answered 503$"):
            made.list.current()
        assert not made.list.ready
        assert made.list.trouble == "pbx.example answered 503"


def test_nobody_waits_for_the_first_reading():
    with reading(entries(lan="101"), started=False) as made:
        with pytest.raises(SourceUnavailable, match="has not been read yet"):
            made.list.current()
        made.rounds.end()


def test_a_failure_leaves_the_last_good_list_in_force_and_is_told_once(caplog):
    with reading(entries(lan="101")) as made:
        caplog.set_level(logging.INFO)
        made.say(SourceUnavailable("away"))
        made.say(SourceUnavailable("away"))
        assert made.list.current().extensions_of(LAN) == ("101",)
        assert made.list.trouble == "away"
        assert caplog.messages == ["extensions.scripted: away; the last good list stays in force"]
        made.say(entries(lan="101"))
        assert made.list.trouble == ""
        assert caplog.messages[1:] == ["extensions.scripted: is good again"]


def test_a_source_that_fails_is_asked_ever_more_seldom_and_no_more_often_than_it_allows():
    with reading(SourceUnavailable("away"), refresh="15m") as made:
        for _ in range(9):
            made.say(SourceUnavailable("away"))
        made.say(SourceUnavailable("away", retry_after=1800))
        assert made.pauses == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 1800]


def test_a_source_that_refuses_is_asked_less_often():
    with reading(SourceRejected("api_key_invalid"), refresh="15m") as made:
        assert made.pauses == [60]


def test_an_empty_list_never_replaces_a_good_one():
    with reading(entries(lan="101")) as made:
        for _ in range(3):
            made.say(())
        assert made.list.current().extensions_of(LAN) == ("101",)
        assert made.list.trouble == "the list names nobody who has an extension"


def test_an_empty_list_is_no_list():
    with reading(()) as made, pytest.raises(SourceUnavailable, match="names nobody"):
        made.list.current()


def test_a_list_that_lost_most_of_its_names_counts_only_if_it_is_read_again_so():
    with reading(entries(lan="101", minh="102", nghi="103")) as made:
        made.say(entries(lan="101"))
        assert made.list.current().extensions_of(MINH) == ("102",)
        assert "only 1 of 3 names are left" in made.list.trouble
        made.say(entries(minh="102"))
        assert made.list.current().extensions_of(LAN) == ("101",)
        made.say(entries(minh="102"))
        assert made.list.current().extensions_of(LAN) == ()
        assert made.list.trouble == ""


def test_a_list_that_comes_back_whole_makes_the_loss_forgotten():
    whole = entries(lan="101", minh="102", nghi="103")
    with reading(whole) as made:
        made.say(entries(lan="101"))
        made.say(whole)
        made.say(entries(lan="101"))
        assert made.list.current().extensions_of(MINH) == ("102",)


def test_one_who_leaves_is_no_loss_to_doubt():
    with reading(entries(lan="101", minh="102")) as made:
        made.say(entries(lan="101"))
        assert made.list.current().extensions_of(MINH) == ()


@pytest.mark.parametrize(
    "broken",
    [
        None,
        7,
        "101",
        [("lan", "101")],
        [ExtensionEntry(logins="lan", extensions=("101",))],
        [ExtensionEntry(logins=("lan",), extensions="101")],
        [ExtensionEntry(logins=("lan",), extensions=(101,))],
        [ExtensionEntry(logins=(None,), extensions=("101",))],
        [ExtensionEntry(logins=["lan"] * 101, extensions=("101",))],
        lambda _deadline: (ExtensionEntry(logins=("lan",), extensions=("101",)) for _ in itertools.count()),
        KeyError("x"),
        SystemExit(3),
    ],
    ids=lambda broken: "endless" if callable(broken) else str(broken),
)
def test_what_breaks_the_contract_is_a_logged_bug_and_no_list(broken, caplog):
    with reading(entries(lan="101")) as made:
        made.say(broken)
        assert made.list.current().extensions_of(LAN) == ("101",)
        assert made.list.trouble.startswith("a bug in the source: ")
        assert "extensions.scripted has a bug:\nTraceback" in caplog.text
        made.say(entries(lan="105"))
        assert made.list.current().extensions_of(LAN) == ("105",)


def test_entries_that_do_not_end_in_time_are_no_list():
    def forever(_deadline):
        while True:
            made.clock.advance(1)
            yield ExtensionEntry(logins=("lan",), extensions=("101",))

    with reading(entries(lan="101")) as made:
        made.say(forever)
        assert made.list.trouble == "the list did not come to its end in time"


def test_what_is_no_extension_is_left_out_and_nobodys_extension_is_known():
    said = [
        *entries(lan="101", minh="A102"),
        ExtensionEntry(logins=(), extensions=("100",)),
        ExtensionEntry(logins=(" ",), extensions=("104",)),
    ]
    with reading(said) as made:
        assert made.list.current().extensions_of(MINH) == ()
        assert made.list.extensions == {"100", "101", "104"}
        assert made.list.report() == ("1 name of owners, 3 extensions",)


def test_a_reading_that_hangs_is_told_and_nobody_waits_for_it():
    entered, released = threading.Event(), threading.Event()

    def hang(_deadline):
        entered.set()
        assert released.wait(10)
        return entries(lan="101")

    with reading(hang, started=False) as made:
        made.list.start()
        assert entered.wait(10)
        assert made.list.trouble == "has not been read yet"
        made.clock.advance(121)
        assert made.list.trouble == "has been read for more than 120 s, and does not come to an end"
        with pytest.raises(SourceUnavailable):
            made.list.current()
        released.set()
        made.list.wait(10)
        assert made.list.trouble == "the list did not come to its end in time"


def test_closing_ends_the_reading_and_releases_the_source():
    with reading(entries(lan="101")) as made:
        pass
    assert made.source.closed == 1


def test_a_list_that_was_never_started_has_no_source_yet_and_nothing_to_release():
    made = Reading(entries(lan="101"))
    made.list.close()
    assert made.kind.made == []


def test_names_that_several_people_have_are_told():
    said = [ExtensionEntry(names=("Lan",), extensions=(extension,)) for extension in ("101", "102")]
    with reading([*said, *entries(minh="103")]) as made:
        assert made.list.current().extensions_of(Owner(name="Lan")) == ()
        assert made.list.report()[1:] == (
            "names that several people have lead to nobody (e-mails and ids still do): 'Lan'",
        )


def test_what_stands_for_nobody_in_the_list_leads_to_no_extension():
    nobody = ExtensionEntry(ids=("0",), logins=("Unassigned",), names=("Chưa phân công",), extensions=("102",))
    with reading([nobody, *entries(lan="101")]) as made:
        found = made.list.current()
        owners = (Owner(id="0"), Owner(login="unassigned"), Owner(name="chưa phân công"))
        assert [found.extensions_of(owner) for owner in (*owners, LAN)] == [(), (), (), ("101",)]
