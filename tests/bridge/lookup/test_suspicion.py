from bridge.lookup.suspicion import CALLERS, Suspicion
from bridge.sdk.connector import Call
from bridge.sdk.phone.number import PhoneNumber


def question(number: int) -> Call:
    return Call(PhoneNumber(f"+8490123450{number}"), None, print)


def failed(suspicion: Suspicion, *numbers: int) -> Suspicion:
    for number in numbers:
        suspicion.failed(question(number))
    return suspicion


def test_it_is_strong_when_five_callers_are_without_an_answer():
    assert CALLERS == 5
    assert not failed(Suspicion(), 0, 1, 2, 3).is_strong
    assert failed(Suspicion(), 0, 1, 2, 3, 4).is_strong


def test_however_often_one_calls_he_counts_once():
    assert not failed(Suspicion(), *[0] * 50).is_strong


def test_whoever_is_answered_acquits_the_source():
    suspicion = failed(Suspicion(), 0, 1, 2, 3)
    suspicion.answered(question(9))
    assert not failed(suspicion, 4).is_strong


def test_a_trial_asks_what_once_succeeded_one_after_the_other_the_last_first():
    suspicion = Suspicion()
    for number in (1, 2, 3, 2):
        suspicion.answered(question(number))
    failed(suspicion, 5)
    asked = [suspicion.question() for _ in range(4)]
    assert asked == [question(2), question(3), question(1), question(2)]


def test_no_more_than_five_of_what_succeeded_is_kept():
    suspicion = Suspicion()
    for number in range(9):
        suspicion.answered(question(number))
    assert {suspicion.question() for _ in range(20)} == {question(number) for number in range(4, 9)}


def test_where_nothing_ever_succeeded_a_trial_asks_what_has_not_failed():
    suspicion = Suspicion()
    assert suspicion.question() is None
    suspicion.heard(question(7))
    failed(suspicion, 1, 2)
    assert suspicion.question() == question(7)


def test_and_where_all_that_was_heard_has_failed_the_last_of_these():
    suspicion = Suspicion()
    suspicion.heard(question(2))
    assert failed(suspicion, 1, 2).question() == question(2)


def test_nobody_reads_the_explanations_of_a_trial():
    suspicion = Suspicion()
    suspicion.answered(question(1))
    asked = suspicion.question()
    assert asked
    assert not asked.explained


def test_a_new_caller_would_show_something_only_where_nothing_ever_succeeded():
    suspicion = failed(Suspicion(), 1)
    assert [suspicion.acquits(question(number)) for number in (1, 2)] == [False, True]
    suspicion.answered(question(3))
    assert not suspicion.acquits(question(2))


def test_failures_without_end_take_no_memory_without_end():
    suspicion = Suspicion()
    for number in range(1000):
        suspicion.failed(Call(PhoneNumber(f"+84901{number:06}")))
    assert suspicion.acquits(Call(PhoneNumber("+84901000000")))
    assert not suspicion.acquits(Call(PhoneNumber("+84901000999")))
