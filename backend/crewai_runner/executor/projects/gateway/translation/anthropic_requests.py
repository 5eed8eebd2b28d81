"""Translates requests of Anthropic's Messages API into chat completion requests."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from crewai_runner.executor.projects.gateway.translation.members import (
    copy_members,
    function_call,
    function_tool,
    image_part,
    invalid,
    merge_text,
    objects,
    refuse_members,
    unsupported,
)

_NAMES = MappingProxyType(
    {"max_tokens": "max_tokens", "temperature": "temperature", "top_p": "top_p", "stop_sequences": "stop"}
)
_CHOICES = MappingProxyType({"auto": "auto", "any": "required", "none": "none"})
_REASONING = frozenset({"thinking", "redacted_thinking"})
"""Blocks that only the model that wrote them understands."""


def messages_to_chat(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the chat completion request, without the model. Raises GatewayRefusal."""
    refuse_members(body, ("mcp_servers", "container", "context_management"))
    chat = copy_members(body, _NAMES)
    chat["messages"] = [*_system(body.get("system")), *_messages(body.get("messages"))]
    if tools := [_tool(tool) for tool in objects(body.get("tools"), "tools")]:
        chat["tools"] = tools
    if isinstance(choice := body.get("tool_choice"), Mapping):
        chat["tool_choice"] = _choice(choice)
        if choice.get("disable_parallel_tool_use"):
            chat["parallel_tool_calls"] = False
    if (schema := _output_schema(body)) is not None:
        named = {"name": "answer", "schema": schema, "strict": True}
        chat["response_format"] = {"type": "json_schema", "json_schema": named}
    return chat


def _system(system: Any) -> list[dict[str, Any]]:
    if not system:
        return []
    text = system if isinstance(system, str) else merge_text([_part(b) for b in objects(system, "system")])
    return [{"role": "system", "content": text}]


def _messages(messages: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for message in objects(messages, "messages"):
        role, content = message.get("role"), message.get("content")
        if role not in {"user", "assistant"}:
            raise invalid("`messages[].role`")
        if isinstance(content, str):
            found.append({"role": role, "content": content})
        else:
            blocks = objects(content, "messages[].content")
            found += _assistant(blocks) if role == "assistant" else _user(blocks)
    return found


def _assistant(blocks: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    calls = [
        function_call(str(block.get("id")), block.get("name"), json.dumps(block.get("input") or {}))
        for block in blocks
        if block.get("type") == "tool_use"
    ]
    others = [block for block in blocks if block.get("type") not in {"tool_use", *_REASONING}]
    text = merge_text([_part(block) for block in others]) if others else None
    message: dict[str, Any] = {"role": "assistant", "content": text}
    return [message | ({"tool_calls": calls} if calls else {})]


def _user(blocks: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the results of tools, each as a message, then what the user says."""
    results = [_result(block) for block in blocks if block.get("type") == "tool_result"]
    others = [_part(block) for block in blocks if block.get("type") != "tool_result"]
    return [*results, *([{"role": "user", "content": merge_text(others)}] if others else [])]


def _result(block: Mapping[str, Any]) -> dict[str, Any]:
    content = block.get("content") or ""
    if not isinstance(content, str):
        content = merge_text([_part(part) for part in objects(content, "tool_result.content")])
    if not isinstance(content, str):
        raise unsupported("An image in the result of a tool")
    text = f"Error: {content}" if block.get("is_error") else content
    return {"role": "tool", "tool_call_id": str(block.get("tool_use_id")), "content": text}


def _part(block: Mapping[str, Any]) -> dict[str, Any]:
    kind = block.get("type")
    if kind == "text" and isinstance(block.get("text"), str):
        return {"type": "text", "text": block["text"]}
    if kind == "image":
        source = block.get("source") or {}
        if source.get("type") == "base64":
            return image_part(f"data:{source.get('media_type')};base64,{source.get('data')}")
        if source.get("type") == "url":
            return image_part(str(source.get("url")))
    raise unsupported(f"A content block of type `{str(kind)[:40]}`")


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    if tool.get("type") not in {None, "custom"}:
        raise unsupported(f"Anthropic's own tool `{str(tool.get('type'))[:40]}`")
    return function_tool(tool.get("name"), tool.get("description"), tool.get("input_schema"))


def _choice(choice: Mapping[str, Any]) -> Any:
    kind = choice.get("type")
    if kind == "tool":
        return {"type": "function", "function": {"name": choice.get("name")}}
    if kind not in _CHOICES:
        raise invalid("`tool_choice`")
    return _CHOICES[str(kind)]


def _output_schema(body: Mapping[str, Any]) -> Any:
    config = body.get("output_config")
    output = body.get("output_format") or (config.get("format") if isinstance(config, Mapping) else None)
    return output.get("schema") if isinstance(output, Mapping) else None
