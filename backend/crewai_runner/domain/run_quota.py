"""How much one run may store."""

from dataclasses import dataclass

from crewai_runner.domain.run import RunFailure

QUOTA_EXCEEDED = "quota-exceeded"
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class RunQuota:
    """The events of a run, and the bytes that it stores, over all its attempts."""

    max_events: int = 100_000
    max_bytes: int = 256 * MEGABYTE

    def find_excess(self, events: int, stored_bytes: int) -> RunFailure | None:
        """Return the failure of a run that has stored this much; None if it may continue."""
        if events > self.max_events:
            return RunFailure(
                code=QUOTA_EXCEEDED,
                message=f"The run has more than {self.max_events:,} events, the limit of this server.",
                hint="Look for a step that repeats without end, or raise RUN_MAX_EVENTS and resume the run.",
            )
        if stored_bytes > self.max_bytes:
            limit = round(self.max_bytes / MEGABYTE, 2)
            return RunFailure(
                code=QUOTA_EXCEEDED,
                message=f"What the run stores exceeds {limit:g} MB, the limit of the server.",
                hint="Make the tasks' outputs smaller, or raise RUN_MAX_STORED_MB and resume the run.",
            )
        return None
