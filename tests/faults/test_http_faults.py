"""Every fault of a CRM under load, with the whole service under the real gunicorn: never late, never wrong."""

from dataclasses import dataclass

import pytest

from bridge.sdk.http.repeats import MORE_PER_REQUEST
from tests.support.load import LIMIT, Seen
from tests.support.trial import FAULT_SECONDS, MAX_IN_FLIGHT, PROCESSES, RECOVERY_SECONDS, Figures, Trial, try_out

FAILURES_THAT_OPEN = 5
TRIAL_EVERY = 1.0
PROBES = 2
"""Questions that once succeeded, asked at the first failure and again soon after: is it the source, or the caller?"""
UNANSWERED_THAT_STOP_REPEATS = 6
MEMORY_MB = 64
"""Eight answers of 2 MB, inflated, as text and as values, at once; in all processes."""


@dataclass(frozen=True)
class Fault:
    """`breaks`: no question is answered well, so that the CRM has to be left alone. `costs`: requests of one lookup.

    `says_nobody`: what the CRM answers is a proper "nobody", which cannot be told from the truth.
    `asks_for_peace`: the CRM said that it wants no request for an hour.
    """

    says: str
    shows: str
    breaks: bool = True
    costs: int = 1
    says_nobody: bool = False
    asks_for_peace: bool = False


# The three that cost memory stand in different trials: memory can only be measured for all of a trial together.
TRIALS = (
    (
        Fault("every answer takes between 0 and 3 s", "latency 0-3 s", breaks=False),
        Fault("every answer takes 1 s", "latency 1 s", breaks=False),
        Fault("every answer takes 3 s", "latency 3 s"),
        Fault("it hangs after accepting", "hang"),
        Fault("its accept queue is full", "queue full"),
        Fault("its name is never resolved", "no dns"),
    ),
    (
        Fault("its answer never ends", "endless body"),
        Fault("it refuses connections", "refused"),
        Fault("it resets in mid-body", "reset in mid-body"),
        Fault("it drips headers", "drip of headers"),
        Fault("it drips the body", "drip of body"),
        Fault("it closes a kept connection just as it is used", "closed when used", breaks=False, costs=2),
        Fault("it resets a kept connection just as it is used", "reset when used", breaks=False, costs=2),
    ),
    (
        Fault("it answers 500", "500"),
        Fault("it answers 401", "401"),
        Fault("it answers 429", "429"),
        Fault("it answers 429 and wants 2 s of peace", "429 for 2 s"),
        Fault("it answers 429 and wants an hour of peace", "429 for 1 h", asks_for_peace=True),
        Fault("it redirects in a loop", "redirect loop", costs=4),
    ),
    (
        Fault("its answer is a gzip bomb", "gzip bomb"),
        Fault("it answers 200 with an error page", "html"),
        Fault("it answers 200 with an error page that claims to be JSON", "html as json"),
        Fault("it answers half of the JSON", "truncated json"),
        Fault("it answers what is not UTF-8", "invalid utf-8"),
        Fault("it answers twice on one connection", "two answers", breaks=False),
    ),
    (
        Fault("it announces more than it sends", "length too long"),
        Fault("it announces less than it sends", "length too short"),
        Fault("it neither announces a length nor closes", "length left open"),
        Fault("its JSON is nested without end", "deep json"),
        Fault("it answers half of a gzip stream", "gzip broken"),
        # Who is nobody's customer is answered properly meanwhile, and so the CRM stays in use.
        Fault("the owner is an object", "owner object", breaks=False),
    ),
    (
        Fault("the owner is null", "owner null", breaks=False, says_nobody=True),
        Fault("the owner is a number", "owner number", breaks=False),
        Fault("the owner is a list", "owner list", breaks=False),
        Fault("another customer's record comes beside the caller's", "other beside", breaks=False),
        Fault(
            "another customer's record comes instead of the caller's", "other instead", breaks=False, says_nobody=True
        ),
        Fault("every request meets another fault", "at random", breaks=False, costs=4),
    ),
)
WELL = Fault("nothing at all, while the others fail", "well", breaks=False)
EACH = [
    pytest.param(index, fault, id=fault.says if fault is not WELL else f"{fault.says} ({index + 1})")
    for index, faults in enumerate(TRIALS)
    for fault in (*faults, WELL)
]


@pytest.fixture(scope="session")
def trial_of(tmp_path_factory, record_figures):
    """Run each trial once, when its first fault is asked for."""
    done: dict[int, Trial | Exception] = {}
    record_figures(f"{'':57} late wrong known right   new  requests/bound   MB  peak  recovery  load's lag")

    def trial(index: int) -> Trial:
        if index not in done:
            try:
                done[index] = try_out(tmp_path_factory.mktemp("trial"), [fault.shows for fault in TRIALS[index]])
            except Exception as error:  # noqa: BLE001 - told to every fault of the trial
                done[index] = error
        result = done[index]
        if isinstance(result, Exception):
            raise result
        return result

    return trial


@pytest.mark.parametrize(("index", "fault"), EACH)
def test_it_is_never_late_and_never_wrong_when(index, fault, trial_of, record_figures):
    figures = trial_of(index).figures[fault.shows]
    record_figures(row(fault, figures))
    known = [seen for seen in counted(fault, figures) if seen.caller.known]
    late_recovery = [
        seen
        for seen in figures.after
        if seen.began >= figures.ended + RECOVERY_SECONDS and not seen.right and not unasked(fault, seen)
    ]
    assert known, "the load did not call"
    assert told(figures, [seen for seen in figures.seen if seen.late]) == [], f"later than {LIMIT} s"
    assert told(figures, [seen for seen in figures.seen if seen.wrong]) == [], "wrong owner"
    assert told(figures, [seen for seen in known if not seen.right]) == [], "known customer without answer"
    assert figures.requests <= bound(fault, figures), "requests to the CRM"
    assert told(figures, late_recovery) == [], f"not right {RECOVERY_SECONDS} s after the fault"
    assert figures.memory <= MEMORY_MB, "MB more than before"
    if fault is WELL:
        assert told(figures, [seen for seen in figures.seen if not seen.right]) == [], "a well CRM's answer is missing"
    if fault.asks_for_peace:
        assert figures.requests_after == 0, "asked although it wants an hour of peace"


@pytest.mark.parametrize("index", range(len(TRIALS)), ids=lambda index: "; ".join(f.says for f in TRIALS[index]))
def test_threads_and_sockets_are_given_back_after(index, trial_of):
    trial, faults = trial_of(index), len(TRIALS[index])
    waiting_for_the_hour_to_pass = sum(fault.asks_for_peace for fault in TRIALS[index])
    assert trial.afterwards.threads <= trial.before.threads + waiting_for_the_hour_to_pass
    kept_open = (faults + 1) * MAX_IN_FLIGHT  # connections that the next question goes over
    assert trial.afterwards.sockets <= trial.before.sockets + kept_open


def counted(fault: Fault, figures: Figures) -> list[Seen]:
    """Return the calls that a known customer may expect his answer in."""
    if not fault.says_nobody:
        return list(figures.seen)
    return [seen for seen in figures.after if seen.began >= figures.ended + RECOVERY_SECONDS]


def unasked(fault: Fault, seen: Seen) -> bool:
    return fault.asks_for_peace and not seen.caller.known


def bound(fault: Fault, figures: Figures) -> int:
    """Return how many requests the CRM may get while the fault lasts.

    One lookup for each call, and what the budget allows of repeats; and if none succeeds, only those that show it,
    those under way by then, the probes and the trials, and no more repeats after a few. Of repeats and
    probes each process judges by itself; failures, places and trials are counted for all.
    """
    calls = len(figures.during) + figures.calls_before
    if fault.asks_for_peace:
        return MAX_IN_FLIGHT
    trials = int(FAULT_SECONDS / TRIAL_EVERY) + 1
    lookups = min(calls, FAILURES_THAT_OPEN + MAX_IN_FLIGHT + PROCESSES * PROBES + trials) if fault.breaks else calls
    repeats = PROCESSES * UNANSWERED_THAT_STOP_REPEATS if fault.breaks else int(MORE_PER_REQUEST * lookups)
    return (lookups + repeats) * fault.costs


def told(figures: Figures, calls: list[Seen]) -> list[str]:
    """Say what is known of the calls, from both ends."""
    lines = []
    for seen in calls[:5]:
        line = next(
            (text for text in figures.server_lines if f" {seen.request_id} " in text), "the service said nothing"
        )
        lines.append(f"{seen.began - figures.ended:+.1f} s: {seen.seconds:.2f} s {seen.body!r} {seen.outcome} | {line}")
    return lines + ["…"] * (len(calls) > 5)


def row(fault: Fault, figures: Figures) -> str:
    seen = figures.seen
    known = [one for one in seen if one.caller.known]
    new = [one for one in figures.during if not one.caller.known]
    return (
        f"{fault.says:57} {sum(one.late for one in seen):4} {sum(one.wrong for one in seen):5}"
        f" {sum(one.right for one in known):5}/{len(known):<5} {sum(one.right for one in new):3}/{len(new):<3}"
        f" {figures.requests:6}/{bound(fault, figures):<6} {figures.memory:5.1f} {figures.peak:5.1f}"
        f" {figures.recovery:6.2f} s {max((one.lag for one in seen), default=0):7.3f} s"
    )
