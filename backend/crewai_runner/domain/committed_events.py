"""What a transaction told of runs, for those who listen once it is committed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from crewai_runner.domain.provider import ProviderType
from crewai_runner.domain.run_events import RunEvent


@dataclass(frozen=True, slots=True)
class CalledModel:
    """A model that an attempt may call.

    `model` is the provider's own name of it. `registered` False: given with one run, by anybody.
    """

    provider: ProviderType
    model: str
    registered: bool = True


NO_MODELS: Mapping[str, CalledModel] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What the run's row says at that moment. `seconds_at_work` leaves the waits out."""

    workflow_name: str
    created_at: datetime
    seconds_at_work: float


@dataclass(frozen=True, slots=True)
class CommittedEvents:
    """Numbered events of one run, stored.

    `facts` come with the moves of a run, `models` (by their registered names) with what a crew told.
    """

    run_id: str
    attempt: int
    events: Sequence[RunEvent]
    facts: RunFacts | None = None
    models: Mapping[str, CalledModel] = field(default_factory=lambda: NO_MODELS)


CommitListener = Callable[[Sequence[CommittedEvents]], None]
"""Called on the event loop after a commit, once for each transaction that told something. Must be quick."""
