"""Calls of the tools that start workflows."""

import hashlib
import json
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from crewai_runner.core.errors import AppError
from crewai_runner.core.principal import Principal
from crewai_runner.db.session import read_phase
from crewai_runner.domain.audit_entry import get_entry, open_entry
from crewai_runner.domain.run import StopMode
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.features.executions.schemas import RunStart
from crewai_runner.features.mcp_endpoint.errors import INVALID_PARAMS, RpcError, ToolRefused
from crewai_runner.features.mcp_endpoint.messages import ClientMessage, Token
from crewai_runner.features.mcp_endpoint.reports import make_result
from crewai_runner.features.mcp_endpoint.run_services import McpEndpointDeps
from crewai_runner.features.mcp_endpoint.run_tools import RunTools
from crewai_runner.features.mcp_endpoint.schemas import RunControls
from crewai_runner.features.mcp_endpoint.tool_schemas import CONTROL_PREFIX
from crewai_runner.features.workflows.errors import WorkflowNotFound
from crewai_runner.features.workflows.service import WorkflowService
from crewai_runner.stream.notifier import Chunk, Subscription

START_RUN, STOP_RUN = "mcp:start_run", "mcp:stop_run"
_CANCELLED = Chunk(0, "cancelled")


@dataclass(frozen=True, slots=True)
class WorkflowCall:
    """A call that starts a run; whoever answers the request starts it and follows it."""

    deps: McpEndpointDeps
    principal: Principal
    message: ClientMessage
    tool: str
    inputs: Mapping[str, Any]
    controls: RunControls

    @property
    def caller(self) -> str:
        return f"{self.principal.workspace_id}/{self.principal.subject}"

    async def start(self) -> str:
        """Start the run and return its id. Raises RpcError for an unknown tool, ToolRefused, AppError."""
        get_entry().begin_operation(START_RUN)
        try:
            async with self.deps.transaction() as session:
                async with read_phase(session):
                    workflows = WorkflowService(session, self.deps.mask)
                    workflow_id, definition = await workflows.find_automation(self.principal, self.tool)
                    self._check_names(definition)
                start = RunStart.model_validate({"workflow_id": workflow_id, "inputs": dict(self.inputs)})
                executions = self.deps.executions(session)
                return (await executions.start(self.principal, start, self.controls.key)).run_id
        except WorkflowNotFound:
            get_entry().declare_unchanged()
            raise RpcError(INVALID_PARAMS, f"Unknown tool: {self.tool}") from None
        except (AppError, ValidationError):
            get_entry().declare_unchanged()
            raise

    def _check_names(self, definition: WorkflowDefinition) -> None:
        names = [declared.name for declared in definition.inputs]
        unknown = sorted(set(self.inputs) - set(names))
        if unknown:
            known = ", ".join(names) or "no inputs"
            raise ToolRefused(f"The workflow has no input {unknown[0][:100]!r}; it has {known}.")

    async def make_result(self, run_id: str) -> dict[str, Any]:
        """Return the result of the tool. Raises RunNotFound."""
        report = await RunTools(self.deps).report(self.principal, run_id)
        return make_result(report, is_started_here=True)

    async def stop(self, run_id: str) -> None:
        """Stop the run: the client has cancelled the call. Not if it has finished or was deleted."""
        with open_entry(get_entry().follow_up(STOP_RUN)), suppress(AppError):
            await self.deps.stop_run(self.principal, run_id, StopMode.NOW)

    def listen_for_cancellation(self) -> AbstractContextManager[Subscription]:
        """Receive live chunks for each `notifications/cancelled` that names this request."""
        assert self.message.id is not None  # noqa: S101  # notifications call no tools
        topic = _cancellation_topic(self.principal, self.message.session, self.message.id)
        return self.deps.notifier.subscribe(topic)


def make_call(
    deps: McpEndpointDeps,
    principal: Principal,
    message: ClientMessage,
    tool: str,
    arguments: Mapping[str, Any],
) -> WorkflowCall:
    """Raises ToolRefused for arguments that are neither inputs nor known."""
    given = {
        name.removeprefix(CONTROL_PREFIX): value
        for name, value in arguments.items()
        if name.startswith(CONTROL_PREFIX)
    }
    inputs = {name: value for name, value in arguments.items() if not name.startswith(CONTROL_PREFIX)}
    try:
        controls = RunControls.model_validate(given)
    except ValidationError as error:
        raise ToolRefused(describe_validation(error, CONTROL_PREFIX)) from None
    return WorkflowCall(deps, principal, message, tool, inputs, controls)


def describe_validation(error: ValidationError, prefix: str = "") -> str:
    """Return what is wrong with the arguments, without their values."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    named = [f"{prefix}{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in problems[:10]]
    return "The arguments are not valid. " + "; ".join(named)


def cancel_call(deps: McpEndpointDeps, principal: Principal, session: str, request_id: Token) -> None:
    """Tell the process in which this caller's request waits, if one does, that it is cancelled."""
    deps.notifier.publish_ephemeral(_cancellation_topic(principal, session, request_id), _CANCELLED)


def _cancellation_topic(principal: Principal, session: str, request_id: Token) -> str:
    """Return the topic of one caller, session and id: a key cannot cancel a call of another key."""
    parts = json.dumps([principal.workspace_id, principal.subject, session, request_id])
    return f"mcp:{hashlib.sha256(parts.encode()).hexdigest()}"
