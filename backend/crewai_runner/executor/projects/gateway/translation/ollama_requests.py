"""Translates requests of Ollama's own API into chat completion requests."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from crewai_runner.executor.projects.gateway.translation.members import (
    copy_members,
    function_call,
    image_part,
    invalid,
    objects,
    refuse_members,
)

_OPTIONS = MappingProxyType(
    {
        "temperature": "temperature",
        "top_p": "top_p",
        "num_predict": "max_tokens",
        "stop": "stop",
        "seed": "seed",
        "presence_penalty": "presence_penalty",
        "frequency_penalty": "frequency_penalty",
    }
)


def ollama_chat_to_chat(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the chat completion request for `/api/chat`, without the model. Raises GatewayRefusal."""
    messages = [_message(one, number) for number, one in enumerate(objects(body.get("messages"), "messages"))]
    _add_call_ids(messages)
    tools = objects(body.get("tools"), "tools")
    return {**_settings(body), "messages": messages, **({"tools": list(tools)} if tools else {})}


def ollama_generate_to_chat(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the chat completion request for `/api/generate`, without the model. Raises GatewayRefusal."""
    refuse_members(body, ("raw", "suffix", "template", "context"))
    messages: list[dict[str, Any]] = []
    if body.get("system"):
        messages.append({"role": "system", "content": str(body["system"])})
    content = _content(str(body.get("prompt") or ""), body.get("images"))
    messages.append({"role": "user", "content": content})
    return {**_settings(body), "messages": messages}


def _settings(body: Mapping[str, Any]) -> dict[str, Any]:
    options = body.get("options") or {}
    if not isinstance(options, Mapping):
        raise invalid("`options`")
    settings = copy_members(options, _OPTIONS)
    if isinstance(limit := settings.get("max_tokens"), int) and limit < 0:  # no limit
        del settings["max_tokens"]
    wanted = body.get("format")
    if wanted == "json":
        settings["response_format"] = {"type": "json_object"}
    elif isinstance(wanted, Mapping):
        named = {"name": "answer", "schema": wanted}
        settings["response_format"] = {"type": "json_schema", "json_schema": named}
    return settings


def _message(message: Mapping[str, Any], number: int) -> dict[str, Any]:
    role = message.get("role")
    found: dict[str, Any] = {
        "role": role,
        "content": _content(str(message.get("content") or ""), message.get("images")),
    }
    if calls := objects(message.get("tool_calls"), "tool_calls"):
        found["tool_calls"] = [_call(call, f"call_{number}_{at}") for at, call in enumerate(calls)]
    if role == "tool":
        found["tool_call_id"] = str(message.get("tool_call_id") or message.get("tool_name") or "")
    return found


def _call(call: Mapping[str, Any], call_id: str) -> dict[str, Any]:
    function = call.get("function")
    if not isinstance(function, Mapping):
        raise invalid("`tool_calls[].function`")
    arguments = function.get("arguments")
    text = arguments if isinstance(arguments, str) else json.dumps(arguments or {})
    return function_call(str(call.get("id") or call_id), function.get("name"), text)


def _add_call_ids(messages: list[dict[str, Any]]) -> None:
    """Give each result of a tool the id of its call: by the tool's name, else in order."""
    waiting: list[dict[str, Any]] = []
    for message in messages:
        waiting += message.get("tool_calls") or []
        if message["role"] != "tool" or not waiting:
            continue
        named = message["tool_call_id"]
        call = next((c for c in waiting if named in {c["id"], c["function"]["name"]}), waiting[0])
        waiting.remove(call)
        message["tool_call_id"] = call["id"]


def _content(text: str, images: Any) -> Any:
    if not images:
        return text
    if not isinstance(images, list):
        raise invalid("`images`")
    parts = [image_part(f"data:image/png;base64,{image}") for image in images]
    return [{"type": "text", "text": text}, *parts]
