"""Provider configurations given with a single run; kept in memory only, until the run ends."""

import time
from collections.abc import Sequence

from crewai_runner.core.keyring import secret_parts
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.domain.committed_events import CommittedEvents
from crewai_runner.domain.run_events import FINAL_EVENT_TYPES
from crewai_runner.features.providers.schemas import ProviderCreate


class InlineProviders:
    """Provider configurations by run id. Their keys are masked in what their runs leave behind."""

    OWNER = "inline"

    def __init__(self, mask: SecretMask) -> None:
        self._mask = mask
        self._configs: dict[str, tuple[ProviderCreate, float]] = {}

    def keep(self, run_id: str, config: ProviderCreate) -> None:
        self._configs[run_id] = (config, time.monotonic())
        self._mask.hold(run_id, self.OWNER, secret_parts(config.api_key))

    def get(self, run_id: str) -> ProviderCreate | None:
        config, _ = self._configs.get(run_id, (None, 0.0))
        return config

    def list_run_ids(self, kept_for_seconds: float) -> list[str]:
        """Return the runs whose configuration was kept at least this long ago."""
        before = time.monotonic() - kept_for_seconds
        return [run_id for run_id, (_, kept_at) in self._configs.items() if kept_at <= before]

    def forget(self, run_id: str) -> None:
        self._configs.pop(run_id, None)
        self._mask.release(run_id, self.OWNER)

    def on_commit(self, batch: Sequence[CommittedEvents]) -> None:
        """Forget the configurations of runs whose end was committed."""
        for committed in batch:
            if any(event.type in FINAL_EVENT_TYPES for event in committed.events):
                self.forget(committed.run_id)
