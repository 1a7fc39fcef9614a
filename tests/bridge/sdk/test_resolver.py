import socket
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from bridge.sdk import Deadline, Resolver
from tests.support.fakes import FakeClock

FOUND = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 443))]


class NameServer:
    """Answers when it is let to, and counts the questions."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.asked = threading.Semaphore(0)
        self.questions: list[str] = []

    def __call__(self, host: str, *_: object, **__: object) -> Sequence[Any]:
        self.questions.append(host)
        self.asked.release()
        assert self.open.wait(10)
        return FOUND


def not_yet(resolver: Resolver, host: str = "crm.example") -> None:
    with pytest.raises(TimeoutError):
        resolver.addresses(host, 443, Deadline.after(0.0))


def test_one_question_is_asked_for_all_until_it_seems_lost_and_a_few_at_most() -> None:
    server, clock = NameServer(), FakeClock()
    resolver = Resolver(server, clock)
    for _ in range(3):
        not_yet(resolver)
    assert server.asked.acquire(timeout=10)
    for _ in range(40):
        clock.advance(2)
        not_yet(resolver)
    for _ in range(15):
        assert server.asked.acquire(timeout=10)
    assert len(server.questions) == 16
    not_yet(resolver, "other.example")
    server.open.set()
    assert resolver.addresses("crm.example", 443, Deadline.after(10)) == FOUND


def test_an_address_needs_no_question() -> None:
    server = NameServer()
    server.open.set()
    assert Resolver(server).addresses("192.0.2.1", 443, Deadline.after(0.0)) == FOUND
