"""What one call of a job knows of the attempt that it has claimed."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from crewai_runner.core.clock import Stopwatch
from crewai_runner.domain.budget import Budget
from crewai_runner.features.executions.attempt_writes import BegunAttempt
from crewai_runner.features.executions.host_losses import HostLosses


@dataclass(slots=True)
class Claim:
    """One call of a job. `fencing_token` is None until the call has claimed the run."""

    run_id: str
    attempt: int
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    fencing_token: int | None = None
    budget: Budget = field(default_factory=Budget)
    stopwatch: Stopwatch | None = None
    begun: BegunAttempt | None = None
    """What the usual begin has read of the run; None after any other."""
    has_files: bool = True
    """Whether the end must check that every file is saved."""
    host_losses: HostLosses = field(default_factory=HostLosses)
    connections: dict[str, Any] | None = None
    """Those that no event of the attempt followed: they are stored with its end."""

    def renew(self) -> None:
        """Claim the run as a new call would, which counts the loss of the attempt's process."""
        self.id = uuid.uuid4().hex
