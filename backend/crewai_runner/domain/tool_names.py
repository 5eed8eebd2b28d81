"""Names of tools: as documents write them, and as the APIs of models accept them. Pure."""

import hashlib
import re
from collections.abc import Iterable

EXTERNAL_TOOL_PATTERN = r"(?:mcp|api):[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?/[A-Za-z0-9_.-]{1,128}"
"""`mcp:server/tool` and `api:name/operation`: tools that a workspace adds to the built-in ones."""
MAX_MODEL_NAME_LENGTH = 64
_HASH_LENGTH = 8
_NOT_IN_MODEL_NAMES = re.compile(r"[^a-z0-9]+")


def is_external_tool(name: str) -> bool:
    """Return whether the name refers to a tool of an MCP server or of an HTTP API."""
    return re.fullmatch(EXTERNAL_TOOL_PATTERN, name) is not None


def make_model_names(names: Iterable[str]) -> dict[str, str]:
    """Return a unique name for each tool that every model API accepts: `[a-z0-9_]{1,64}`.

    The same names give the same result in any order. Built-in tools keep their names. CrewAI, which converts
    tool names itself, leaves these as they are.
    """
    ordered = sorted(set(names), key=lambda name: (is_external_tool(name), name))
    found: dict[str, str] = {}
    for name in ordered:
        short = _NOT_IN_MODEL_NAMES.sub("_", name.lower()).strip("_")
        if not short or len(short) > MAX_MODEL_NAME_LENGTH or short in found.values():
            short = _shorten(short, name)
        found[name] = short
    return found


def _shorten(text: str, name: str) -> str:
    digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH_LENGTH]
    kept = text[: MAX_MODEL_NAME_LENGTH - _HASH_LENGTH - 1].strip("_") or "tool"
    return f"{kept}_{digest}"
