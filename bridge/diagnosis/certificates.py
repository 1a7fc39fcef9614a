"""Which certificates of sources end soon, of those that were shown while the sources were asked."""

from collections.abc import Iterator
from datetime import datetime

from bridge.diagnosis.finding import Finding, Severity
from bridge.sdk.http.certificates import all_shown


def judge_certificates(now: float) -> Iterator[Finding]:
    """Say of each certificate that ends soon when that is, and what to do; `now` is in seconds since 1970."""
    for shown in sorted(all_shown()):
        if shown.is_near(now):
            day = datetime.fromtimestamp(shown.ends).astimezone().date()
            yield Finding(
                shown.source,
                f"the certificate of {shown.host} ends in {shown.days_left(now)} days, on {day}: have it renewed "
                "there: once it has ended, nobody is looked up there any more",
                Severity.WARNING,
            )
