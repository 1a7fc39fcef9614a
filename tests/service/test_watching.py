"""The dashboard and the alerts name nothing that a running service does not have, and the documents tell all of it."""

import json
import re
import shutil
import sqlite3
import subprocess
from contextlib import closing

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.support.documents import ROOT, anchor, headings, rows, spans
from tests.support.promql import Named, named_in
from tests.support.scrape import Scrape, scrape_until
from tests.support.service import RunningService

ALERTS = ROOT / "deploy/alerts.yaml"
DASHBOARD = ROOT / "deploy/grafana-dashboard.json"
OPERATING = ROOT / "docs/operating.md"
OF_PROMETHEUS = {"job", "instance"}
"""Labels that Prometheus itself adds to whatever it reads."""

RULES = [rule for group in yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]
BOARD = json.loads(DASHBOARD.read_text(encoding="utf-8"))
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
TARGETS = [(panel, target) for panel in PANELS for target in panel["targets"]]
VARIABLES = {one["name"]: one for one in BOARD["templating"]["list"]}


@pytest.fixture(scope="module")
def scraped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("watched")
    (folder / "customers.csv").write_text("phone,extension\n0901234567,101\n", encoding="utf-8")
    config = folder / "config.yaml"
    with closing(sqlite3.connect(folder / "old.sqlite")) as database:
        database.executescript(
            "CREATE TABLE customers (phone, extension); INSERT INTO customers VALUES ('0912345678', '102')"
        )
    config.write_text(
        "api_keys: [change-me]\nconnectors:\n  customers: {type: csv, path: customers.csv}\n"
        "  old: {type: sql, url: 'sqlite:///old.sqlite', snapshot: {every: 1h},\n"
        "    query: 'SELECT extension, phone FROM customers WHERE phone IN (:forms)',\n"
        "    list_query: 'SELECT extension, phone FROM customers'}\n"
    )
    with RunningService(config) as service:
        assert service.ask().body == b"101"
        return scrape_until(service, lambda found: "omi_bridge_snapshot_read" in found.names)


def unknown(named: Named, scraped: Scrape) -> set[str]:
    """Return what an expression names and the service does not have."""
    series = named.series - {"up"}
    labels = OF_PROMETHEUS.union(*(scraped.labels_of(name) for name in series))
    return (series - scraped.names) | (named.labels - labels)


@pytest.mark.parametrize(
    ("expression", "series", "labels"),
    [
        ("up == 0", "up", ""),
        ('sum by (le, a) (rate(x_bucket{job="y_z",le!="2.0"}[5m])) / z_count > 7 * 24', "x_bucket z_count", "le a job"),
        ("a unless on () (hour() >= 3) or b offset 5m", "a b", ""),
    ],
)
def test_names_are_found_in_expressions(expression, series, labels):
    assert named_in(expression) == Named(frozenset(series.split()), frozenset(labels.split()))


def test_what_the_service_does_not_have_is_found_out(scraped):
    assert unknown(named_in('rate(omi_bridge_answer_total{outcome="found"}[5m])'), scraped) == {
        "omi_bridge_answer_total",
        "outcome",
    }
    assert unknown(named_in("sum by (kind) (omi_bridge_answers_total)"), scraped) == {"kind"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_series_and_label_of_an_alert_exists(rule, scraped):
    named = named_in(rule["expr"])
    assert named.series
    assert not unknown(named, scraped)
    told = re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"]))
    assert set(told) <= OF_PROMETHEUS.union(*(scraped.labels_of(name) for name in named.series))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_is_explained_and_leads_to_what_to_do(rule):
    file, _, place = rule["annotations"]["runbook"].partition("#")
    assert (ROOT / file) == OPERATING
    assert place in map(anchor, headings(OPERATING))
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["alert"] in told("alert")


def test_no_alert_is_explained_that_does_not_exist():
    assert told("alert") == {rule["alert"] for rule in RULES}


def test_every_panel_of_the_dashboard_shows_something_that_exists(scraped):
    assert len(TARGETS) > 20
    for panel, target in TARGETS:
        named = named_in(target["expr"])
        assert named.series, panel["title"]
        assert not unknown(named, scraped), panel["title"]
        shown = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
        assert shown <= OF_PROMETHEUS.union(*(scraped.labels_of(name) for name in named.series)), panel["title"]


def test_the_dashboard_can_be_used_with_any_prometheus_and_any_number_of_instances(scraped):
    assert VARIABLES["datasource"]["type"] == "datasource"
    sources = {json.dumps(one["datasource"]) for panel in PANELS for one in (panel, *panel["targets"])}
    assert sources == {'{"type": "prometheus", "uid": "${datasource}"}'}
    for panel, target in TARGETS:
        chosen = re.findall(r"\{([^}]*)\}", target["expr"])
        assert chosen, panel["title"]
        assert all('job="$job",instance=~"$instance"' in matchers for matchers in chosen), panel["title"]
    for name in ("job", "instance"):
        series, label = re.fullmatch(r"label_values\((\w+).*, (\w+)\)", VARIABLES[name]["query"]["query"]).groups()
        assert series in scraped.names
        assert label in OF_PROMETHEUS


def test_no_two_panels_lie_on_each_other():
    taken = [
        (x, y)
        for place in (panel["gridPos"] for panel in BOARD["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])


def told(kind: str) -> set[str]:
    return {spans(row.cells[0])[0] for row in rows(OPERATING) if row.heading == "Watching" and row.header[0] == kind}


def test_every_metric_is_documented_with_its_labels_and_no_other(scraped):
    families = {
        family.name + ("_total" if family.type == "counter" else ""): family
        for family in text_string_to_metric_families(scraped.text)
    }
    written = {spans(row.cells[0])[0]: row.cells[1] for row in rows(OPERATING) if row.header[0] == "metric"}
    assert written.keys() == families.keys()
    for name, family in families.items():
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        assert set(spans(written[name])) == labels, name


PROMTOOL = pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")


@PROMTOOL
@pytest.mark.parametrize(
    "what", ["check rules deploy/alerts.yaml", "test rules tests/alerts.yaml", "check config deploy/prometheus.yml"]
)
def test_prometheus_own_tool_finds_the_files_right_and_each_alert_fires_when_it_has_to(what):
    tool = subprocess.run(["promtool", *what.split()], cwd=ROOT, capture_output=True, text=True, check=False)
    assert tool.returncode == 0, tool.stdout + tool.stderr


def test_every_alert_is_tried_out_once_with_and_once_without_a_reason():
    tried = [
        (one["alertname"], bool(one.get("exp_alerts")))
        for test in yaml.safe_load((ROOT / "tests/alerts.yaml").read_text(encoding="utf-8"))["tests"]
        for one in test["alert_rule_test"]
    ]
    assert {(rule["alert"], fires) for rule in RULES for fires in (True, False)} == set(tried)
