"""What a provider said, taken out of the errors of its client, without anything that is secret."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

MASK = "[secret]"
_LONGEST = 800
_SECRETS = (
    re.compile(r"\b(?:sk|pk|rk|gsk|xai|csk|hf|r8|nvapi|ABSK)[-_]\S{4,}"),
    re.compile(r"\b(?:AIza[\w-]{10,}|(?:AKIA|ASIA)[A-Z0-9]{8,}|eyJ[\w-]{10,}\.[\w.-]+)"),
    re.compile(r"(?i)(?<=bearer )[^\s'\",}]{4,}"),
    re.compile(r"(?i)(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),
)
_NAMED_SECRET = re.compile(
    r"""(?ix) ( (?:api[_ -]?key|token|secret|password|authorization) (?:\ provided)? ['"]? \s*[:=]\s* ['"]? )
    (?!\[secret\]|bearer\b|basic\b) ( (?=[^\s'",}]*[\d*_-]) [^\s'",}]{8,} )"""
)
_PAGE = re.compile(r"<\s*(?:!doctype|html|head|body)\b", re.IGNORECASE)


def mask(text: str) -> str:
    """The text with whatever looks like a credential replaced."""
    for pattern in _SECRETS:
        text = pattern.sub(MASK, text)
    return _NAMED_SECRET.sub(rf"\1{MASK}", text)


def status_of(error: BaseException) -> int | None:
    """The HTTP status behind an error of any provider's client."""
    response: Any = getattr(error, "response", None)
    if isinstance(response, Mapping):
        candidates = [(response.get("ResponseMetadata") or {}).get("HTTPStatusCode")]
    else:
        candidates = [getattr(error, "status_code", None), getattr(response, "status_code", None)]
        candidates.append(getattr(error, "code", None))
    return next((c for c in candidates if isinstance(c, int) and 100 <= c < 600), None)


def words_of(chain: Sequence[BaseException]) -> str:
    """The most telling words along a chain of causes: a provider's answer, else the innermost text."""
    for error in chain:
        if said := _said(error):
            return _tidy(said)
    texts = [str(error) for error in chain if str(error).strip()]
    return _tidy(_innermost(texts))


def _innermost(texts: list[str]) -> str:
    # "Connection error." and its like wrap the text that says why.
    return texts[-1] if texts else ""


def _said(error: BaseException) -> str | None:
    """What the provider's answer says, by the shapes its clients give it."""
    response: Any = getattr(error, "response", None)
    if isinstance(response, Mapping):
        return _text_in(response.get("Error"))
    for holder in (getattr(error, "body", None), getattr(error, "details", None)):
        if text := _text_in(holder):
            return text
    if status_of(error) is not None:
        return str(getattr(error, "message", None) or error)
    return None


def _text_in(body: Any, depth: int = 0) -> str | None:
    if isinstance(body, str):
        return body
    if isinstance(body, list) and body:
        return _text_in(body[0], depth + 1)
    if not isinstance(body, Mapping) or depth > 4:
        return None
    for name in ("error", "message", "Message", "detail", "msg"):
        if body.get(name) and (text := _text_in(body[name], depth + 1)):
            return text
    return json.dumps(body, default=str) if body and depth == 0 else None


def _tidy(text: str) -> str:
    if _PAGE.search(text):
        return "the answer is a web page"
    one_line = re.sub(r"\s+", " ", text).strip()
    return one_line if len(one_line) <= _LONGEST else f"{one_line[:_LONGEST]}…"
