import pytest

from bridge.config.sections import Cache
from bridge.diagnosis.finding import Severity
from bridge.diagnosis.reading_ahead import Estimate, judge_snapshot
from bridge.lookup.guard import Guard
from bridge.sdk.connector import ConnectorConfig, CustomerPage
from bridge.sdk.errors import SourceRejected
from bridge.sdk.http.rate_limit import Rate, RateSetting
from bridge.storage.cache import AnswerCache
from bridge.storage.snapshot.snapshot import CustomerSnapshot, Files
from tests.support.fakes import FakeClock
from tests.support.listing import Lister, customers


class Config(ConnectorConfig):
    max_rate: RateSetting


@pytest.fixture
def judged(tmp_path):
    def judge(connector, *, read=False, clock=None):
        snapshot = CustomerSnapshot(
            connector, Files(tmp_path, "crm"), "crm", (600.0, 3600.0), None, clock or FakeClock()
        )
        guard = Guard("crm", connector, AnswerCache(Cache()), snapshot=snapshot)
        guard.opening.attempt()
        if read:
            guard.read_ahead.keeper.round()
        found = [(one.severity, one.message) for one in judge_snapshot(guard, snapshot, online=True)]
        guard.close()
        return found

    return judge


def test_what_a_reading_takes_is_computed_from_the_first_page_and_the_rate():
    assert Estimate.of(40_000, 50, Rate(50, 60.0)) == Estimate(800, 1920.0)
    assert Estimate(800, 1920.0).a_day(600.0, None) == 36_000
    assert Estimate(800, 1920.0).a_day(600.0, 21_600.0) == 3200 + 144


def test_an_every_that_the_rate_cannot_keep_is_a_warning_with_what_to_write(judged):
    connector = Lister([])
    connector.config = Config(snapshot={"every": "10m"}, max_rate="50/m")
    connector.list_customers = lambda *_: iter([CustomerPage(customers(50), total=40_000)])
    ((severity, told),) = judged(connector)
    assert severity is Severity.WARNING
    assert told == (
        "snapshot: all customers take 32 min and 800 requests; 36,000 requests a day: 'every: 10m' cannot be kept: "
        "write 'every: 40m' or more, or raise max_rate if the CRM allows it"
    )


def test_what_is_in_force_is_told_with_its_age_and_what_it_took(judged):
    found = judged(Lister(customers(25)), read=True)
    assert found == [
        (Severity.OK, "snapshot: 25 customers with 25 numbers, read 0 s ago"),
        (Severity.OK, "snapshot: all customers take 0 s and 3 requests; 432 requests a day"),
    ]


def test_a_list_that_cannot_be_read_is_a_failure(judged):
    connector = Lister(customers(5))
    connector.fails_behind = (0, SourceRejected("403: may the credentials read contacts?"))
    assert judged(connector) == [(Severity.FAILED, "snapshot: 403: may the credentials read contacts?")]


def test_an_empty_list_is_a_warning(judged):
    to_see = "may the credentials read customers, and is the list's own filter right?"
    warning = Severity.WARNING
    assert judged(Lister([])) == [(warning, f"snapshot: the first page holds no customer: {to_see}")]
    assert judged(Lister([]), read=True)[0] == (
        warning,
        f"snapshot: 0 customers with 0 numbers, read 0 s ago: {to_see}",
    )


def test_customers_read_too_long_ago_are_a_warning(judged):
    clock = FakeClock()
    judged(Lister(customers(25)), read=True, clock=clock)
    clock.now += 7200
    (old, _) = judged(Lister(customers(25)), clock=clock)
    assert old == (
        Severity.WARNING,
        "snapshot: 25 customers with 25 numbers, read 2.0 h ago: too old to answer while the source can be asked",
    )
