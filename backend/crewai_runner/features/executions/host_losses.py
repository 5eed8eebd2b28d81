"""What follows when the process that executed an attempt is gone: crew hosts only."""

from dataclasses import dataclass

from crewai_runner.domain.run import RunFailure
from crewai_runner.executor.attempt_loss import AttemptLost, LossReason
from crewai_runner.executor.port import Failed

LOSSES_BEFORE_ALONE = 2
"""A host that died may have been killed from outside; after as many deaths the run is suspected."""


@dataclass(slots=True)
class HostLosses:
    """The losses of one run's hosts during one job.

    Every run of a host that froze or used too much memory may be the cause: each continues alone in a host of
    its own, and fails when that host is lost for the same reason.
    """

    count_died: int = 0
    runs_alone: bool = False

    def count(self, lost: AttemptLost) -> Failed | None:
        """Count a loss and decide where the run continues; return the failure if it must not."""
        if lost.reason is LossReason.DIED:
            self.count_died += 1
            self.runs_alone = self.runs_alone or self.count_died >= LOSSES_BEFORE_ALONE
            return None
        if self.runs_alone:
            return _frozen(lost) if lost.reason is LossReason.FROZEN else _out_of_memory(lost)
        self.runs_alone = True
        return None


def _frozen(lost: AttemptLost) -> Failed:
    return Failed(
        RunFailure(
            code="engine-frozen",
            message="The run twice stopped the process that executed it from answering, the second time "
            f"alone in its process. {_last_event(lost)}",
            hint="Look at the last event: a very long answer or tool output, or a tool that never returns "
            "control, is the likely cause.",
        )
    )


def _out_of_memory(lost: AttemptLost) -> Failed:
    return Failed(
        RunFailure(
            code="engine-out-of-memory",
            message="The run twice used more memory than a crew host may use, the second time alone in its "
            f"process. {_last_event(lost)}",
            hint="Process less data at once, or raise CREW_HOST_MEMORY_MB.",
        )
    )


def _last_event(lost: AttemptLost) -> str:
    if lost.last_event is None:
        return "It had emitted no event."
    return f"Its last event was `{lost.last_event}`."
