"""Reports the connections of a crew to other servers, and warns of those that were refused."""

import threading
from collections.abc import Callable
from dataclasses import replace

from crewai_runner.core.egress_meter import RequestObserver
from crewai_runner.core.secret_mask import TextMask
from crewai_runner.domain import run_events
from crewai_runner.domain.provider import ModelKind
from crewai_runner.domain.run_connection import ConnectionResult, RunConnection, RunConnectionPurpose
from crewai_runner.executor.connection_observer import Caller, CallerObserver
from crewai_runner.executor.crew.context.connection_observers import ConnectionObservers
from crewai_runner.executor.crew.context.run_context import current_task, current_tool_call
from crewai_runner.executor.crew.events.emitter import EventEmitter
from crewai_runner.executor.crew.events.tool_calls import ToolCallTracker
from crewai_runner.executor.port import ModelBinding

MAX_WARNINGS = 20


class ConnectionReporter(ConnectionObservers):
    """Of one attempt. Thread-safe. `mask` removes secrets from names of hosts, which are in lower case."""

    def __init__(
        self,
        emitter: EventEmitter,
        tool_calls: ToolCallTracker,
        note_connection: Callable[[RunConnection], None],
        mask: TextMask,
    ) -> None:
        self._emitter, self._tool_calls, self._mask = emitter, tool_calls, mask
        self._note_connection = note_connection
        self._warned: set[str] = set()
        self._lock = threading.Lock()

    def of_model(self, binding: ModelBinding) -> RequestObserver:
        is_embedder = binding.kind is ModelKind.EMBEDDER
        purpose = RunConnectionPurpose.EMBEDDER if is_embedder else RunConnectionPurpose.MODEL

        def find_model() -> Caller:
            scope = current_task.get()
            return Caller(purpose, binding.provider_name, scope.agent, scope.task_key)

        return CallerObserver(find_model, self._report)

    def of_tools(self) -> RequestObserver:
        return CallerObserver(self._find_tool, self._report)

    def _find_tool(self) -> Caller:
        call = self._tool_calls.find_open(current_tool_call.get())
        if call is not None:
            return Caller(RunConnectionPurpose.TOOL, call.tool, call.agent, call.task_key)
        scope = current_task.get()
        return Caller(RunConnectionPurpose.TOOL, "", scope.agent, scope.task_key)

    def _report(self, connection: RunConnection) -> None:
        reason = None if connection.reason is None else self._mask(connection.reason)
        connection = replace(connection, host=self._mask(connection.host), reason=reason)
        self._note_connection(connection)
        if connection.result is ConnectionResult.REFUSED:
            self._warn(connection)

    def _warn(self, connection: RunConnection) -> None:
        """Warn once of each host and port that was refused, up to a limit."""
        place = f"{connection.host}:{connection.port}"
        with self._lock:
            if place in self._warned or len(self._warned) >= MAX_WARNINGS:
                return
            self._warned.add(place)
        message = f"A connection to {place} was refused: {connection.reason}"
        self._emitter.emit(
            run_events.WarningRaised,
            {"code": "host-not-allowed", "message": message},
            task_key=connection.task_key,
            agent=connection.agent,
        )
