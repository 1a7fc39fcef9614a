from bridge.resilience.circuit_breaker import CircuitBreaker
from tests.support.fakes import FakeClock


def test_it_opens_at_the_threshold_of_failures_in_a_row_and_says_why():
    breaker = CircuitBreaker(3)
    assert [breaker.failed(f"reason {number}") for number in range(3)] == [False, False, True]
    assert (breaker.is_open, breaker.reason) == (True, "reason 2")


def test_while_it_is_open_the_last_failure_is_the_reason():
    breaker = CircuitBreaker(1)
    assert [breaker.failed("down"), breaker.failed("the key has ended")] == [True, False]
    assert (breaker.is_open, breaker.reason) == (True, "the key has ended")


def test_a_success_closes_it_and_counting_begins_anew():
    clock = FakeClock()
    breaker = CircuitBreaker(2, clock)
    breaker.failed("a")
    breaker.failed("b")
    clock.advance(5)
    breaker.succeeded()
    assert (breaker.is_open, breaker.closed_at) == (False, 1005.0)
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
    assert breaker.seconds_to_hold() == 3600
