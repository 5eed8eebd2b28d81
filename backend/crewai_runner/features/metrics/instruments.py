"""The metrics of one process, in a registry of their own: several applications may live in one process."""

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

PREFIX = "crewai_runner"
TEXT = CONTENT_TYPE_PLAIN_0_0_4
ANSWER_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
WORK_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 14_400)
LAG_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
BATCH_BUCKETS = (1, 2, 5, 10, 20, 50, 100, 200, 500)

# Omits the `_created` samples, which no dashboard uses.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]


class Instruments:
    """Makes metrics with the product's prefix in one registry and writes them all as text."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        # Memory, CPU, open files and start of the process, under the names that every dashboard knows.
        ProcessCollector(registry=self.registry)

    def counter(self, name: str, says: str, *labels: str) -> Counter:
        return Counter(name, says, labels, namespace=PREFIX, registry=self.registry)

    def gauge(self, name: str, says: str, *labels: str) -> Gauge:
        return Gauge(name, says, labels, namespace=PREFIX, registry=self.registry)

    def histogram(self, name: str, says: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(name, says, labels, namespace=PREFIX, registry=self.registry, buckets=buckets)

    def add(self, collector: Collector) -> None:
        """Register a collector that is read at each scrape."""
        self.registry.register(collector)

    def text(self) -> bytes:
        """Every metric in Prometheus' text format. Takes milliseconds: a thread's work."""
        return generate_latest(self.registry)
