"""The figures of one process: what is counted, under which names, and what is left out."""

import os
import tempfile
import threading

import pytest

from bridge.lookup.answer import Freshness
from bridge.lookup.decision import Decision, Outcome
from bridge.observability.metrics import CALL_SECONDS, REASONS, REFUSED, Metrics
from bridge.observability.metrics_folder import folder_for_figures, forget_process
from bridge.observability.metrics_sampler import MetricsSampler
from bridge.resilience.sanitizing import content_age
from bridge.service import Snapshot
from tests.support.fakes import FakeConnector
from tests.support.rounds import Rounds
from tests.support.scrape import Scrape, read


class Connector:
    def __init__(self, name: str, *, is_left_alone: bool = False, in_flight: int = 0, entries: int = 0) -> None:
        self.name = name
        self.is_left_alone = is_left_alone
        self.in_flight = in_flight
        self.entries = entries


def snapshot(*connectors: Connector, ages=(), without_extension: int = 0, troubles: int = 0) -> Snapshot:
    return Snapshot(connectors, dict(ages), without_extension, troubles)


def seen(metrics: Metrics, of: Snapshot) -> Scrape:
    return read(MetricsSampler(metrics, lambda: of).text().decode())


def decision(outcome: Outcome, freshness: Freshness | None = None) -> Decision:
    return Decision(outcome, freshness=freshness)


def test_answers_are_counted_by_outcome_and_by_how_they_were_come_by():
    metrics = Metrics()
    for _ in range(3):
        metrics.answered(decision(Outcome.FOUND, Freshness.CACHED), 0.01)
    metrics.answered(decision(Outcome.UNAVAILABLE), 1.8)
    found = seen(metrics, snapshot())
    assert found("omi_bridge_answers_total", outcome="found", answer="cached") == 3
    assert found("omi_bridge_answers_total", outcome="unavailable", answer="none") == 1


def test_every_outcome_is_there_before_the_first_call():
    found = seen(Metrics(), snapshot())
    assert found.of("outcome") == set(Outcome)
    assert found.of("answer") == {*Freshness, "none"}
    assert found("omi_bridge_answers_total", outcome="unavailable", answer="none") == 0


def test_the_buckets_are_closest_around_the_deadline_and_the_moment_at_which_omicall_hangs_up():
    metrics = Metrics()
    for seconds in (0.001, 1.79, 1.99, 2.5):
        metrics.answered(decision(Outcome.FOUND, Freshness.LIVE), seconds)
    found = seen(metrics, snapshot())
    assert {1.7, 1.8, 1.9, 2.0} <= set(CALL_SECONDS)
    in_time = [found("omi_bridge_answer_seconds_bucket", le=le) for le in ("1.8", "1.9", "2.0", "+Inf")]
    assert in_time == [2, 2, 3, 4]


@pytest.mark.parametrize("outcome", [Outcome.UNAUTHORIZED, Outcome.BAD_REQUEST])
def test_whoever_tries_keys_does_not_make_the_answers_look_swift(outcome):
    metrics = Metrics()
    metrics.answered(decision(outcome), 0.001)
    found = seen(metrics, snapshot())
    assert found("omi_bridge_answers_total", outcome=outcome.value, answer="none") == 1
    assert found("omi_bridge_answer_seconds_count") == 0


def test_lookups_are_counted_with_their_failures_by_reason():
    metrics = Metrics()
    meter = metrics.of("crm")
    meter.asked(0.2)
    meter.asked(5.0, "rejected")
    meter.asked(2.5, "late")
    meter.refused("busy")
    meter.unread()
    meter.remembered("stale")
    found = seen(metrics, snapshot(Connector("crm")))
    assert found("omi_bridge_connector_requests_total", connector="crm") == 3
    assert found("omi_bridge_connector_failures_total", connector="crm", reason="rejected") == 1
    assert found("omi_bridge_connector_failures_total", connector="crm", reason="late") == 1
    assert found("omi_bridge_connector_failures_total", connector="crm", reason="unavailable") == 0
    assert found("omi_bridge_connector_seconds_bucket", connector="crm", le="0.25") == 1
    assert found("omi_bridge_connector_refusals_total", connector="crm", reason="busy") == 1
    assert found("omi_bridge_connector_unread_numbers_total", connector="crm") == 1
    assert found("omi_bridge_cache_lookups_total", connector="crm", result="stale") == 1


def test_a_reason_that_a_stranger_s_connector_made_up_makes_no_series_of_its_own():
    metrics = Metrics()
    for number in range(50):
        metrics.of("crm").asked(0.1, f"caller 0901{number:06}")
        metrics.of("crm").refused(f"caller 0901{number:06}")
    found = seen(metrics, snapshot(Connector("crm")))
    assert found.of("reason") == {*REASONS, *REFUSED}
    assert found("omi_bridge_connector_failures_total", connector="crm", reason="error") == 50
    assert "0901" not in found.text


def test_gauges_are_what_is_seen_at_the_moment():
    metrics = Metrics()
    crm = Connector("crm", is_left_alone=True, in_flight=3, entries=7)
    found = seen(metrics, snapshot(crm, ages={"extensions.csv": 60.0}.items(), without_extension=2, troubles=1))
    assert found("omi_bridge_connector_open", connector="crm") == 1
    assert found("omi_bridge_connector_in_flight", connector="crm") == 3
    assert found("omi_bridge_cache_entries", connector="crm") == 7
    assert found("omi_bridge_list_age_seconds", list="extensions.csv") == 60
    assert found("omi_bridge_list_doubted", list="extensions.csv") == 0
    assert found("omi_bridge_owners_without_extension") == 2
    assert found("omi_bridge_troubles") == 1
    crm.is_left_alone = False
    assert seen(metrics, snapshot(crm))("omi_bridge_connector_open", connector="crm") == 0


def test_what_a_reload_took_away_is_not_shown_and_goes_on_counting_if_it_comes_back():
    metrics = Metrics()
    metrics.of("crm").asked(0.1)
    seen(metrics, snapshot(Connector("crm"), ages={"crm": 1.0}.items()))
    without = seen(metrics, snapshot(Connector("erp")))
    assert "crm" not in without.text
    metrics.of("crm").asked(0.1)
    assert seen(metrics, snapshot(Connector("crm")))("omi_bridge_connector_requests_total", connector="crm") == 2


def test_the_process_is_measured_under_the_usual_names():
    metrics = Metrics()
    found = seen(metrics, snapshot())
    assert {
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
        "process_open_fds",
        "process_max_fds",
        "process_start_time_seconds",
    } <= found.names
    assert found("process_resident_memory_bytes") > 1e6
    assert seen(metrics, snapshot())("process_cpu_seconds_total") >= found("process_cpu_seconds_total") > 0


def test_the_version_is_told():
    assert seen(Metrics(), snapshot()).labels_of("omi_bridge_build_info") == {"version", "python"}


def test_no_series_tells_when_it_began():
    assert not [name for name in seen(Metrics(), snapshot()).names if name.endswith("_created")]


class Shared:
    """Figures that other processes depend on."""

    def __init__(self) -> None:
        self.looks = threading.Semaphore(0)

    def look(self, _snapshot: Snapshot) -> None:
        self.looks.release()

    def text(self, _snapshot: Snapshot) -> bytes:
        return b""


def test_a_process_among_several_looks_again_and_again_also_after_a_bug():
    figures, rounds, failures = Shared(), Rounds(), [ZeroDivisionError("a bug"), None, None]

    def look() -> Snapshot:
        if failure := failures.pop(0):
            raise failure
        return snapshot()

    sampler = MetricsSampler(figures, look, rounds)
    sampler.start()
    rounds.step(2)
    rounds.end()
    assert [figures.looks.acquire(blocking=False) for _ in range(3)] == [True, True, False]


def test_one_process_needs_no_folder_and_several_have_one_that_goes_with_them(monkeypatch, tmp_path):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "left behind by somebody")
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    with folder_for_figures(1):
        assert "PROMETHEUS_MULTIPROC_DIR" not in os.environ
        forget_process(1)
    with folder_for_figures(2):
        (folder,) = tmp_path.iterdir()
        assert os.environ["PROMETHEUS_MULTIPROC_DIR"] == str(folder)
        (folder / "gauge_livesum_17.db").touch()
        (folder / "counter_17.db").touch()
        forget_process(17)
        assert [file.name for file in folder.iterdir()] == ["counter_17.db"]
    assert not list(tmp_path.iterdir())


def test_a_process_that_is_just_starting_keeps_nobody_from_the_figures_of_the_others(monkeypatch, tmp_path):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    (tmp_path / "counter_17.db").touch()  # made, and nothing written into it yet
    assert Metrics().text(snapshot()) == b""


def test_the_folder_of_a_service_that_was_killed_goes_when_the_next_begins_and_that_of_another_stays(
    monkeypatch, tmp_path
):
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    left = tmp_path / "omi-bridge-metrics-left"
    left.mkdir()
    (left / "counter_17.db").touch()
    with folder_for_figures(2):
        (folder,) = tmp_path.iterdir()
        with folder_for_figures(2):
            assert folder.exists()
            assert len(list(tmp_path.iterdir())) == 2


def test_where_no_folder_can_be_made_each_process_shows_its_own_figures_and_it_is_told(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path / "missing"))
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "missing"))

    def refuse(*_, **__):
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    with folder_for_figures(2):
        assert "PROMETHEUS_MULTIPROC_DIR" not in os.environ
    assert "no folder can be made" in caplog.text


@pytest.mark.parametrize(
    ("says", "age"), [(None, None), (3, 3.0), (-5.0, 0.0), ("rubbish", None), (SystemExit("a bug"), None)]
)
def test_a_connector_s_word_on_its_age_is_checked(says, age):
    class Aged(FakeConnector):
        def content_age(self):
            if isinstance(says, BaseException):
                raise says
            return says

    assert content_age("crm", Aged()) == age


def test_a_connector_that_says_nothing_of_its_age_has_none():
    assert content_age("crm", FakeConnector()) is None
