"""The report of a rehearsal in the terminal: what became of the calls, and their times against two seconds."""

from collections import Counter
from collections.abc import Iterator

from bridge.commands.simulate.call import Verdict
from bridge.commands.simulate.rehearsal import OUTCOME, USUAL_PATH, Report
from bridge.config.values import OMICALL_WAITS

_BAR = 40


def told(report: Report) -> Iterator[str]:
    """Give the lines of the report."""
    plan, verdicts = report.plan, report.verdicts()
    yield f"{len(report.results)} calls at {plan.rate:g}/s in {plan.duration:g} s to {plan.target.url}"
    for verdict in Verdict:
        if verdicts[verdict.value] or verdict in (Verdict.IN_TIME, Verdict.LATE):
            yield f"  {verdict.value:14} {verdicts[verdict.value]:8}"
    yield from _counted("outcomes", report.header(OUTCOME))
    yield from _counted("answers", report.header("x-bridge-answer"))
    shares = (("half", 0.5), ("90 %", 0.9), ("99 %", 0.99), ("all", 1.0))
    yield "  within    " + ", ".join(f"{name}: {_seconds(report.percentile(share))}" for name, share in shares)
    yield from _histogram(report.histogram())
    for result in report.wrong():
        yield f"  {_masked(result.phone)} after {_seconds(result.seconds)}: {result.verdict}{_because(result.detail)}"
    if report.asked_the_root:
        yield f"  is the path missing? Write --url {plan.target.url.rstrip('/')}{USUAL_PATH}"
    if report.reached_nobody:
        yield "  does the service run, and is this its address? It listens where server.bind or serve --bind says"
    if report.lagged:
        yield f"  this machine sent calls up to {_seconds(report.lag)} late: choose a lower rate or another machine"
    yield _verdict(report)


def _verdict(report: Report) -> str:
    if not report.passed:
        return "FAILED"
    if report.unavailable:
        return f"WARNING: in time, but {report.unavailable} of {len(report.results)} calls were unavailable"
    return "PASSED"


def _counted(title: str, found: Counter[str]) -> Iterator[str]:
    if found:
        yield f"  {title:9} " + ", ".join(f"{name} {count}" for name, count in found.most_common())


def _histogram(classes: list[tuple[float, int]]) -> Iterator[str]:
    most = max(count for _, count in classes)
    for edge, count in classes:
        label = "later" if edge == float("inf") else f"≤ {_seconds(edge)}"
        bar = "█" * -(-count * _BAR // most)
        yield f"  {label:>9} {count:8} {bar}".rstrip()
        if edge == OMICALL_WAITS:
            yield f"  {'─' * 9} OMICall hangs up after {OMICALL_WAITS:g} s {'─' * _BAR}"


def _seconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"


def _because(detail: str) -> str:
    return f" ({detail})" if detail else ""


def _masked(phone: str) -> str:
    return f"…{phone[-3:]}"
