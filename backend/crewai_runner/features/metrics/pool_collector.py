"""The metric of a connection pool whose connections are all in use."""

from collections.abc import Callable, Iterator

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily

from crewai_runner.features.metrics.instruments import PREFIX


class PoolCollector:
    """A Prometheus collector that reads the pool's own count at a scrape."""

    def __init__(self, count_timeouts: Callable[[], int]) -> None:
        self._count_timeouts = count_timeouts

    def collect(self) -> Iterator[Metric]:
        """Called by the registry at a scrape, in a thread."""
        yield CounterMetricFamily(
            f"{PREFIX}_database_pool_timeouts",
            "Transactions that did not begin in time because all connections to the database were in use.",
            value=self._count_timeouts(),
        )

    def describe(self) -> list[Metric]:
        """Empty, so that registering does not collect."""
        return []
