"""JSON-RPC answers as responses."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from pydantic_core import to_json
from starlette.responses import Response

from crewai_runner.features.mcp_endpoint.errors import (
    HEADER_MISMATCH,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    UNSUPPORTED_VERSION,
    RpcError,
)
from crewai_runner.features.mcp_endpoint.messages import Token

_MALFORMED = frozenset({PARSE_ERROR, INVALID_REQUEST, HEADER_MISMATCH, UNSUPPORTED_VERSION})


def encode_result(request_id: Token | None, result: Mapping[str, Any]) -> bytes:
    return to_json({"jsonrpc": "2.0", "id": request_id, "result": result})


def result_response(request_id: Token | None, result: Mapping[str, Any]) -> Response:
    return _json_response(encode_result(request_id, result), HTTPStatus.OK)


def encode_error(request_id: Token | None, error: RpcError) -> bytes:
    content: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.data is not None:
        content["data"] = error.data
    return to_json({"jsonrpc": "2.0", "id": request_id, "error": content})


def error_response(request_id: Token | None, error: RpcError, *, is_stateless: bool) -> Response:
    """Since 2026-07-28 the status says more: 400 for wrong parameters, 404 for an unknown method."""
    status = HTTPStatus.BAD_REQUEST if error.code in _MALFORMED else HTTPStatus.OK
    if is_stateless and error.code == INVALID_PARAMS:
        status = HTTPStatus.BAD_REQUEST
    if is_stateless and error.code == METHOD_NOT_FOUND:
        status = HTTPStatus.NOT_FOUND
    return _json_response(encode_error(request_id, error), status)


def encode_event(message: bytes) -> bytes:
    """Return a message as a server-sent event; JSON has no line breaks."""
    return b"event: message\ndata: " + message + b"\n\n"


def _json_response(content: bytes, status: HTTPStatus) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(content, status_code=status, media_type="application/json", headers=headers)
