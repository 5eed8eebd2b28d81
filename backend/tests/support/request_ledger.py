"""An observer of requests."""

from crewai_runner.core.egress_meter import MeasuredRequest, OnRequestEnd


class Ledger:
    """Remembers the requests that were measured."""

    def __init__(self) -> None:
        self.entries: list[MeasuredRequest] = []

    def begin_request(self) -> OnRequestEnd:
        return self.entries.append
