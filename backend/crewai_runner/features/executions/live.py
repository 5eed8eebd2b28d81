"""The runs at work in this process, and what only this process knows of them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from crewai_runner.executor.port import RunControl
from crewai_runner.features.providers.schemas import ProviderCreate


@dataclass(slots=True)
class LiveRun:
    control: RunControl
    passed_on: set[str] = field(default_factory=set)


class LiveRuns:
    """Run id -> its handle, while it is at work here."""

    def __init__(self) -> None:
        self._runs: dict[str, LiveRun] = {}

    def add(self, run_id: str, control: RunControl) -> LiveRun:
        live = LiveRun(control)
        self._runs[run_id] = live
        return live

    def remove(self, run_id: str) -> None:
        self._runs.pop(run_id, None)

    def get(self, run_id: str) -> LiveRun | None:
        return self._runs.get(run_id)

    def ids(self) -> Iterable[str]:
        return list(self._runs)

    def __len__(self) -> int:
        return len(self._runs)


class InlineProviders:
    """Provider configurations given with one run: kept in memory only, gone with the process."""

    def __init__(self) -> None:
        self._configs: dict[str, ProviderCreate] = {}

    def keep(self, run_id: str, config: ProviderCreate) -> None:
        self._configs[run_id] = config

    def get(self, run_id: str) -> ProviderCreate | None:
        return self._configs.get(run_id)

    def forget(self, run_id: str) -> None:
        self._configs.pop(run_id, None)
