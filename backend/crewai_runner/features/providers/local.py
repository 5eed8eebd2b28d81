"""What the catalog needs to know of the built-in model's server."""

from typing import Protocol

from crewai_runner.localmodel.supervisor import Endpoint


class LocalServer(Protocol):
    """`localmodel.supervisor.LocalModel`, as far as it is used here."""

    def available(self) -> str | None:
        """Why the model cannot be used on this installation; None when it can."""

    async def endpoint(self, timeout_seconds: float | None = None) -> Endpoint:
        """Where it answers, once it does. Raises LocalModelUnavailable."""
