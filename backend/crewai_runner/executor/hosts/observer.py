"""Who is told when a crew host is lost or replaced."""

from typing import Protocol


class HostObserver(Protocol):
    """Called on the event loop of the worker."""

    def host_lost(self, reason: str) -> None:
        """A host is gone with its attempts; `reason` is a `LossReason`."""

    def host_retired(self, reason: str) -> None:
        """A host takes no further work: `age`, `memory` or `abandoned work`."""
