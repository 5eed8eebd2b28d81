"""Parses lists of models and error messages in the formats of all providers. Pure."""

import json
import re
from collections.abc import Sequence
from typing import Any

MAX_MODELS = 5000
MAX_MESSAGE_LENGTH = 300
MAX_ERROR_DEPTH = 8
_KEY_ERROR = re.compile(r"api[ _-]?key", re.IGNORECASE)
_LIST_MEMBERS = ("data", "models", "modelSummaries")
_NAME_MEMBERS = ("id", "name", "modelId", "model")
_MESSAGE_MEMBERS = ("message", "error", "detail", "error_description", "Message", "msg")


def parse_model_names(body: bytes) -> list[str] | None:
    """Return the names in a list of models; None if the body is not such a list."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if isinstance(content, dict):
        content = next((content[member] for member in _LIST_MEMBERS if member in content), None)
    if not isinstance(content, list):
        return None
    names = [_parse_name(entry) for entry in content[:MAX_MODELS]]
    return list(dict.fromkeys(name for name in names if name))


def _parse_name(entry: Any) -> str | None:
    if not isinstance(entry, dict):
        return None
    name = next((entry[member] for member in _NAME_MEMBERS if isinstance(entry.get(member), str)), None)
    return name and name.removeprefix("models/")[:500]


def find_missing_models(listed: Sequence[str], expected: Sequence[str]) -> list[str]:
    """Return the expected models that are not listed; Ollama's suffix `:latest` is optional."""
    known = {name.removesuffix(":latest") for name in listed}
    return [name for name in expected if name.removeprefix("models/").removesuffix(":latest") not in known]


def extract_error_message(body: bytes, content_type: str) -> str:
    """Return the error message in a response body as one line; empty if there is none."""
    if "html" in content_type:
        return "the response is a web page"
    try:
        message = _find_message(json.loads(body))
    except (ValueError, RecursionError):
        message = body.decode("utf-8", "replace")
    return "".join(c if c.isprintable() else " " for c in " ".join(message.split()))


def _find_message(content: Any, depth: int = 0) -> str:
    if isinstance(content, str):
        return content
    if depth >= MAX_ERROR_DEPTH:
        return ""
    if isinstance(content, list) and content:
        return _find_message(content[0], depth + 1)
    if isinstance(content, dict):
        values = (content[member] for member in _MESSAGE_MEMBERS if content.get(member))
        return next(filter(None, (_find_message(value, depth + 1) for value in values)), "")
    return ""


def truncate_message(text: str) -> str:
    return text if len(text) <= MAX_MESSAGE_LENGTH else text[: MAX_MESSAGE_LENGTH - 1] + "…"


def is_key_rejected(status: int, message: str) -> bool:
    """Return whether a response means that the key is missing or invalid (Gemini responds with 400)."""
    return status in (401, 403) or (status == 400 and _KEY_ERROR.search(message) is not None)
