"""Run events of a transaction, passed to listeners after its commit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from crewai_runner.domain.provider import ProviderType
from crewai_runner.domain.run_events import RunEvent


@dataclass(frozen=True, slots=True)
class CalledModel:
    """A model that an attempt may call.

    `model` is the provider's name for it. `registered` is False for a model supplied with a single run.
    """

    provider: ProviderType
    model: str
    registered: bool = True


NO_MODELS: Mapping[str, CalledModel] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class RunFacts:
    """Fields of the run's row at the commit. `active_seconds` excludes time spent waiting."""

    workflow_name: str
    created_at: datetime
    active_seconds: float


@dataclass(frozen=True, slots=True)
class CommittedEvents:
    """Stored, numbered events of one run, and the JSON text of each.

    `facts` is set for events of state transitions, `models` (by registered name) for events of a crew.
    `is_elsewhere` is set for runs that are executed elsewhere and report their events later.
    """

    run_id: str
    attempt: int
    events: Sequence[RunEvent]
    facts: RunFacts | None = None
    models: Mapping[str, CalledModel] = field(default_factory=lambda: NO_MODELS)
    frames: Sequence[str] = ()
    is_elsewhere: bool = False


CommitListener = Callable[[Sequence[CommittedEvents]], None]
"""Called on the event loop after each commit of a transaction with events; must not block."""
