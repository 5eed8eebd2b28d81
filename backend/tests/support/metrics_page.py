"""A parsed metrics response."""

from prometheus_client.parser import text_string_to_metric_families


class MetricsPage:
    """The samples of one scrape; call it to read a sample."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.families = {family.name: family for family in text_string_to_metric_families(text)}
        self._samples = {
            (sample.name.removeprefix("crewai_runner_"), frozenset(sample.labels.items())): sample.value
            for family in self.families.values()
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float:
        """Return the sample with exactly these labels, or 0 if there is none."""
        return self._samples.get((name, frozenset(labels.items())), 0.0)

    def has(self, name: str, **labels: str) -> bool:
        return (name, frozenset(labels.items())) in self._samples

    def sum(self, name: str, **labels: str) -> float:
        """Return the sum of all samples with at least these labels."""
        wanted = labels.items()
        return sum(v for (known, given), v in self._samples.items() if known == name and wanted <= given)

    def labels(self, name: str) -> list[dict[str, str]]:
        """Return the label sets of a metric."""
        return [dict(given) for known, given in self._samples if known == name]
