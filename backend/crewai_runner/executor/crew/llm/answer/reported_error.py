"""Errors that a provider reports inside a response with status 200."""

import re
from collections.abc import Mapping
from typing import Any

from crewai_runner.executor.crew.context.exceptions import ProviderReportedError
from crewai_runner.executor.crew.errors.context_length import says_context_too_long

_STATUS_FIELDS = ("code", "status_code", "status", "http_status", "statusCode", "error_code")
_TEXT_FIELDS = ("message", "detail", "msg", "error_msg", "error_message", "status_msg", "errors")
_NESTED_FIELDS = ("base_resp", "error_details", "Error", "errors")
_KINDS = (
    (re.compile(r"insufficient|quota|billing|payment|credit|balance", re.IGNORECASE), 402),
    (re.compile(r"rate.?limit|too many requests|throttl|resource.?exhausted", re.IGNORECASE), 429),
    (re.compile(r"overload|unavailable|capacity|busy", re.IGNORECASE), 503),
    (re.compile(r"time.?out|timed out", re.IGNORECASE), 504),
    (re.compile(r"authenti|unauthori[sz]ed|api.?key", re.IGNORECASE), 401),
    (re.compile(r"permission|forbidden", re.IGNORECASE), 403),
    (re.compile(r"model.{0,40}not.?found|not.?found.{0,40}model|does not exist", re.IGNORECASE), 404),
    (
        re.compile(
            r"invalid.?request|bad.?request|invalid.?param|unsupported|context.?length", re.IGNORECASE
        ),
        400,
    ),
    (re.compile(r"internal|server.?error|api_error", re.IGNORECASE), 500),
)


def find_reported_error(payload: Mapping[str, Any]) -> ProviderReportedError | None:
    """Return the error that a payload reports; None if it reports none."""
    error = payload.get("error")
    if isinstance(error, str | Mapping | list) and error and not _is_success(error):
        return ProviderReportedError(error, status_code=_find_status(error, payload))
    if payload.get("choices"):
        return None
    if payload.get("object") == "error" or payload.get("type") == "error":
        return ProviderReportedError(dict(payload), status_code=_find_status(payload, payload))
    body = next(
        (payload[name] for name in _NESTED_FIELDS if isinstance(payload.get(name), Mapping | list)), payload
    )
    if not _has_text(body) or _is_success(body):
        return None
    return ProviderReportedError(body, status_code=_find_status(body, payload))


def _has_text(body: Any) -> bool:
    if isinstance(body, list):
        return bool(body)
    return any(isinstance(body.get(name), str) and body[name].strip() for name in _TEXT_FIELDS)


def _is_success(body: Any) -> bool:
    """Return whether an object in the place of an error reports success, as `{"code": 0}` does."""
    if not isinstance(body, Mapping):
        return False
    codes = [body[name] for name in _STATUS_FIELDS if body.get(name) is not None]
    return bool(codes) and all(str(code).lower() in ("0", "200", "ok", "success") for code in codes)


def _find_status(error: Any, payload: Mapping[str, Any]) -> int | None:
    sources = [source for source in (error, payload) if isinstance(source, Mapping)]
    for source in sources:
        for name in _STATUS_FIELDS:
            text = str(source.get(name))
            if len(text) == 3 and text.isascii() and text.isdigit() and int(text) >= 400:
                return int(text)
    return _guess_status(error)


def _guess_status(error: Any) -> int | None:
    """Derive the status from the type, the code and then the words of an error."""
    if isinstance(error, Mapping):
        names = " ".join(str(error.get(name) or "") for name in ("type", "code", "status"))
        texts = [names, *(str(error.get(name) or "") for name in _TEXT_FIELDS)]
    else:
        texts = [str(error)]
    if any(says_context_too_long(text) for text in texts):
        return 400
    for text in texts:
        for pattern, status in _KINDS:
            if pattern.search(text[:2000]):
                return status
    return None
