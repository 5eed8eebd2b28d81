"""Reads the HTTP status and the provider's message from a client's errors, and masks credentials."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from crewai_runner.executor.crew.context.redaction import MASK

_MAX_LENGTH = 800
_MAX_SECONDS_LENGTH = 9
_CREDENTIALS = (
    re.compile(r"\b(?:sk|pk|rk|gsk|xai|csk|hf|r8|nvapi|ABSK)[-_]\S{4,}"),
    re.compile(r"\b(?:AIza[\w-]{10,}|(?:AKIA|ASIA)[A-Z0-9]{8,}|eyJ[\w-]{10,400}+\.[\w.-]+)"),
    re.compile(r"(?i)(?<=bearer )[^\s'\",}]{4,}"),
    re.compile(r"(?i)(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),
)
_NAMED_CREDENTIAL = re.compile(
    r"""(?ix) ( (?:api[_ -]?key|token|secret|password|authorization) (?:\ provided)? ['"]? \s*[:=]\s* ['"]? )
    (?!\[secret\]|bearer\b|basic\b) ( (?=[^\s'",}]{0,200}?[\d*_-]) [^\s'",}]{8,} )"""
)
_HTML = re.compile(r"<\s*(?:!doctype|html|head|body)\b", re.IGNORECASE)


def mask_credentials(text: str) -> str:
    """Replace everything that looks like a credential."""
    for pattern in _CREDENTIALS:
        text = pattern.sub(MASK, text)
    return _NAMED_CREDENTIAL.sub(rf"\1{MASK}", text)


def http_status(error: BaseException) -> int | None:
    """Return the HTTP status of a client's error, if it has one."""
    response: Any = getattr(error, "response", None)
    if isinstance(response, Mapping):
        candidates = [(response.get("ResponseMetadata") or {}).get("HTTPStatusCode")]
    else:
        candidates = [getattr(error, "status_code", None), getattr(response, "status_code", None)]
        candidates.append(getattr(error, "code", None))
    return next((c for c in candidates if isinstance(c, int) and 100 <= c < 600), None)


def retry_after(causes: Sequence[BaseException]) -> float | None:
    """Return the seconds after which the provider asks to call again, if it does.

    Providers say so in a header; Google in a detail of the error such as `{"retryDelay": "12s"}`.
    """
    for error in causes:
        for text in (_retry_header(error), _retry_delay(error)):
            if len(text) <= _MAX_SECONDS_LENGTH and text.replace(".", "", 1).isdigit() and text.isascii():
                return float(text)
    return None


def _retry_header(error: BaseException) -> str:
    response: Any = getattr(error, "response", None)
    if isinstance(response, Mapping):  # botocore's
        headers = (response.get("ResponseMetadata") or {}).get("HTTPHeaders")
    else:
        headers = getattr(response, "headers", None)
    return str(headers.get("retry-after") or "") if isinstance(headers, Mapping) else ""


def _retry_delay(error: BaseException) -> str:
    body = getattr(error, "details", None)
    inner = body.get("error") if isinstance(body, Mapping) else None
    details = inner.get("details") if isinstance(inner, Mapping) else None
    delays = (item.get("retryDelay") for item in details or () if isinstance(item, Mapping))
    return next((str(delay).removesuffix("s") for delay in delays if delay), "")


def provider_message(causes: Sequence[BaseException]) -> str:
    """Return the provider's message from a chain of causes, otherwise the text of the innermost cause."""
    for error in causes:
        if text := _response_text(error):
            return _to_one_line(text)
    # Clients wrap the actual cause in generic errors such as "Connection error."
    texts = [str(error) for error in causes if str(error).strip()]
    return _to_one_line(texts[-1]) if texts else ""


def _response_text(error: BaseException) -> str | None:
    response: Any = getattr(error, "response", None)
    if isinstance(response, Mapping):
        return _find_text(response.get("Error"))
    for body in (getattr(error, "body", None), getattr(error, "details", None)):
        if text := _find_text(body):
            return text
    if http_status(error) is not None:
        return str(getattr(error, "message", None) or error)
    return None


def _find_text(body: Any, depth: int = 0) -> str | None:
    if isinstance(body, str):
        return body
    if isinstance(body, list) and body:
        return _find_text(body[0], depth + 1)
    if not isinstance(body, Mapping) or depth > 4:
        return None
    for name in ("error", "message", "Message", "detail", "msg"):
        if body.get(name) and (text := _find_text(body[name], depth + 1)):
            return text
    return json.dumps(body, default=str) if body and depth == 0 else None


def _to_one_line(text: str) -> str:
    if _HTML.search(text):
        return "the response is a web page"
    line = re.sub(r"\s+", " ", text).strip()
    return line if len(line) <= _MAX_LENGTH else f"{line[:_MAX_LENGTH]}…"
