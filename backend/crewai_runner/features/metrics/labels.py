"""Labels of metrics: a limited number of values, looked up without a lock."""

from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

from prometheus_client.metrics import MetricWrapperBase

from crewai_runner.domain.committed_events import CalledModel
from crewai_runner.domain.tools import TOOLS

OTHER = "other"
MOST_MODELS = 500
"""Pairs of provider and model in one process; those after them are `other`."""
MOST_TOOLS = 200

Metric = TypeVar("Metric", bound=MetricWrapperBase)


class Children(Generic[Metric]):
    """The children of one metric by their label values; the library's own look-up takes a lock each time."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self._children: dict[tuple[str, ...], Metric] = {}

    def __call__(self, *values: str) -> Metric:
        child = self._children.get(values)
        if child is None:
            child = self._children[values] = self._metric.labels(*values)
        return child


class ModelLabels:
    """(provider type, model) of a call. What is not registered, or is one too many, is `other`."""

    def __init__(self) -> None:
        self._known: set[tuple[str, str]] = set()

    def __call__(self, models: Mapping[str, CalledModel], name: str) -> tuple[str, str]:
        called = models.get(name)
        if called is None:
            return OTHER, OTHER
        pair = (called.provider.value, name)
        if pair in self._known:
            return pair
        if not called.registered or len(self._known) >= MOST_MODELS:
            return called.provider.value, OTHER
        self._known.add(pair)
        return pair


class ToolLabels:
    """The names of the agents' tools. A model may call a tool that does not exist: `other`."""

    def __init__(self) -> None:
        self._known = set(TOOLS)

    def given(self, names: Iterable[str]) -> None:
        """Tools that an agent holds; their names come from documents, not from models."""
        for name in names:
            if len(self._known) < MOST_TOOLS:
                self._known.add(name)

    def __call__(self, name: str) -> str:
        return name if name in self._known else OTHER
