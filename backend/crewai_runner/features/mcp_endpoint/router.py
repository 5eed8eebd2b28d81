"""The endpoint for MCP clients: the streamable HTTP transport, without sessions."""

from http import HTTPStatus
from typing import Any

from fastapi import Request
from starlette.responses import Response

from crewai_runner.features.auth.deps import RightsCheck
from crewai_runner.features.mcp_endpoint.call_response import WorkflowCallResponse
from crewai_runner.features.mcp_endpoint.deps import Caller, Mcp
from crewai_runner.features.mcp_endpoint.errors import RpcError
from crewai_runner.features.mcp_endpoint.messages import (
    METHOD_HEADER,
    NAME_HEADER,
    SESSION_HEADER,
    VERSION_HEADER,
    Headers,
    find_id,
    is_stateless_request,
    read_message,
)
from crewai_runner.features.mcp_endpoint.rpc_responses import error_response, result_response
from crewai_runner.features.mcp_endpoint.service import make_session_label
from crewai_runner.features.mcp_endpoint.workflow_calls import WorkflowCall
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.unaudited import unaudited

PREFIX = "/mcp"
router = PrefixedRouter(prefix=PREFIX, tags=["mcp"])

_MESSAGE: dict[str, Any] = {
    "type": "object",
    "description": "One JSON-RPC message.",
    "properties": {
        "jsonrpc": {"const": "2.0"},
        "id": {"anyOf": [{"type": "integer"}, {"type": "string", "maxLength": 200}]},
        "method": {"type": "string", "maxLength": 200},
        "params": {"type": "object"},
    },
    "required": ["jsonrpc", "method"],
}
_ANSWER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "jsonrpc": {"const": "2.0"},
        "id": {"anyOf": [{"type": "integer"}, {"type": "string"}, {"type": "null"}]},
        "result": {"type": "object"},
        "error": {"type": "object"},
    },
    "required": ["jsonrpc", "id"],
}
_ACCEPTED = {"description": "A notification was accepted, or a call was cancelled."}


@router.post(
    "",
    response_class=Response,
    responses={
        200: {
            "description": "The result, or an error of the protocol; with a progress token as events.",
            "content": {"application/json": {"schema": _ANSWER}, "text/event-stream": {}},
        },
        202: _ACCEPTED,
        400: {"description": "A malformed message.", "content": {"application/json": {"schema": _ANSWER}}},
        404: {"description": "An unknown method.", "content": {"application/json": {"schema": _ANSWER}}},
    },
    **unaudited(
        "Only tools change something: they leave rows with operations of their own.",
        {"requestBody": {"required": True, "content": {"application/json": {"schema": _MESSAGE}}}},
    ),
)
async def handle_message(
    request: Request, caller: Caller, mcp: Mcp, has_same_rights: RightsCheck
) -> Response:
    """Answer one message of an MCP client (Model Context Protocol, versions 2024-11-05 to 2026-07-28).

    Every saved workflow is a tool that starts a run and waits for its result; `list_runs`, `get_run`,
    `stop_run` and `answer_approval` follow and steer runs. `tools/list` shows what the caller may use.
    """
    headers: Headers = {
        name: request.headers.getlist(name)
        for name in (VERSION_HEADER, METHOD_HEADER, NAME_HEADER, SESSION_HEADER)
    }
    body = await request.body()
    is_stateless = is_stateless_request(headers)
    request_id = None
    try:
        message = read_message(body, headers)
        request_id, is_stateless = message.id, message.is_stateless
        if request_id is None:
            mcp.accept_notification(caller, message)
            return Response(status_code=HTTPStatus.ACCEPTED)
        answer = await mcp.answer(caller, message)
    except RpcError as error:
        return error_response(request_id or find_id(body), error, is_stateless=is_stateless)
    if isinstance(answer, WorkflowCall):
        accepts_stream = "text/event-stream" in request.headers.get("accept", "")
        return WorkflowCallResponse(answer, has_same_rights, accepts_stream=accepts_stream)
    response = result_response(request_id, answer)
    if message.method == "initialize":
        response.headers[SESSION_HEADER] = make_session_label()
    return response
