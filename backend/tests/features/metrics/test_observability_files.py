"""Dashboard, alert rules and operations page match the metrics that the product exports."""

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
    """The labels of every series that a process can export, by the name of the series."""
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
    return [panel for panel in json.loads(DASHBOARD.read_text())["panels"] if panel["type"] != "row"]


def expressions() -> Iterator[tuple[str, str]]:
    """(location, PromQL) of every expression in alert rules, panels and variables."""
    for rule in alert_rules():
        yield rule["alert"], rule["expr"]
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for variable in json.loads(DASHBOARD.read_text())["templating"]["list"]:
        yield variable["name"], variable["query"]["query"]


class TestExpressions:
    @pytest.mark.parametrize(("location", "expression"), list(expressions()))
    def test_use_existing_metrics_and_labels(
        self, location: str, expression: str, labels: dict[str, set[str]]
    ) -> None:
        named = METRIC.findall(expression)
        assert {name for name, _ in named} - labels.keys() == set()
        for name, matchers in named:
            assert set(MATCHER.findall(matchers)) <= labels[name] | FROM_PROMETHEUS, name
        allowed = FROM_PROMETHEUS.union(*(labels[name] for name, _ in named))
        for group in GROUPING.findall(expression):
            assert {label.strip() for label in group.split(",")} <= allowed
        assert named or "up{" in expression
        assert expression.count("(") == expression.count(")")

    def test_use_counters_only_as_rates(self, labels: dict[str, set[str]]) -> None:
        """The value of a counter depends on the uptime of the process."""
        bare = [
            (location, name)
            for location, expression in expressions()
            for name in re.findall(r"crewai_runner_[a-z_]+_(?:total|bucket)", expression)
            if not re.search(rf"(?:rate|increase)\({name}\b", expression)
        ]

        assert bare == []

    def test_never_sum_figures_that_all_processes_share(self) -> None:
        summed = [
            (location, name)
            for location, expression in expressions()
            for name in (
                "runs",
                "queue_depth",
                "queue_taken",
                "queue_oldest_wait_seconds",
                "data_dir_free_bytes",
            )
            if re.search(rf"sum[^(]*(?:\([^)]*\) )?\(crewai_runner_{name}\b", expression)
        ]

        assert summed == []


class TestDashboard:
    def test_shows_every_metric(self, labels: dict[str, set[str]]) -> None:
        text = DASHBOARD.read_text()

        ours = {re.sub(r"_(bucket|sum|count)$", "", name) for name in labels if name.startswith("crewai_")}
        assert {name for name in ours if name not in text} == set()

    def test_panels_use_the_provisioned_data_source(self) -> None:
        provided = yaml.safe_load((FOLDER / "grafana/provisioning/datasources/prometheus.yml").read_text())
        [source] = provided["datasources"]

        used = {panel["datasource"]["uid"] for panel in panels()}
        used |= {target["datasource"]["uid"] for panel in panels() for target in panel["targets"]}
        assert used == {source["uid"]}

    def test_panels_do_not_overlap(self) -> None:
        positions = [panel["gridPos"] for panel in json.loads(DASHBOARD.read_text())["panels"]]
        cells = [
            (x, y)
            for position in positions
            for x in range(position["x"], position["x"] + position["w"])
            for y in range(position["y"], position["y"] + position["h"])
        ]

        assert len(cells) == len(set(cells))
        assert max(x for x, _ in cells) < 24
        ids = [panel["id"] for panel in json.loads(DASHBOARD.read_text())["panels"]]
        assert len(ids) == len(set(ids))


class TestAlerts:
    def test_have_severity_and_summary_and_unique_names(self) -> None:
        for rule in alert_rules():
            assert rule["labels"]["severity"] in ("warning", "critical"), rule["alert"]
            assert rule["annotations"]["summary"], rule["alert"]
        assert len({rule["alert"] for rule in alert_rules()}) == len(alert_rules()) >= 10


class TestPrometheusConfig:
    def test_scrapes_the_processes_of_both_roles(self) -> None:
        config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())

        found = [
            (target["names"], target["type"], target["port"])
            for job in config["scrape_configs"]
            for target in job.get("dns_sd_configs", [])
        ]
        assert found == [(["api"], "A", 8000), (["worker"], "A", 8000)]
        assert PATH == "/metrics"  # Prometheus' own default
        assert [Path(name).name for name in config["rule_files"]] == ["alerts.yml"]


class TestOperationsPage:
    def test_lists_every_metric_with_its_labels(self, labels: dict[str, set[str]]) -> None:
        page = OPERATIONS.read_text()
        rows = re.findall(r"^\| `([a-z_]+)` \| (counter|gauge|histogram) \|([^|]*)\|", page, re.MULTILINE)

        exported = {re.sub(r"_(bucket|sum|count)$", "", name): listed for name, listed in labels.items()}
        documented = {
            f"crewai_runner_{name}": set(re.findall(r"`([a-z]+)`", listed)) for name, _, listed in rows
        }
        assert documented == {
            name: listed for name, listed in exported.items() if name.startswith("crewai_runner_")
        }
