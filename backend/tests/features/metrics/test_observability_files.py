"""The dashboard, the alerts and the table of the operations page name what is there, and nothing else."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase
from sqlalchemy.ext.asyncio import async_sessionmaker

from crewai_runner.core.settings import Settings
from crewai_runner.features.metrics.router import PATH
from crewai_runner.features.metrics.service import Telemetry
from crewai_runner.queue.in_process import InProcessQueue
from tests.support.metrics_page import MetricsPage
from tests.support.server_process import BACKEND

FOLDER = BACKEND / "observability"
DASHBOARD = FOLDER / "grafana" / "dashboards" / "crewai-runner.json"
OPERATIONS = BACKEND.parent / "docs" / "OPERATIONS.md"
METRIC = re.compile(r"\b((?:crewai_runner|process)_[a-z_]+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r"([a-z_]+)\s*(?:=~|!~|!=|=)")
GROUPING = re.compile(r"\bby \(([^)]*)\)")
FROM_PROMETHEUS = {"job", "instance", "le"}
ENDINGS = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("_total",), "gauge": ("",)}


@pytest.fixture(scope="module")
def telemetry() -> Telemetry:
    return Telemetry(Settings(_env_file=None), async_sessionmaker(), InProcessQueue(), ())  # type: ignore[call-arg]


@pytest.fixture(scope="module")
def labels(telemetry: Telemetry) -> dict[str, set[str]]:
    """The labels of every series that a process may tell, by the series' name."""
    known = {
        collector._name: set(collector._labelnames)
        for collector in telemetry._instruments.registry._names_to_collectors.values()
        if isinstance(collector, MetricWrapperBase)
    }
    known["crewai_runner_runs"] = {"state"}
    families = MetricsPage(telemetry._instruments.text().decode()).families.values()
    return {
        f"{family.name}{ending}": known.get(family.name, set())
        for family in families
        for ending in ENDINGS[family.type]
    }


def alert_rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    return [one for one in json.loads(DASHBOARD.read_text())["panels"] if one["type"] != "row"]


def expressions() -> Iterator[tuple[str, str]]:
    """(where, PromQL) of everything that Prometheus is asked."""
    for rule in alert_rules():
        yield rule["alert"], rule["expr"]
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for variable in json.loads(DASHBOARD.read_text())["templating"]["list"]:
        yield variable["name"], variable["query"]["query"]


@pytest.mark.parametrize(("where", "expression"), list(expressions()))
def test_every_expression_names_metrics_and_labels_that_are_told(
    where: str, expression: str, labels: dict[str, set[str]]
) -> None:
    named = METRIC.findall(expression)
    assert {name for name, _ in named} - labels.keys() == set()
    for name, matchers in named:
        assert set(MATCHER.findall(matchers)) <= labels[name] | FROM_PROMETHEUS, name
    of_all = FROM_PROMETHEUS.union(*(labels[name] for name, _ in named))
    for group in GROUPING.findall(expression):
        assert {label.strip() for label in group.split(",")} <= of_all
    assert named or "up{" in expression
    assert expression.count("(") == expression.count(")")


def test_counters_are_only_looked_at_as_rates(labels: dict[str, set[str]]) -> None:
    """A bare counter says how long the process has lived."""
    bare = [
        (where, name)
        for where, expression in expressions()
        for name in re.findall(r"crewai_runner_[a-z_]+_(?:total|bucket)", expression)
        if not re.search(rf"(?:rate|increase)\({name}\b", expression)
    ]

    assert bare == []


def test_what_all_processes_tell_alike_is_never_summed() -> None:
    summed = [
        (where, name)
        for where, expression in expressions()
        for name in ("runs", "queue_depth", "queue_taken", "queue_oldest_wait_seconds", "data_dir_free_bytes")
        if re.search(rf"sum[^(]*(?:\([^)]*\) )?\(crewai_runner_{name}\b", expression)
    ]

    assert summed == []


def test_every_metric_is_on_the_dashboard(labels: dict[str, set[str]]) -> None:
    text = DASHBOARD.read_text()

    ours = {re.sub(r"_(bucket|sum|count)$", "", name) for name in labels if name.startswith("crewai_")}
    assert {name for name in ours if name not in text} == set()


def test_every_alert_says_what_it_is_and_how_bad() -> None:
    for rule in alert_rules():
        assert rule["labels"]["severity"] in ("warning", "critical"), rule["alert"]
        assert rule["annotations"]["summary"], rule["alert"]
    assert len({rule["alert"] for rule in alert_rules()}) == len(alert_rules()) >= 10


def test_every_panel_asks_the_data_source_that_is_provided() -> None:
    provided = yaml.safe_load((FOLDER / "grafana/provisioning/datasources/prometheus.yml").read_text())
    [source] = provided["datasources"]

    used = {panel["datasource"]["uid"] for panel in panels()}
    used |= {target["datasource"]["uid"] for panel in panels() for target in panel["targets"]}
    assert used == {source["uid"]}


def test_panels_do_not_lie_over_each_other() -> None:
    places = [panel["gridPos"] for panel in json.loads(DASHBOARD.read_text())["panels"]]
    cells = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]

    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    ids = [panel["id"] for panel in json.loads(DASHBOARD.read_text())["panels"]]
    assert len(ids) == len(set(ids))


def test_prometheus_finds_the_processes_of_both_roles_where_they_answer() -> None:
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())

    found = [
        (place["names"], place["type"], place["port"])
        for job in config["scrape_configs"]
        for place in job.get("dns_sd_configs", [])
    ]
    assert found == [(["api"], "A", 8000), (["worker"], "A", 8000)]
    assert PATH == "/metrics"  # Prometheus' own default
    assert [Path(name).name for name in config["rule_files"]] == ["alerts.yml"]


def test_the_operations_page_lists_every_metric_with_its_labels(labels: dict[str, set[str]]) -> None:
    page = OPERATIONS.read_text()
    rows = re.findall(r"^\| `([a-z_]+)` \| (counter|gauge|histogram) \|([^|]*)\|", page, re.MULTILINE)

    told = {re.sub(r"_(bucket|sum|count)$", "", name): given for name, given in labels.items()}
    written = {f"crewai_runner_{name}": set(re.findall(r"`([a-z]+)`", given)) for name, _, given in rows}
    assert written == {name: given for name, given in told.items() if name.startswith("crewai_runner_")}
