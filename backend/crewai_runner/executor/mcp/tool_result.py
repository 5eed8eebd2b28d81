"""The result of a tool as text for a model, bounded and cleaned."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from crewai_runner.domain.mcp_tools import clean_text
from crewai_runner.executor.mcp.failures import InputRequired

MAX_TEXT_LENGTH = 20_000
_TRUNCATED = "\n[truncated: the result is longer]"


class ToolFailed(Exception):
    """The tool reports an error; the message is for the model."""


def read_tool_result(result: Mapping[str, Any]) -> str:
    """Return the text of a result, at most 20,000 characters.

    Raises ToolFailed when the tool reports an error, InputRequired when it asks a question.
    """
    if result.get("resultType") == "input_required":
        raise InputRequired("The tool asks a question, and no one can answer here.")
    blocks = result.get("content")
    parts = list(_read_blocks(blocks if isinstance(blocks, list) else []))
    structured = result.get("structuredContent")
    if not any(parts) and structured is not None:
        parts = [json.dumps(structured, ensure_ascii=False)]
    text = _limit("\n".join(part for part in parts if part))
    if result.get("isError") is True:
        raise ToolFailed(text or "The tool reports an error without a message.")
    return text or "The tool returned nothing."


def _read_blocks(blocks: list[Any]) -> Iterator[str]:
    length = 0
    for block in blocks:
        if length > MAX_TEXT_LENGTH:
            return
        text = _read_block(block) if isinstance(block, dict) else ""
        length += len(text)
        yield text


def _read_block(block: Mapping[str, Any]) -> str:
    kind = block.get("type")
    if kind == "text":
        return str(block.get("text") or "")
    if kind in ("image", "audio"):
        size = len(str(block.get("data") or "")) * 3 // 4
        return f"[{kind}, {block.get('mimeType')}, {size:,} bytes: not shown]"
    if kind == "resource_link":
        return f"[resource {block.get('name')}: {block.get('uri')}]"
    resource = block.get("resource")
    if kind == "resource" and isinstance(resource, dict):
        if isinstance(text := resource.get("text"), str):
            return text
        return f"[resource {resource.get('uri')}, {resource.get('mimeType')}: not shown]"
    return ""


def _limit(text: str) -> str:
    cleaned = clean_text(text, MAX_TEXT_LENGTH + 1)
    return cleaned if len(cleaned) <= MAX_TEXT_LENGTH else cleaned[:MAX_TEXT_LENGTH] + _TRUNCATED
