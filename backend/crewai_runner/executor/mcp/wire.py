"""Messages of both eras of the protocol as JSON. Pure."""

import base64
import re
from collections.abc import Mapping
from typing import Any

from crewai_runner.domain.mcp_server import McpEra
from crewai_runner.domain.mcp_tools import clean_text
from crewai_runner.executor.mcp.failures import RequestRejected, ServerUnreachable

HANDSHAKE_VERSION = "2025-11-25"
HANDSHAKE_VERSIONS = frozenset({"2024-11-05", "2025-03-26", "2025-06-18", HANDSHAKE_VERSION})
STATELESS_VERSION = "2026-07-28"
METHOD_NOT_FOUND = -32601
UNSUPPORTED_VERSION = -32022
CLIENT: Mapping[str, str] = {"name": "crewai-runner", "version": "1"}
CAPABILITIES: Mapping[str, Any] = {"elicitation": {"form": {}}}
"""Fixed: what some servers list depends on what the client can do."""
MAX_MESSAGE_LENGTH = 500
_ACCEPT = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
_META = "io.modelcontextprotocol/"
_PLAIN_HEADER = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_NAMED_BY = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}


def make_request(
    era: McpEra, request_id: int, method: str, params: Mapping[str, Any], *, wants_progress: bool = False
) -> dict[str, Any]:
    """Return a request. In the stateless era it says itself who asks, in which version."""
    meta: dict[str, Any] = {"progressToken": request_id} if wants_progress else {}
    if era is McpEra.STATELESS:
        meta |= {
            f"{_META}protocolVersion": STATELESS_VERSION,
            f"{_META}clientInfo": dict(CLIENT),
            f"{_META}clientCapabilities": dict(CAPABILITIES),
        }
    body = dict(params) | ({"_meta": meta} if meta else {})
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": body}


def make_notification(method: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method} | ({"params": dict(params)} if params else {})


def make_reply(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer to a question of the server: only `ping` is answered, the rest is refused."""
    if request.get("method") == "ping":
        return {"jsonrpc": "2.0", "id": request["id"], "result": {}}
    error = {"code": METHOD_NOT_FOUND, "message": "This client does not answer this method."}
    return {"jsonrpc": "2.0", "id": request["id"], "error": error}


def make_headers(
    era: McpEra, message: Mapping[str, Any], *, version: str | None, session_id: str | None
) -> dict[str, str]:
    """Return the protocol's headers of a message. `version` is None before it is agreed."""
    headers = dict(_ACCEPT)
    if era is McpEra.STATELESS:
        method = str(message["method"])
        headers |= {"mcp-protocol-version": STATELESS_VERSION, "mcp-method": method}
        name = message.get("params", {}).get(_NAMED_BY.get(method, ""))
        if isinstance(name, str):
            headers["mcp-name"] = _encode_header(name)
        return headers
    if version is not None:
        headers["mcp-protocol-version"] = version
    if session_id is not None:
        headers["mcp-session-id"] = session_id
    return headers


def read_result(message: Mapping[str, Any], host: str) -> dict[str, Any]:
    """Return the result of an answer. Raises RequestRejected for an error, ServerUnreachable for neither."""
    error = message.get("error")
    if isinstance(error, dict):
        code = error.get("code")
        text = clean_text(str(error.get("message") or "no message"), MAX_MESSAGE_LENGTH)
        raise RequestRejected(f"{host} answered: {text}", code if isinstance(code, int) else 0)
    result = message.get("result")
    if not isinstance(result, dict):
        raise ServerUnreachable(f"{host} sent an answer without a result.", may_have_run=True)
    return result


def is_answer(message: object, request_id: int) -> bool:
    """Return whether a message answers the request. An error may lack the id that could not be read."""
    if not isinstance(message, dict) or "method" in message:
        return False
    return message.get("id") == request_id or ("error" in message and message.get("id") is None)


def _encode_header(value: str) -> str:
    if _PLAIN_HEADER.fullmatch(value) is not None and not value.startswith("=?base64?"):
        return value
    return f"=?base64?{base64.b64encode(value.encode()).decode()}?="
