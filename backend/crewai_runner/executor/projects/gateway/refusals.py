"""Requests that the gateway refuses, and errors in the shape of each protocol."""

import json
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from crewai_runner.executor.projects.gateway.routes import WireProtocol


class RefusalKind(StrEnum):
    """Why there is no answer of a model."""

    AUTH = "auth"
    BAD_REQUEST = "bad-request"
    NOT_FOUND = "not-found"
    UNSUPPORTED = "unsupported"
    TOO_LARGE = "too-large"
    QUOTA = "quota"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    DEFECT = "defect"


class GatewayRefusal(Exception):
    """The gateway does not call a model; the message is for the author of the code."""

    def __init__(self, kind: RefusalKind, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.kind, self.message, self.status = kind, message, status


_K, _W = RefusalKind, WireProtocol
_STATUS: Mapping[RefusalKind, int] = MappingProxyType(
    {
        _K.AUTH: 401,
        _K.BAD_REQUEST: 400,
        _K.NOT_FOUND: 404,
        _K.UNSUPPORTED: 400,
        _K.TOO_LARGE: 413,
        _K.QUOTA: 429,
        _K.UNREACHABLE: 502,
        _K.TIMEOUT: 504,
        _K.DEFECT: 500,
    }
)
_OPENAI_CODES: Mapping[RefusalKind, tuple[str, str | None]] = MappingProxyType(
    {
        _K.AUTH: ("authentication_error", "invalid_api_key"),
        _K.NOT_FOUND: ("invalid_request_error", "model_not_found"),
        _K.UNSUPPORTED: ("invalid_request_error", "unsupported"),
        _K.QUOTA: ("insufficient_quota", "insufficient_quota"),
        _K.UNREACHABLE: ("server_error", "provider_unreachable"),
        _K.TIMEOUT: ("server_error", "timeout"),
        _K.DEFECT: ("server_error", None),
    }
)
_ANTHROPIC_TYPES: Mapping[RefusalKind, str] = MappingProxyType(
    {
        _K.AUTH: "authentication_error",
        _K.NOT_FOUND: "not_found_error",
        _K.TOO_LARGE: "request_too_large",
        _K.QUOTA: "billing_error",
        _K.UNREACHABLE: "api_error",
        _K.TIMEOUT: "timeout_error",
        _K.DEFECT: "api_error",
    }
)
_GEMINI_STATUS: Mapping[RefusalKind, str] = MappingProxyType(
    {
        _K.AUTH: "UNAUTHENTICATED",
        _K.NOT_FOUND: "NOT_FOUND",
        _K.QUOTA: "RESOURCE_EXHAUSTED",
        _K.UNREACHABLE: "UNAVAILABLE",
        _K.TIMEOUT: "DEADLINE_EXCEEDED",
        _K.DEFECT: "INTERNAL",
    }
)
_KIND_BY_STATUS: Mapping[int, RefusalKind] = MappingProxyType(
    {401: _K.AUTH, 402: _K.QUOTA, 404: _K.NOT_FOUND, 408: _K.TIMEOUT, 413: _K.TOO_LARGE, 504: _K.TIMEOUT}
)


def status_of(refusal: GatewayRefusal, protocol: WireProtocol) -> int:
    """Return the HTTP status. Anthropic's for an account without credit is 402."""
    if refusal.status is not None:
        return refusal.status
    if refusal.kind is RefusalKind.QUOTA and protocol is WireProtocol.ANTHROPIC:
        return 402
    return _STATUS[refusal.kind]


def error_body(refusal: GatewayRefusal, protocol: WireProtocol) -> bytes:
    """Return the body of the error, as the client libraries of the protocol expect it."""
    return json.dumps(error_content(refusal, protocol)).encode()


def error_content(refusal: GatewayRefusal, protocol: WireProtocol) -> dict[str, Any]:
    kind, message = refusal.kind, refusal.message
    match protocol:
        case _W.ANTHROPIC:
            name = _ANTHROPIC_TYPES.get(kind, "invalid_request_error")
            return {"type": "error", "error": {"type": name, "message": message}}
        case _W.GEMINI:
            name = _GEMINI_STATUS.get(kind, "INVALID_ARGUMENT")
            code = status_of(refusal, protocol)
            return {"error": {"code": code, "message": message, "status": name}}
        case _W.OLLAMA:
            return {"error": message}
        case _:
            name, code_name = _OPENAI_CODES.get(kind, ("invalid_request_error", None))
            return {"error": {"message": message, "type": name, "param": None, "code": code_name}}


def refusal_of_status(status: int, message: str) -> GatewayRefusal:
    """Return a provider's error for a caller that speaks another protocol."""
    kind = _KIND_BY_STATUS.get(status, RefusalKind.BAD_REQUEST if status < 500 else RefusalKind.UNREACHABLE)
    return GatewayRefusal(kind, message, status=status)
