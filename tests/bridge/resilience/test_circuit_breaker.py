import queue
import threading

from bridge.resilience.circuit_breaker import CircuitBreaker, Trials
from tests.support.fakes import FakeClock
from tests.support.rounds import Rounds


def test_it_opens_at_the_threshold_of_failures_in_a_row_and_says_why():
    breaker = CircuitBreaker(3)
    assert [breaker.failed(f"reason {number}") for number in range(3)] == [False, False, True]
    assert (breaker.is_open, breaker.reason) == (True, "reason 2")


def test_while_it_is_open_the_last_failure_is_the_reason():
    breaker = CircuitBreaker(1)
    assert [breaker.failed("down"), breaker.failed("the key has ended")] == [True, False]
    assert (breaker.is_open, breaker.reason) == (True, "the key has ended")


def test_a_success_closes_it_and_counting_begins_anew():
    breaker = CircuitBreaker(2)
    breaker.failed("a")
    breaker.failed("b")
    assert [breaker.succeeded(), breaker.succeeded()] == [True, False]
    assert not breaker.is_open
    assert not breaker.failed("c")
    assert breaker.failed("d")


def test_a_source_that_asks_to_be_left_alone_opens_it_at_once():
    clock = FakeClock()
    breaker = CircuitBreaker(5, clock)
    assert breaker.failed("429", 30)
    clock.advance(10)
    assert breaker.seconds_to_hold() == 20


def test_nobody_can_ask_to_be_left_alone_for_more_than_an_hour():
    breaker = CircuitBreaker(5, FakeClock())
    breaker.failed("429", 10**9)
    assert breaker.seconds_to_hold() == 60


class Tried:
    """A source that is tried in the background, in rounds that the test lets go."""

    def __init__(self):
        self.clock, self.rounds, self.pauses = FakeClock(), Rounds(), []
        self.breaker = CircuitBreaker(1, self.clock)
        self.attempts, self.recovered = 0, queue.Queue()
        self.well = False
        self.trials = Trials(
            "tried", self.breaker, self._attempt, lambda: self.recovered.put("well"), pause=lambda: 2.0, wait=self._wait
        )

    def fail(self, hold=None):
        if self.breaker.failed("down", hold):
            self.trials.start()

    def _attempt(self):
        self.attempts += 1
        if self.well:
            self.breaker.succeeded()

    def _wait(self, seconds):
        self.pauses.append(seconds)
        return self.rounds(seconds)


def test_it_is_tried_until_one_trial_succeeds_and_anew_when_it_opens_again():
    tried = Tried()
    for attempts in (3, 6):
        tried.well = False
        tried.fail()
        tried.rounds.step(2)
        tried.well = True
        tried.rounds.step_last()
        assert tried.recovered.get(timeout=10) == "well"
        assert tried.attempts == attempts
    assert tried.pauses == [2.0] * 6
    assert tried.recovered.empty()


def test_it_is_not_tried_before_the_source_allows_it():
    tried = Tried()
    tried.fail(hold=30)
    tried.rounds.step()
    assert (tried.attempts, tried.pauses) == (0, [30, 30])
    tried.clock.advance(30)
    tried.rounds.step()
    assert tried.attempts == 1
    tried.rounds.end()
    tried.trials.close()


def test_whoever_else_closes_it_ends_the_trials():
    tried = Tried()
    tried.fail()
    tried.breaker.succeeded()
    tried.rounds.step_last()
    assert tried.recovered.get(timeout=10) == "well"
    assert tried.attempts == 0


def test_what_opens_after_the_end_is_not_tried_any_more():
    tried = Tried()
    tried.trials.close()
    tried.fail()
    assert not any(thread.name == "trial-tried" for thread in threading.enumerate())
    assert tried.pauses == []
