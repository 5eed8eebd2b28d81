"""Translates requests of Gemini's generateContent into chat completion requests.

Google accepts the names of members in camel case and in snake case.
"""

import json
import re
from collections.abc import Iterator, Mapping
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
    {
        "temperature": "temperature",
        "topP": "top_p",
        "maxOutputTokens": "max_tokens",
        "stopSequences": "stop",
        "seed": "seed",
        "presencePenalty": "presence_penalty",
        "frequencyPenalty": "frequency_penalty",
    }
)
_CHOICES = MappingProxyType({"AUTO": "auto", "ANY": "required", "NONE": "none"})
_SCHEMA_NAMES = MappingProxyType({"propertyOrdering": None, "property_ordering": None, "nullable": None})
_SNAKE = re.compile(r"_([a-z])")


def generate_content_to_chat(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the chat completion request, without the model. Raises GatewayRefusal."""
    body = _camel(body)
    refuse_members(body, ("cachedContent",))
    config = _member(body, "generationConfig")
    chat = copy_members(config, _NAMES)
    if int(config.get("candidateCount") or 1) != 1:
        raise unsupported("More than one candidate")
    if [m for m in config.get("responseModalities") or [] if str(m).upper() != "TEXT"]:
        raise unsupported("An answer that is no text")
    chat["messages"] = [*_system(body.get("systemInstruction")), *_messages(body.get("contents"))]
    if tools := [tool for entry in objects(body.get("tools"), "tools") for tool in _tools(_camel(entry))]:
        chat["tools"] = tools
    calling = _camel(
        _object(_camel(_object(body.get("toolConfig"), "toolConfig")).get("functionCallingConfig"), "")
    )
    if mode := calling.get("mode"):
        chat["tool_choice"] = _choice(str(mode), calling.get("allowedFunctionNames") or [])
    return {**chat, **_response_format(config)}


def _system(instruction: Any) -> list[dict[str, Any]]:
    if not instruction:
        return []
    if isinstance(instruction, str):
        return [{"role": "system", "content": instruction}]
    parts = [
        _part(_camel(part))
        for part in objects(_object(instruction, "systemInstruction").get("parts"), "parts")
    ]
    return [{"role": "system", "content": merge_text(parts)}]


def _messages(contents: Any) -> list[dict[str, Any]]:
    """Return the messages. Calls have no ids in this protocol: a result belongs to the first open call."""
    found: list[dict[str, Any]] = []
    open_calls: list[tuple[str, str]] = []
    for content in objects(contents, "contents"):
        parts = [_camel(part) for part in objects(content.get("parts"), "contents[].parts")]
        if content.get("role") == "model":
            found.append(_assistant(parts, open_calls, len(found)))
        else:
            found += _user(parts, open_calls)
    return found


def _assistant(parts: list[dict[str, Any]], open_calls: list[tuple[str, str]], turn: int) -> dict[str, Any]:
    calls = []
    for number, part in enumerate(parts):
        if call := part.get("functionCall"):
            call_id, name = str(call.get("id") or f"call_{turn}_{number}"), str(call.get("name"))
            open_calls.append((name, call_id))
            calls.append(function_call(call_id, name, json.dumps(call.get("args") or {})))
    texts = [_part(part) for part in parts if not part.get("functionCall") and not part.get("thought")]
    message: dict[str, Any] = {"role": "assistant", "content": merge_text(texts) if texts else None}
    return message | ({"tool_calls": calls} if calls else {})


def _user(parts: list[dict[str, Any]], open_calls: list[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    for part in parts:
        if answer := part.get("functionResponse"):
            name = str(answer.get("name"))
            found = next((call for call in open_calls if call[0] == name), None)
            if found is not None:
                open_calls.remove(found)
            call_id = str(answer.get("id") or (found[1] if found else name))
            yield {"role": "tool", "tool_call_id": call_id, "content": json.dumps(answer.get("response"))}
    if texts := [_part(part) for part in parts if not part.get("functionResponse")]:
        yield {"role": "user", "content": merge_text(texts)}


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(part.get("text"), str):
        return {"type": "text", "text": part["text"]}
    if part.get("inlineData"):
        data = _member(part, "inlineData")
        if str(data.get("mimeType")).startswith("image/"):
            return image_part(f"data:{data['mimeType']};base64,{data.get('data')}")
    raise unsupported(f"A part with {', '.join(sorted(part))[:80] or 'nothing'}")


def _tools(tool: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if others := [name for name in tool if name != "functionDeclarations" and tool[name] is not None]:
        raise unsupported(f"Google's own tool `{others[0][:40]}`")
    for declared in objects(tool.get("functionDeclarations"), "functionDeclarations"):
        function = _camel(declared)
        schema = function.get("parametersJsonSchema") or _to_json_schema(function.get("parameters"))
        yield function_tool(function.get("name"), function.get("description"), schema)


def _choice(mode: str, names: list[Any]) -> Any:
    if mode.upper() == "ANY" and len(names) == 1:
        return {"type": "function", "function": {"name": names[0]}}
    if names:
        raise unsupported("`allowedFunctionNames` with several names")
    if mode.upper() not in _CHOICES:
        raise unsupported(f"The function calling mode `{mode[:40]}`")
    return _CHOICES[mode.upper()]


def _response_format(config: Mapping[str, Any]) -> dict[str, Any]:
    if config.get("responseMimeType") != "application/json":
        return {}
    schema = config.get("responseJsonSchema") or _to_json_schema(config.get("responseSchema"))
    if not schema:
        return {"response_format": {"type": "json_object"}}
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}}


def _to_json_schema(schema: Any) -> Any:
    """Return Google's form of a schema as JSON Schema: its types are in upper case."""
    if isinstance(schema, list):
        return [_to_json_schema(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    found = {
        name: value.lower() if name == "type" and isinstance(value, str) else _to_json_schema(value)
        for name, value in schema.items()
        if name not in _SCHEMA_NAMES
    }
    if schema.get("nullable") and isinstance(found.get("type"), str):
        found["type"] = [found["type"], "null"]
    return found


def _member(owner: Mapping[str, Any], name: str) -> dict[str, Any]:
    return _camel(_object(owner.get(name), name))


def _object(value: Any, what: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise invalid(f"`{what}`")
    return value


def _camel(value: Mapping[str, Any]) -> dict[str, Any]:
    return {_SNAKE.sub(lambda m: m[1].upper(), name): member for name, member in value.items()}
