"""Figures of a metrics page, read as Prometheus reads them."""

from prometheus_client.parser import text_string_to_metric_families


class MetricsPage:
    """The samples of one scrape."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.families = {family.name: family for family in text_string_to_metric_families(text)}
        self._samples = {
            (sample.name.removeprefix("crewai_runner_"), frozenset(sample.labels.items())): sample.value
            for family in self.families.values()
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float:
        """The sample of exactly these labels; 0 when there is none yet."""
        return self._samples.get((name, frozenset(labels.items())), 0.0)

    def has(self, name: str, **labels: str) -> bool:
        return (name, frozenset(labels.items())) in self._samples

    def sum(self, name: str, **labels: str) -> float:
        """All samples of a name that have these labels, and maybe others."""
        wanted = labels.items()
        return sum(v for (known, given), v in self._samples.items() if known == name and wanted <= given)

    def labels(self, name: str) -> list[dict[str, str]]:
        """The label sets under a name."""
        return [dict(given) for known, given in self._samples if known == name]
