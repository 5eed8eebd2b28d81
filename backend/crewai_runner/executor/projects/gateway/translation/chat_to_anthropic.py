"""Translates chat completion requests into requests of Anthropic's Messages API."""

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from crewai_runner.core.bounded_json import parse_json
from crewai_runner.executor.projects.gateway.translation.members import (
    copy_members,
    invalid,
    objects,
    refuse_members,
    unsupported,
)

DEFAULT_MAX_TOKENS = 4096
"""Anthropic requires a limit."""
_NAMES = MappingProxyType({"temperature": "temperature", "top_p": "top_p", "stop": "stop_sequences"})
_CHOICES = MappingProxyType({"auto": "auto", "required": "any", "none": "none"})
_DATA_URL = re.compile(r"data:(?P<type>[\w.+/-]{1,100});base64,", re.ASCII)
_SYSTEM_ROLES = frozenset({"system", "developer"})


def chat_to_messages(chat: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request for `/v1/messages`, without the model. Raises GatewayRefusal."""
    refuse_members(chat, ("audio", "logprobs", "functions", "web_search_options", "prediction"))
    if (chat.get("n") or 1) != 1:
        raise unsupported("`n` above 1")
    messages = objects(chat.get("messages"), "messages")
    body = copy_members(chat, _NAMES)
    if isinstance(body.get("temperature"), int | float):
        body["temperature"] = min(1.0, body["temperature"])
    if isinstance(stop := body.get("stop_sequences"), str):
        body["stop_sequences"] = [stop]
    body["max_tokens"] = chat.get("max_completion_tokens") or chat.get("max_tokens") or DEFAULT_MAX_TOKENS
    if system := [
        text for m in messages if m.get("role") in _SYSTEM_ROLES and (text := _text(m.get("content")))
    ]:
        body["system"] = "\n\n".join(system)
    body["messages"] = _merge([_message(m) for m in messages if m.get("role") not in _SYSTEM_ROLES])
    if tools := [_tool(tool) for tool in objects(chat.get("tools"), "tools")]:
        body["tools"] = tools
        body |= _choice(chat)
    return body | _output_format(chat.get("response_format"))


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    role, content = message.get("role"), message.get("content")
    if role == "tool":
        result = {
            "type": "tool_result",
            "tool_use_id": message.get("tool_call_id"),
            "content": _text(content),
        }
        return {"role": "user", "content": [result]}
    if role not in {"user", "assistant"}:
        raise invalid("`messages[].role`")
    if isinstance(content, str):
        blocks = [{"type": "text", "text": content}] if content.strip() else []
    else:
        blocks = [_block(part) for part in objects(content, "messages[].content")]
    calls = [_tool_use(call) for call in objects(message.get("tool_calls"), "tool_calls")]
    return {"role": role, "content": [*blocks, *calls]}


def _merge(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Join messages of the same role: the results of parallel tools belong into one message."""
    found: list[dict[str, Any]] = []
    for message in messages:
        if not message["content"]:
            continue
        if found and found[-1]["role"] == message["role"]:
            found[-1]["content"] += message["content"]
        else:
            found.append(message)
    return found


def _block(part: Mapping[str, Any]) -> dict[str, Any]:
    kind = part.get("type")
    if kind == "text":
        return {"type": "text", "text": str(part.get("text") or "")}
    if kind == "image_url":
        image = part.get("image_url")
        url = str(image.get("url") if isinstance(image, Mapping) else image)
        if found := _DATA_URL.match(url):
            source = {"type": "base64", "media_type": found["type"], "data": url[found.end() :]}
            return {"type": "image", "source": source}
        return {"type": "image", "source": {"type": "url", "url": url}}
    raise unsupported(f"A content part of type `{str(kind)[:40]}`")


def _text(content: Any) -> str:
    if isinstance(content, list):
        parts = [_block(part) for part in objects(content, "content")]
        if any(part["type"] != "text" for part in parts):
            raise unsupported("An image in the result of a tool")
        return "\n".join(part["text"] for part in parts)
    return "" if content is None else str(content)


def _tool_use(call: Mapping[str, Any]) -> dict[str, Any]:
    function = call.get("function")
    if not isinstance(function, Mapping):
        raise invalid("`tool_calls[].function`")
    try:
        arguments = parse_json(function.get("arguments") or "{}")
    except (ValueError, TypeError):
        arguments = {"arguments": json.dumps(function.get("arguments"))}
    return {"type": "tool_use", "id": call.get("id"), "name": function.get("name"), "input": arguments}


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    function = tool.get("function")
    if tool.get("type") != "function" or not isinstance(function, Mapping):
        raise unsupported(f"A tool of type `{str(tool.get('type'))[:40]}`")
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    described = copy_members(function, {"description": "description"})
    return {"name": function.get("name"), **described, "input_schema": schema}


def _choice(chat: Mapping[str, Any]) -> dict[str, Any]:
    choice, found = chat.get("tool_choice"), {}
    if isinstance(choice, Mapping):
        found = {"type": "tool", "name": (choice.get("function") or {}).get("name")}
    elif choice is not None:
        if choice not in _CHOICES:
            raise invalid("`tool_choice`")
        found = {"type": _CHOICES[choice]}
    if chat.get("parallel_tool_calls") is False and found.get("type") != "none":
        found = {"type": "auto", **found, "disable_parallel_tool_use": True}
    return {"tool_choice": found} if found else {}


def _output_format(wanted: Any) -> dict[str, Any]:
    if not isinstance(wanted, Mapping) or wanted.get("type") in {None, "text"}:
        return {}
    schema = (wanted.get("json_schema") or {}).get("schema")
    if wanted.get("type") != "json_schema" or not schema:
        raise unsupported("`response_format` without a schema")
    return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}
