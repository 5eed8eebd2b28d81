"""Answers the requests of MCP clients."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from pydantic import ValidationError
from sqlalchemy import Connection

from crewai_runner import __version__
from crewai_runner.core.errors import AppError, BadRequest
from crewai_runner.core.outside_values import clean_json
from crewai_runner.core.paging import Page
from crewai_runner.core.principal import Principal, Scope
from crewai_runner.domain.audit_entry import get_entry
from crewai_runner.domain.workflow import InputDefinition
from crewai_runner.features.auth.service import check_scope
from crewai_runner.features.mcp_endpoint.errors import (
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    RpcError,
    ToolRefused,
)
from crewai_runner.features.mcp_endpoint.messages import (
    HANDSHAKE_VERSIONS,
    META,
    NEWEST_HANDSHAKE,
    STATELESS_VERSION,
    ClientMessage,
)
from crewai_runner.features.mcp_endpoint.reports import make_text_result
from crewai_runner.features.mcp_endpoint.run_services import McpEndpointDeps
from crewai_runner.features.mcp_endpoint.run_tools import RunTools
from crewai_runner.features.mcp_endpoint.schemas import (
    AnswerApprovalArguments,
    GetRunArguments,
    ListRunsArguments,
    StopRunArguments,
    ToolArguments,
)
from crewai_runner.features.mcp_endpoint.tool_schemas import (
    ANSWER_APPROVAL,
    GET_RUN,
    LIST_RUNS,
    STOP_RUN,
    describe_workflow_tool,
)
from crewai_runner.features.mcp_endpoint.workflow_calls import (
    WorkflowCall,
    cancel_call,
    describe_validation,
    make_call,
)
from crewai_runner.features.workflows.schemas import WorkflowInputs
from crewai_runner.features.workflows.service import list_workflow_inputs

TOOLS_AT_ONCE = 100
SERVER_INFO = {"name": "crewai-runner", "title": "CrewAI Runner", "version": __version__}
CAPABILITIES: Mapping[str, Any] = {"tools": {}}
INSTRUCTIONS = (
    "Each workflow of this CrewAI Runner is a tool that starts a run and returns its result. If a run takes "
    "long or waits for a person, the tool returns its run_id: call get_run with it. Runs cost money: stop "
    "those that are not needed with stop_run."
)
T = TypeVar("T")
_STARTING = (Scope.WORKFLOWS_READ, Scope.RUNS_WRITE)


@dataclass(frozen=True, slots=True)
class _RunTool:
    """A tool for runs that are there, the right that it needs, and what carries it out."""

    description: Mapping[str, Any]
    scope: Scope
    arguments: type[ToolArguments]
    call: Callable[[RunTools, Principal, Any], Awaitable[dict[str, Any]]]


RUN_TOOLS: Mapping[str, _RunTool] = {
    str(tool.description["name"]): tool
    for tool in (
        _RunTool(LIST_RUNS, Scope.RUNS_READ, ListRunsArguments, RunTools.list_runs),
        _RunTool(GET_RUN, Scope.RUNS_READ, GetRunArguments, RunTools.get_run),
        _RunTool(STOP_RUN, Scope.RUNS_WRITE, StopRunArguments, RunTools.stop_run),
        _RunTool(ANSWER_APPROVAL, Scope.APPROVALS_WRITE, AnswerApprovalArguments, RunTools.answer_approval),
    )
}


class McpService:
    """Answers requests of both eras; what they are, `ClientMessage` says."""

    def __init__(self, deps: McpEndpointDeps) -> None:
        self._deps = deps

    def accept_notification(self, principal: Principal, message: ClientMessage) -> None:
        """Cancel the call that a notification names; others need nothing to be done."""
        if message.method != "notifications/cancelled" or message.is_stateless:
            return
        request_id = message.params.get("requestId")
        if isinstance(request_id, str | int) and not isinstance(request_id, bool):
            cancel_call(self._deps, principal, message.session, request_id)

    async def answer(self, principal: Principal, message: ClientMessage) -> dict[str, Any] | WorkflowCall:
        """Return the result of a request, or the call of a workflow, which is yet to be started.

        Raises RpcError, and AppError for failures of this server.
        """
        match message.method, message.is_stateless:
            case "initialize", False:
                return self._initialize(message)
            case "server/discover", True:
                return complete_result(message, self._discover(), is_cacheable=True)
            case "ping", _:
                return complete_result(message, {})
            case "tools/list", _:
                return complete_result(message, await self._list_tools(principal, message), is_cacheable=True)
            case "tools/call", _:
                return await self._call_tool(principal, message)
        raise RpcError(METHOD_NOT_FOUND, f"Method not found: {message.method}")

    def _initialize(self, message: ClientMessage) -> dict[str, Any]:
        wanted = message.params.get("protocolVersion")
        if not isinstance(wanted, str):
            raise RpcError(INVALID_PARAMS, "`protocolVersion` must be the version that the client speaks.")
        return {
            "protocolVersion": wanted if wanted in HANDSHAKE_VERSIONS else NEWEST_HANDSHAKE,
            "capabilities": CAPABILITIES,
            "serverInfo": SERVER_INFO,
            "instructions": INSTRUCTIONS,
        }

    def _discover(self) -> dict[str, Any]:
        return {
            "supportedVersions": [STATELESS_VERSION, *reversed(HANDSHAKE_VERSIONS)],
            "capabilities": CAPABILITIES,
            "instructions": INSTRUCTIONS,
            "_meta": {f"{META}serverInfo": SERVER_INFO},
        }

    async def _list_tools(self, principal: Principal, message: ClientMessage) -> dict[str, Any]:
        cursor = message.params.get("cursor")
        if cursor is not None and not isinstance(cursor, str):
            raise RpcError(INVALID_PARAMS, "`cursor` must be the `nextCursor` of a page.")
        may_use = [dict(tool.description) for tool in RUN_TOOLS.values() if principal.has_scope(tool.scope)]
        page = await self._list_workflows(principal, cursor)
        tools = [
            describe_workflow_tool(
                row.slug,
                row.name,
                row.description,
                [InputDefinition.model_validate(each) for each in row.inputs or []],
            )
            for row in page.items
        ]
        secrets_mask = self._deps.mask.scoped(principal.workspace_id)
        listed = {"tools": [*clean_json(tools, secrets_mask), *([] if cursor else may_use)]}
        return listed if page.next_cursor is None else listed | {"nextCursor": page.next_cursor}

    async def _list_workflows(self, principal: Principal, cursor: str | None) -> Page[WorkflowInputs]:
        if not all(map(principal.has_scope, _STARTING)):
            return Page([], None)

        def read(connection: Connection) -> Page[WorkflowInputs]:
            return list_workflow_inputs(connection, principal, TOOLS_AT_ONCE, cursor)

        try:
            return await self._deps.reader.run(read)
        except BadRequest as error:
            raise RpcError(INVALID_PARAMS, error.detail) from None

    async def _call_tool(self, principal: Principal, message: ClientMessage) -> dict[str, Any] | WorkflowCall:
        name, arguments = message.params.get("name"), message.params.get("arguments")
        if not isinstance(name, str) or not isinstance(arguments, dict | None):
            raise RpcError(INVALID_PARAMS, "`name` must be the name of a tool, and `arguments` an object.")
        message.progress_token  # noqa: B018 - raises for a wrong one before anything is started
        tool = RUN_TOOLS.get(name)
        if tool is not None:
            call = partial(self._call_run_tool, principal, tool, arguments or {})
            return complete_result(message, await answer_failures(call))
        make = partial(self._make_workflow_call, principal, message, name, arguments or {})
        made = await answer_failures(make)
        return complete_result(message, made) if isinstance(made, dict) else made

    async def _make_workflow_call(
        self, principal: Principal, message: ClientMessage, name: str, arguments: Mapping[str, Any]
    ) -> WorkflowCall:
        for scope in _STARTING:
            check_scope(principal, scope, "Starting a workflow")
        return make_call(self._deps, principal, message, name, arguments)

    async def _call_run_tool(
        self, principal: Principal, tool: _RunTool, arguments: Mapping[str, Any]
    ) -> dict[str, Any]:
        check_scope(principal, tool.scope, "This tool")
        return await tool.call(RunTools(self._deps), principal, tool.arguments.model_validate(arguments))


async def answer_failures(call: Callable[[], Awaitable[T]]) -> T | dict[str, Any]:
    """Return what a call returns; if it cannot be carried out, a result that tells the model why.

    Failures of this server are raised: the client may send the request again.
    """
    try:
        return await call()
    except ValidationError as error:
        get_entry().declare_unchanged()
        return make_text_result(describe_validation(error), is_error=True)
    except ToolRefused as error:
        get_entry().declare_unchanged()
        return make_text_result(str(error), is_error=True)
    except AppError as error:
        if error.status >= 500:
            raise
        get_entry().declare_unchanged()
        if error.status == 403:
            get_entry().declare_refused(error.slug)
        return make_text_result(error.detail, is_error=True)


def make_session_label() -> str:
    """Return a text that tells the clients with one key apart; nothing is stored under it."""
    return secrets.token_urlsafe(24)


def complete_result(
    message: ClientMessage, result: dict[str, Any], *, is_cacheable: bool = False
) -> dict[str, Any]:
    """Return a result as the client's version of the protocol expects it."""
    if not message.is_stateless:
        return result
    caching = {"ttlMs": 0, "cacheScope": "private"} if is_cacheable else {}
    return {"resultType": "complete", **caching, **result}
