"""A step made for several rows: a few at a time, in order; what is known of them if not all can be asked."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import pytest

from bridge.sdk import Call, Deadline, Owner, PhoneNumber, SourceError, SourceUnavailable, UnexpectedAnswer
from connectors.rest.connector import RestConnector
from connectors.rest.fan_out import FanOut, HelperPlaces
from tests.support.crm import Crm, Question, Says, config

PATIENCE = 10.0
TEXT = """
max_requests: 20
steps:
  - path: contacts
    query: {phone: "{{ caller.nsn }}"}
    match: phone
    take: {contact: id}
  - path: "contacts/{{ contact }}/owner"
    take: {owner_id: id}
"""
FURTHER = TEXT + '  - {path: "users/{{ owner_id }}", where: active, take: {email: mail}}\n'


def contacts(number: int) -> list[dict[str, object]]:
    return [{"phone": "0901234567", "id": at} for at in range(1, number + 1)]


def crm_of(number: int, **scripts: object) -> Crm:
    each = {f"contacts/{at}/owner": {"id": at} for at in range(1, number + 1)}
    users = {f"users/{at}": {"active": True, "mail": f"u{at}@congty.example"} for at in range(1, number + 1)}
    return Crm({"contacts": contacts(number), **each, **users, **scripts})


@dataclass
class Told:
    """What became of a lookup: owners, what was told ahead of them, or the error."""

    owners: list[str | None] = field(default_factory=list)
    ahead: list[list[str | None]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    error: SourceError | None = None


@contextmanager
def connector_of(crm: Crm, text: str = TEXT) -> Iterator[RestConnector]:
    connector = RestConnector(config(text, crm.url))
    try:
        yield connector
    finally:
        connector.close()


def ask(connector: RestConnector, deadline: float = 5.0) -> Told:
    told = Told()

    def so_far(owners: Sequence[Owner]) -> None:
        told.ahead.append([owner.id for owner in owners])

    call = Call(PhoneNumber.parse("0901234567"), None, told.lines.append, so_far)
    try:
        told.owners = [owner.id for owner in connector.find_owners(call, Deadline.after(deadline))]
    except SourceError as error:
        told.error = error
    return told


def numbers(*ids: int) -> list[str]:
    return [str(one) for one in ids]


def helping() -> int:
    """Return how many threads help."""
    return sum(thread.name == "source-help" for thread in threading.enumerate())


class Together:
    """Answers only when so many requests are there at once; `helping` is how many threads helped by then."""

    def __init__(self, parties: int) -> None:
        self._barrier = threading.Barrier(parties, self._count)
        self.helping: set[int] = set()

    def __call__(self, question: Question) -> object:
        self._barrier.wait(PATIENCE)
        return {"id": int(question.path.split("/")[3])}

    def _count(self) -> None:
        self.helping.add(helping())


@pytest.mark.parametrize(("settings", "at_once"), [("", 4), ("max_in_flight: 2", 2), ("max_in_flight: 1", 1)])
def test_four_rows_are_asked_for_at_a_time_or_as_many_as_max_in_flight_leaves(settings: str, at_once: int) -> None:
    together = Together(at_once)
    with Crm({"contacts": contacts(8), **{f"contacts/{at}/owner": together for at in range(1, 9)}}) as crm:
        with connector_of(crm, settings + TEXT) as connector:
            assert ask(connector).owners == numbers(*range(1, 9))
        assert together.helping == {at_once - 1}
        assert helping() == 0


def test_two_rows_that_need_the_same_request_make_it_once() -> None:
    scripts: dict[str, object] = {f"contacts/{at}/owner": {"id": 7} for at in range(1, 9)}
    scripts["users/7"] = {"active": True, "mail": "u7@congty.example"}
    with crm_of(8, **scripts) as crm, connector_of(crm, FURTHER) as connector:
        assert ask(connector).owners == ["7"]
        assert sum(question.path == "/api/users/7" for question in crm.asked) == 1
        assert len(crm.asked) == 10
    with crm_of(2, **scripts) as crm, connector_of(crm, "max_in_flight: 1" + FURTHER) as connector:
        lines = ask(connector).lines
        assert sum("record 1: email" in line for line in lines) == 1


def test_whoever_was_found_when_the_requests_run_out_is_told_in_order() -> None:
    with crm_of(10) as crm, connector_of(crm, TEXT.replace("20", "6")) as connector:
        told = ask(connector)
        assert told.ahead[-1] == numbers(1, 2, 3, 4, 5)
        assert isinstance(told.error, UnexpectedAnswer)
        assert "more than max_requests (6) would be needed" in str(told.error)
        assert len(crm.asked) == 6


def test_a_row_is_followed_to_its_end_before_the_next_is_begun() -> None:
    with crm_of(10) as crm, connector_of(crm, "max_in_flight: 1" + FURTHER.replace("20", "6")) as connector:
        told = ask(connector)
        assert told.ahead[-1] == numbers(1, 2)
        assert [question.path.removeprefix("/api/") for question in crm.asked[1:5]] == [
            *("contacts/1/owner", "users/1", "contacts/2/owner", "users/2")
        ]


@pytest.mark.parametrize("said", [Says(status=500), Says({}, status=404), Says(raw=b"<html>"), {"name": "no id"}])
def test_one_row_that_fails_does_not_lose_the_others(said: object) -> None:
    with crm_of(6, **{"contacts/2/owner": said}) as crm, connector_of(crm) as connector:
        told = ask(connector)
        assert told.ahead[-1] == numbers(1, 3, 4, 5, 6)
        assert told.error is not None
        assert str(told.error).startswith("step 2 (contacts/…/owner): ")


def test_a_row_that_fails_and_others_without_an_owner_are_an_error_and_not_nobody() -> None:
    scripts = {f"contacts/{at}/owner": {"id": None} for at in (1, 3)}
    with crm_of(3, **scripts, **{"contacts/2/owner": Says(status=500)}) as crm, connector_of(crm) as connector:
        told = ask(connector)
        assert isinstance(told.error, SourceUnavailable)
        assert not any(told.ahead)


def test_whoever_may_have_left_is_not_told_before_that_is_known() -> None:
    with crm_of(3, **{"users/2": {"active": False, "mail": "x"}, "users/3": Says(status=500)}) as crm:
        with connector_of(crm, FURTHER) as connector:
            told = ask(connector)
        assert {one for known in told.ahead for one in known} == {"1"}
        assert isinstance(told.error, SourceUnavailable)


def test_whoever_has_a_step_ahead_that_stands_behind_another_beginning_is_not_told_before() -> None:
    leads = '  - {path: leads, start: also, query: {p: "{{ caller.nsn }}"}, match: phone, take: {owner_id: id}}\n'
    before, users = FURTHER.rstrip("\n").rsplit("\n", 1)
    scripts = {"leads": Says(status=500), "users/1": {"active": False, "mail": "x"}}
    with crm_of(3, **scripts) as crm, connector_of(crm, f"{before}\n{leads}{users}\n") as connector:
        told = ask(connector)
        assert {one for known in told.ahead for one in known} == {"2", "3"}
        assert str(told.error).startswith("step 3 (leads): ")


def test_a_source_that_asks_to_be_left_alone_is_not_asked_for_the_other_rows() -> None:
    busy = Says(status=429, headers=(("Retry-After", "30"),))
    with crm_of(9, **{"contacts/2/owner": busy}) as crm, connector_of(crm, "max_in_flight: 1" + TEXT) as connector:
        told = ask(connector)
        assert told.ahead[-1] == ["1"]
        assert isinstance(told.error, SourceUnavailable)
        assert told.error.retry_after == 30
        assert len(crm.asked) == 3


def test_what_is_known_is_told_while_another_row_hangs() -> None:
    known, done = threading.Event(), threading.Event()
    seen: list[list[str | None]] = []

    def hang(_question: Question) -> object:
        known.wait(PATIENCE)
        return {"id": 2}

    def so_far(owners: Sequence[Owner]) -> None:
        seen.append([owner.id for owner in owners])
        if len(owners) == 5:
            known.set()

    with crm_of(6, **{"contacts/2/owner": hang}) as crm, connector_of(crm) as connector:
        call = Call(PhoneNumber.parse("0901234567"), None, so_far=so_far)
        found = connector.find_owners(call, Deadline.after(PATIENCE))
        done.set()
        assert [owner.id for owner in found] == numbers(*range(1, 7))
        assert numbers(1, 3, 4, 5, 6) in seen


def test_at_the_deadline_nobody_waits_for_the_row_that_hangs() -> None:
    over = threading.Event()

    def hang(_question: Question) -> object:
        over.wait(PATIENCE)
        return {"id": 2}

    with crm_of(6, **{"contacts/2/owner": hang}) as crm:
        with connector_of(crm) as connector:
            told = ask(connector, deadline=0.5)
            assert told.ahead[-1] == numbers(1, 3, 4, 5, 6)
            assert isinstance(told.error, SourceUnavailable)
            assert helping() == 0
        over.set()


def test_an_additional_place_that_fails_does_not_lose_what_the_first_knows() -> None:
    text = """
    steps:
      - {path: contacts, query: {p: "{{ caller.nsn }}"}, match: phone, take: {owner_id: id}}
      - {path: leads, start: also, query: {p: "{{ caller.nsn }}"}, match: phone, take: {owner_id: id}}
      - {path: "users/{{ owner_id }}", where: active, take: {email: mail}}
    """
    with crm_of(2, leads=Says(status=500)) as crm, connector_of(crm, text) as connector:
        told = ask(connector)
        assert told.ahead[-1] == numbers(1, 2)
        assert str(told.error).startswith("step 2 (leads): ")
        crm.scripts["contacts"] = []
        told = ask(connector)
        assert (told.ahead, isinstance(told.error, SourceUnavailable)) == ([], True)


def test_one_value_of_for_each_that_fails_does_not_lose_the_one_before() -> None:
    text = """
    steps:
      - for_each: {module: [contacts, leads]}
        path: "{{ module }}"
        query: {p: "{{ caller.nsn }}"}
        match: phone
        take: {owner_id: id}
    """
    with crm_of(1, leads=Says(status=500)) as crm, connector_of(crm, text) as connector:
        told = ask(connector)
        assert told.ahead[-1] == ["1"]
        assert str(told.error).startswith("step 1, module leads: ")


def test_one_record_that_cannot_be_read_does_not_lose_the_others() -> None:
    text = "steps: [{path: contacts, query: {p: '{{ caller.nsn }}'}, match: phone, take: {owner_id: id}}]"
    odd = {"phone": "0901234567", "id": {"planted": 1}}
    with Crm({"contacts": [*contacts(2), odd]}) as crm, connector_of(crm, text) as connector:
        told = ask(connector)
        assert told.ahead[-1] == numbers(1, 2)
        assert isinstance(told.error, UnexpectedAnswer)
        assert any("record 3 cannot be read" in line for line in told.lines)
        crm.scripts["contacts"] = [odd]
        told = ask(connector)
        assert (told.ahead[-1:], isinstance(told.error, UnexpectedAnswer)) == ([[]], True)


def test_a_bug_in_a_thread_that_helps_is_raised_where_it_is_noticed() -> None:
    def work(item: int, _stage: int) -> list[int]:
        if item == 3:
            raise ZeroDivisionError
        return [item]

    with pytest.raises(ZeroDivisionError):
        FanOut(HelperPlaces(16), work, 1, lambda _out: None).run([1, 2, 3, 4])


def test_a_thread_that_helps_knows_what_belongs_to_the_call() -> None:
    call, together = ContextVar("call", default=0), threading.Barrier(2)

    def work(_item: int, _stage: int) -> list[int]:
        together.wait(PATIENCE)
        return [call.get()]

    call.set(7)
    assert FanOut(HelperPlaces(2), work, 1, lambda _out: None).run([1, 2])[0] == [7, 7]


def test_a_tree_of_items_comes_out_in_the_order_of_one_thread() -> None:
    def work(item: str, _stage: int) -> list[str]:
        return [item + letter for letter in "abc"]

    out: list[list[str]] = []
    found, failures = FanOut(HelperPlaces(16), work, 3, out.append).run(["x", "y"])
    assert found == sorted(found)
    assert (len(found), failures, out[-1]) == (54, [], found)
