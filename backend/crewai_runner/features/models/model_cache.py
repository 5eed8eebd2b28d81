"""The models of each workspace with their providers, held in memory until one of them changes."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from crewai_runner.features.models.rules import ModelIndex
from crewai_runner.features.models.schemas import ModelRecord
from crewai_runner.features.providers.schemas import ProviderRecord

MAX_AGE_SECONDS = 30.0
"""How long an entry is used at most: a notification from another process can be lost."""


@dataclass(frozen=True, slots=True)
class WorkspaceModels:
    """What calling the models of a workspace needs. Keys stay encrypted."""

    index: ModelIndex
    models: Mapping[str, ModelRecord]
    """By id."""
    providers: Mapping[str, ProviderRecord]
    """By id."""
    read_at: float


ReadModels = Callable[[str], Awaitable[WorkspaceModels]]
"""Reads the models of a workspace, by its id, from the database."""


class ModelCache:
    """Reads a workspace's models when they are needed first, after `clear`, and after `MAX_AGE_SECONDS`."""

    def __init__(self) -> None:
        self._known: dict[str, WorkspaceModels] = {}

    def clear(self) -> None:
        """Forget everything: models or providers were changed."""
        self._known = {}

    async def get(self, workspace_id: str, read: ReadModels) -> WorkspaceModels:
        """Return the models of a workspace."""
        known = self._known.get(workspace_id)
        if known is not None and known.read_at > time.monotonic() - MAX_AGE_SECONDS:
            return known
        return await self.read(workspace_id, read)

    async def read(self, workspace_id: str, read: ReadModels) -> WorkspaceModels:
        """Return the models as they are stored now."""
        known = self._known
        models = await read(workspace_id)
        known[workspace_id] = models  # which `clear` has replaced if there was a change since
        return models
