"""What observes the requests of a run's clients: of its models and of its tools."""

from typing import Protocol

from crewai_runner.core.egress_meter import RequestObserver
from crewai_runner.executor.port import ModelBinding


class ConnectionObservers(Protocol):
    """Of one attempt."""

    def of_model(self, binding: ModelBinding) -> RequestObserver:
        """Observe the client of a model or an embedder."""

    def of_tools(self) -> RequestObserver:
        """Observe the clients of tools; the context of a request says which tool it is."""
