"""What a source holds in unreadable numbers is told, whoever wrote the connector: log once, counter, explanation."""

import logging

from bridge.config.sections import Cache
from bridge.lookup.guard import Guard
from bridge.lookup.meter import Unmetered
from bridge.sdk import Call, PhoneNumber, holds
from bridge.storage.cache import AnswerCache
from tests.support.fakes import FakeConnector

CALLERS = [PhoneNumber(f"+8490123456{number}") for number in range(3)]


class Counting(Unmetered):
    def __init__(self) -> None:
        self.count = 0

    def unread(self) -> None:
        self.count += 1


def compares(call, _deadline):
    """Compare as `connectors/README.md` says, and do nothing else about it."""
    return [] if holds("0901 xxx 567", call.caller) or holds("chưa có", call.caller) else ()


def test_an_unreadable_number_is_logged_once_counted_and_explained(caplog):
    meter, lines = Counting(), []
    guard = Guard("crm", FakeConnector(answer=compares), AnswerCache(Cache()), meter=meter)
    guard.opening.attempt()
    with caplog.at_level(logging.WARNING):
        for caller in CALLERS:
            pending = guard.begin(Call(caller, None, lines.append))
            pending.wait(10)
            assert pending.answer().owners == ()
    told = [message for message in caplog.messages if "cannot be read" in message]
    assert len(told) == 1
    assert told[0].startswith("connector crm: ")
    assert "'•••• … 567': some of its digits are hidden" in told[0]
    assert meter.count == len(CALLERS)
    assert sum("cannot be read: '•••• … 567'" in line for line in lines) == len(CALLERS)


def test_nobody_is_told_of_what_is_read_outside_a_lookup(caplog):
    with caplog.at_level(logging.WARNING):
        assert not holds("0901 xxx 567", CALLERS[0])
    assert not caplog.messages
