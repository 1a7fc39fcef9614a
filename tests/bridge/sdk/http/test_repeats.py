"""What failed is repeated, what is silent is doubled, and a budget keeps the source safe."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest

from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import SourceBusy, SourceError, SourceRejected, SourceUnavailable, UnexpectedAnswer
from bridge.sdk.http import HttpClient, HttpSettings, Request, Response
from bridge.sdk.http.repeats import MOST, Repeats, RetryBudget
from bridge.sdk.shared import Turns, at_hand
from bridge.storage.machine import MachineMemory
from bridge.storage.shared.named_values import OwnCount
from bridge.testing.scripted_server import Connection, Script, ScriptedServer, answer
from tests.support.fakes import FakeClock
from tests.support.kept import until

GET = Request("GET", "http://crm.example/")
Said = Response | SourceError


def scripted(says: Sequence[Said]) -> tuple[Repeats, list[Request]]:
    """Return what sends to a source that says these in turn, and was well before, and what it was sent."""
    sent: list[Request] = []

    def send(request: Request, _deadline: Deadline) -> Response:
        sent.append(request)
        said = says[min(len(sent), len(says)) - 1]
        if isinstance(said, SourceError):
            raise said
        return said

    repeats = Repeats(send, pause=lambda: 0.0)
    for _ in range(20):
        repeats.budget.begun()
        repeats.budget.answered(5.0)
    return repeats, sent


def status_of(repeats: Repeats) -> int | type[SourceError]:
    try:
        return repeats.send(GET, Deadline.after(10)).status
    except SourceError as error:
        return type(error)


@pytest.mark.parametrize("failure", [Response(500), Response(503), SourceUnavailable("closed the connection")])
def test_what_fails_in_passing_is_repeated_up_to_six_times_in_all(failure: Said) -> None:
    repeats, sent = scripted([failure, failure, Response(200)])
    assert (status_of(repeats), len(sent)) == (200, 3)
    repeats, sent = scripted([failure])
    repeats.pause = lambda: repeats.budget.answered(5.0) or 0.0  # others are answered meanwhile
    assert status_of(repeats) == (failure.status if isinstance(failure, Response) else SourceUnavailable)
    assert len(sent) == MOST == 6


@pytest.mark.parametrize(
    "said",
    [
        Response(400),
        Response(401),
        Response(404),
        Response(429),
        Response(503, {"Retry-After": "1"}),
        SourceRejected("tls"),
        UnexpectedAnswer("too large"),
        SourceBusy("max_rate"),
    ],
)
def test_what_asking_again_does_not_help_or_the_source_does_not_want_is_asked_once(said: Said) -> None:
    repeats, sent = scripted([said])
    assert status_of(repeats) == (said.status if isinstance(said, Response) else type(said))
    assert len(sent) == 1


def test_a_source_that_answers_nobody_is_sent_six_more_at_most_and_then_none_until_it_answers() -> None:
    repeats, sent = scripted([Response(500)])
    for _ in range(20):
        assert status_of(repeats) == 500
    assert len(sent) <= 20 + 6


def test_before_the_first_answer_nothing_is_repeated() -> None:
    sent: list[Request] = []

    def send(request: Request, _deadline: Deadline) -> Response:
        sent.append(request)
        return Response(500)

    assert Repeats(send).send(GET, Deadline.after(10)).status == 500
    assert len(sent) == 1


def test_over_ten_seconds_there_are_one_and_a_half_repeats_for_a_request() -> None:
    clock = FakeClock()
    budget = RetryBudget(Turns(1000, 10.0, clock), Turns(1500, 10.0, clock))
    for _ in range(10):
        budget.begun()
        budget.answered(0.1)
    assert [budget.take() for _ in range(16)] == [True] * 15 + [False]
    clock.advance(10)
    assert not budget.take()
    budget.begun()
    assert [budget.take() for _ in range(2)] == [True, False]


def test_the_processes_of_a_machine_have_one_budget_together() -> None:
    memory = MachineMemory.make()
    with at_hand(OwnCount(memory, "crm")):
        ours, theirs = RetryBudget(), RetryBudget()
    for budget in (ours, theirs):
        budget.answered(0.1)
        budget.begun()
    assert [ours.take(), theirs.take(), ours.take(), theirs.take()] == [True, True, True, False]


def test_a_source_that_answers_no_process_gets_six_more_from_all_of_them_together() -> None:
    memory = MachineMemory.make()
    with at_hand(OwnCount(memory, "crm")):
        ours, theirs = RetryBudget(), RetryBudget()
    for _ in range(10):
        theirs.begun()
    ours.answered(0.1)
    assert theirs.take(), "what one was answered, all have seen"
    for budget in [ours, theirs] * 3:
        budget.unanswered()
    assert [ours.take(), theirs.take()] == [False, False]
    theirs.answered(0.1)
    assert [ours.take(), theirs.take()] == [True, True]


@pytest.mark.parametrize(
    ("seconds", "usual"),
    [
        ([0.2] * 9, 1.0),
        ([0.01] * 50, 0.1),
        ([0.2] * 90 + [1.0] * 10, 1.0),
        ([1.0] * 200 + [0.2] * 191, 0.2),
    ],
)
def test_the_usual_time_is_within_which_nineteen_of_twenty_are_answered(seconds: list[float], usual: float) -> None:
    budget = RetryBudget()
    for one in seconds:
        budget.answered(one)
    assert budget.usual_time() == usual


@contextmanager
def limping(*scripts: Script) -> Iterator[tuple[ScriptedServer, Callable[[], Response]]]:
    """Give a server that follows these, one for each connection, and what asks it after it was well for a while."""
    client = HttpClient(HttpSettings())
    repeats = Repeats(client.send, pause=lambda: 0.0)
    for _ in range(20):
        repeats.budget.begun()
        repeats.budget.answered(0.01)
    with ScriptedServer(*scripts) as server:
        url = f"http://127.0.0.1:{server.port}/"
        yield server, lambda: repeats.send(Request("GET", url), Deadline.after(20))
    client.close()


def answering(connection: Connection) -> None:
    connection.read_request()
    connection.send(answer(b"{}"))


def test_a_silent_request_is_doubled_up_to_twice_and_the_losers_are_cut_off() -> None:
    closed: list[Connection] = []

    def silent(connection: Connection) -> None:
        connection.read_request()
        connection.wait_for_close()
        closed.append(connection)

    with limping(silent, silent, answering) as (server, ask):
        assert ask().status == 200
        until(lambda: len(closed) == 2)
        assert len(server.requests) == 3


def test_it_is_not_doubled_more_than_twice_and_ends_with_its_deadline() -> None:
    silence = threading.Event()

    def send(_request: Request, deadline: Deadline) -> Response:
        counted.release()
        silence.wait(deadline.remaining())
        raise SourceUnavailable("no answer in time")

    counted, repeats = threading.Semaphore(0), Repeats(send, pause=lambda: 0.0)
    for _ in range(20):
        repeats.budget.begun()
        repeats.budget.answered(0.01)
    with pytest.raises(SourceUnavailable):
        repeats.send(GET, Deadline.after(0.6))
    assert [counted.acquire(blocking=False) for _ in range(4)] == [True] * 3 + [False]
