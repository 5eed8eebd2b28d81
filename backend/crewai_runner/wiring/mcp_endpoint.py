"""Builds the dependencies of the MCP endpoint from those of runs and events."""

from collections.abc import Callable

from crewai_runner.features.approvals.service import ApprovalService
from crewai_runner.features.events.deps import MAX_SILENT_SECONDS, EventDeps
from crewai_runner.features.events.run_event_stream import RunEventStream
from crewai_runner.features.executions.execution_deps import ExecutionDeps
from crewai_runner.features.executions.service import ExecutionService
from crewai_runner.features.executions.stop_service import StopService
from crewai_runner.features.mcp_endpoint.run_services import McpEndpointDeps
from crewai_runner.features.mcp_endpoint.waiting_calls import WaitingCalls
from crewai_runner.features.runs.run_list import RunListService

__all__ = ["McpEndpointDeps", "McpEndpointFactory"]


class McpEndpointFactory:
    """Builds them for each request; which calls wait is common to all."""

    def __init__(self, executions: Callable[[], ExecutionDeps], events: Callable[[], EventDeps]) -> None:
        self._executions, self._events = executions, events
        self._waiting_calls = WaitingCalls()

    def __call__(self) -> McpEndpointDeps:
        executions, events = self._executions(), self._events()
        ping_seconds = min(events.ping_seconds, MAX_SILENT_SECONDS)
        return McpEndpointDeps(
            sessions=executions.sessions,
            publish=executions.notifier.publish,
            reader=events.reader,
            notifier=executions.notifier,
            mask=executions.mask,
            executions=lambda session: ExecutionService(session, executions),
            approvals=lambda session: ApprovalService(session, executions.queue, executions.mask),
            list_runs=RunListService(events.reader).list_page,
            stop_run=StopService(executions).stop,
            open_stream=RunEventStream(events.reader, events.feeds, ping_seconds).open_batches,
            wait_until_open=executions.queue.wait_until_open,
            waiting_calls=self._waiting_calls,
        )
