"""The loss of a process that executes attempts."""

from enum import StrEnum


class LossReason(StrEnum):
    """Why a process that executed attempts is gone."""

    DIED = "died"
    FROZEN = "frozen"
    """It did not answer and was killed."""
    OUT_OF_MEMORY = "out-of-memory"
    """It exceeded its memory limit and was killed."""


class AttemptLost(Exception):
    """The process that executed an attempt is gone; the attempt can be executed again.

    Any attempt of that process may be the cause. `last_event` is the type of the last event that the attempt
    emitted.
    """

    def __init__(self, reason: LossReason, last_event: str | None = None) -> None:
        super().__init__(f"the process that executed the attempt is gone ({reason})")
        self.reason, self.last_event = reason, last_event
