"""Provider configurations given with a single run; kept in memory only."""

from crewai_runner.features.providers.schemas import ProviderCreate


class InlineProviders:
    """Provider configurations by run id."""

    def __init__(self) -> None:
        self._configs: dict[str, ProviderCreate] = {}

    def keep(self, run_id: str, config: ProviderCreate) -> None:
        self._configs[run_id] = config

    def get(self, run_id: str) -> ProviderCreate | None:
        return self._configs.get(run_id)

    def forget(self, run_id: str) -> None:
        self._configs.pop(run_id, None)
