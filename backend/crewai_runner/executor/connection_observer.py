"""Turns the measured requests of a run's HTTP clients into entries of its ledger."""

from collections.abc import Callable
from dataclasses import dataclass

from crewai_runner.core.clock import now
from crewai_runner.core.egress_meter import MeasuredRequest, OnRequestEnd, RequestObserver
from crewai_runner.domain.run_connection import ConnectionResult, RunConnection, RunConnectionPurpose


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf a request is made; `name` is that of the provider or tool."""

    purpose: RunConnectionPurpose
    name: str
    agent: str | None = None
    task_key: str | None = None


class CallerObserver(RequestObserver):
    """`find_caller` is called where a request begins, and reads the context there."""

    def __init__(self, find_caller: Callable[[], Caller], note: Callable[[RunConnection], None]) -> None:
        self._find_caller, self._note = find_caller, note

    def begin_request(self) -> OnRequestEnd:
        caller = self._find_caller()
        return lambda request: self._note(_describe(caller, request))

    def __deepcopy__(self, _memo: object) -> "CallerObserver":
        return self  # CrewAI copies models with their settings


def _describe(caller: Caller, request: MeasuredRequest) -> RunConnection:
    return RunConnection(
        at=now(),
        host=request.host,
        port=request.port,
        purpose=caller.purpose,
        name=caller.name,
        agent=caller.agent,
        task_key=caller.task_key,
        sent_bytes=request.sent,
        received_bytes=request.received,
        milliseconds=round(request.seconds * 1000),
        result=ConnectionResult(request.result),
        reason=request.reason,
    )
