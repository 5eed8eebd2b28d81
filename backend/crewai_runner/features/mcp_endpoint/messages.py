"""Messages of clients, in both eras of the protocol. Pure.

Up to 2025-11-25 a client begins with `initialize`. Since 2026-07-28 each request is complete in itself: it
names its version, and headers repeat what it asks for.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from crewai_runner.core.bounded_json import parse_json
from crewai_runner.core.text import check_storable
from crewai_runner.features.mcp_endpoint.errors import (
    HEADER_MISMATCH,
    INVALID_PARAMS,
    INVALID_REQUEST,
    PARSE_ERROR,
    UNSUPPORTED_VERSION,
    RpcError,
)

NEWEST_HANDSHAKE = "2025-11-25"
HANDSHAKE_VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", NEWEST_HANDSHAKE)
STATELESS_VERSION = "2026-07-28"
META = "io.modelcontextprotocol/"
VERSION_HEADER, METHOD_HEADER, NAME_HEADER = "mcp-protocol-version", "mcp-method", "mcp-name"
SESSION_HEADER = "mcp-session-id"
MAX_ID_LENGTH = 200
MAX_INTEGER = 2**63 - 1
_METHOD = re.compile(r"[\x21-\x7e]{1,200}")
_NAMED_BY = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
_BASE64_START, _BASE64_END = "=?base64?", "?="

Token = str | int
Headers = Mapping[str, list[str]]
"""The values of the protocol's headers, by their names in small letters."""


@dataclass(frozen=True, slots=True)
class ClientMessage:
    """A request, or with `id` None a notification or an answer."""

    id: Token | None
    method: str
    params: Mapping[str, Any] = field(default_factory=dict)
    is_stateless: bool = False
    session: str = ""
    """What the client repeats of the answer to `initialize`; nothing is stored under it."""

    @property
    def progress_token(self) -> Token | None:
        """Raises RpcError unless it is a short text or a number."""
        meta = self.params.get("_meta")
        token = meta.get("progressToken") if isinstance(meta, dict) else None
        return None if token is None else _check_token(token, "_meta.progressToken", INVALID_PARAMS)


def read_message(body: bytes, headers: Headers) -> ClientMessage:
    """Return the message of a request's body. Raises RpcError; `find_id` finds what it is the answer to."""
    content = _parse(body)
    if isinstance(content, list):
        raise RpcError(INVALID_REQUEST, "Batches are not supported: send one message in each request.")
    if not isinstance(content, dict) or content.get("jsonrpc") != "2.0":
        raise RpcError(INVALID_REQUEST, 'The body must be one JSON-RPC message, with `"jsonrpc": "2.0"`.')
    if "method" not in content and ("result" in content or "error" in content):
        return ClientMessage(None, "")  # this server asks nothing, so there is nothing to answer
    message = _read_request(content)
    if _is_stateless(message, headers):
        message = replace(message, is_stateless=True)
        _check_stateless(message, headers)
        return message
    _check_handshake_version(headers)
    return replace(message, session=(_get(headers, SESSION_HEADER) or "")[:MAX_ID_LENGTH])


def find_id(body: bytes) -> Token | None:
    """Return the id of a message that could not be read, None if it has none that can be repeated."""
    try:
        content = _parse(body)
        return _check_token(content["id"], "id", INVALID_REQUEST) if isinstance(content, dict) else None
    except (RpcError, KeyError):
        return None


def is_stateless_request(headers: Headers) -> bool:
    return STATELESS_VERSION in headers.get(VERSION_HEADER, ())


def _parse(body: bytes) -> object:
    try:
        content: object = parse_json(body)
    except ValueError:
        raise RpcError(PARSE_ERROR, "The body is not JSON in UTF-8.") from None
    return content


def _read_request(content: Mapping[str, Any]) -> ClientMessage:
    method = content.get("method")
    if not isinstance(method, str) or _METHOD.fullmatch(method) is None:
        raise RpcError(INVALID_REQUEST, "`method` must be the name of a method.")
    request_id = _check_token(content["id"], "id", INVALID_REQUEST) if "id" in content else None
    params = content.get("params", {})
    if not isinstance(params, dict):
        raise RpcError(INVALID_PARAMS, "`params` must be an object.")
    try:
        check_storable(params)
    except ValueError as error:
        raise RpcError(INVALID_PARAMS, f"`params` {error}.") from None
    return ClientMessage(request_id, method, params)


def _check_token(value: object, name: str, code: int) -> Token:
    if isinstance(value, str) and len(value) <= MAX_ID_LENGTH and value.isprintable():
        return value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MAX_INTEGER:
        return value
    raise RpcError(code, f"`{name}` must be an integer, or text of at most {MAX_ID_LENGTH} characters.")


def _is_stateless(message: ClientMessage, headers: Headers) -> bool:
    meta = message.params.get("_meta")
    return is_stateless_request(headers) or (isinstance(meta, dict) and f"{META}protocolVersion" in meta)


def _check_stateless(message: ClientMessage, headers: Headers) -> None:
    """Raise RpcError unless the request says what it needs to, and its headers say the same."""
    meta = message.params.get("_meta")
    if message.id is None:
        return  # it is accepted and ignored, whatever it is
    names = [f"{META}{name}" for name in ("protocolVersion", "clientCapabilities")]
    missing = [name for name in names if not isinstance(meta, dict) or name not in meta]
    if missing or not isinstance(meta, dict):
        raise RpcError(INVALID_PARAMS, f"`params._meta` must have {' and '.join(missing)}.")
    version = meta[names[0]]
    expected = {VERSION_HEADER: version, METHOD_HEADER: message.method}
    name = message.params.get(_NAMED_BY.get(message.method, ""))
    if name is not None:
        expected[NAME_HEADER] = name
    for header, value in expected.items():
        if len(headers.get(header, ())) != 1 or _decode(headers[header][0]) != value:
            raise RpcError(HEADER_MISMATCH, f"The header {header} must agree with the body.")
    if version != STATELESS_VERSION:
        supported = {"supported": [STATELESS_VERSION], "requested": version}
        raise RpcError(UNSUPPORTED_VERSION, "Unsupported protocol version", supported)


def _check_handshake_version(headers: Headers) -> None:
    version = _get(headers, VERSION_HEADER)
    if version is not None and version not in HANDSHAKE_VERSIONS:
        supported = [*HANDSHAKE_VERSIONS, STATELESS_VERSION]
        raise RpcError(
            UNSUPPORTED_VERSION,
            "Unsupported protocol version",
            {"supported": supported, "requested": version[:100]},
        )


def _get(headers: Headers, name: str) -> str | None:
    values = headers.get(name, ())
    return values[0] if values else None


def _decode(value: str) -> str | None:
    """Return the value of a header; clients encode what is not printable ASCII."""
    if not (value.startswith(_BASE64_START) and value.endswith(_BASE64_END)):
        return value
    encoded = value[len(_BASE64_START) : -len(_BASE64_END)]
    try:
        return base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
