"""Reads the bodies of requests, and adapts those that are passed on in the protocol of the code."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from crewai_runner.core.bounded_json import MAX_DEPTH, find_excess, parse_json
from crewai_runner.domain.model_settings import RegisteredModelSettings
from crewai_runner.domain.provider import ProviderType
from crewai_runner.executor.crew.llm.response import summarize_messages
from crewai_runner.executor.port import ModelBinding
from crewai_runner.executor.projects.gateway.call_meter import Prompt
from crewai_runner.executor.projects.gateway.provider_tools import find_provider_tool
from crewai_runner.executor.projects.gateway.refusals import GatewayRefusal, RefusalKind
from crewai_runner.executor.projects.gateway.remote_references import (
    RemoteReference,
    find_remote_references,
)
from crewai_runner.executor.projects.gateway.routes import Operation, Route, WireProtocol

_PARSED_IN_LOOP = 16 * 1024
"""Bytes of a body that is parsed in the event loop; a larger one is parsed in a thread."""
TOOL_MEMBERS = ("tools", "tool_choice", "parallel_tool_calls")
_OPENAI_HOST = "api.openai.com"
_USAGE_OPTION = "stream_options"


@dataclass(frozen=True, slots=True)
class RequestBody:
    """The JSON object of a request, and the addresses in it that a provider would open."""

    content: dict[str, Any]
    references: frozenset[RemoteReference]


async def parse_body(body: bytes, max_values: int) -> RequestBody:
    """Read the JSON object of a request. Raises GatewayRefusal."""
    large = len(body) > _PARSED_IN_LOOP
    return await asyncio.to_thread(_parse, body, max_values) if large else _parse(body, max_values)


def _parse(body: bytes, max_values: int) -> RequestBody:
    excess = find_excess(
        body, max_depth=MAX_DEPTH, max_values=max_values, max_members=max_values, max_items=max_values
    )
    if excess is not None:
        raise GatewayRefusal(RefusalKind.TOO_LARGE, f"{excess} Send a smaller request.")
    try:
        content = parse_json(body)
    except ValueError:
        raise GatewayRefusal(RefusalKind.BAD_REQUEST, "The body is not valid JSON.") from None
    if not isinstance(content, dict):
        raise GatewayRefusal(RefusalKind.BAD_REQUEST, "The body is not a JSON object.")
    return RequestBody(content, frozenset(find_remote_references(content)))


def dump_body(body: dict[str, Any]) -> bytes:
    """Return the body as it is sent to a provider. Raises GatewayRefusal."""
    try:
        return json.dumps(body, allow_nan=False).encode()
    except ValueError:
        raise GatewayRefusal(RefusalKind.BAD_REQUEST, "The body holds a number that is not finite.") from None


def asked_model(route: Route, body: dict[str, Any]) -> str:
    """Return the name of the model that the code asks for. Raises GatewayRefusal."""
    name = route.model or body.get("model")
    if not isinstance(name, str) or not name:
        raise GatewayRefusal(RefusalKind.BAD_REQUEST, "The request names no model.")
    return name


def wants_stream(route: Route, body: dict[str, Any]) -> bool:
    """Return whether the code asks for a streamed answer."""
    if route.streams is not None:
        return route.streams
    if route.protocol is WireProtocol.OLLAMA and route.operation in {Operation.CHAT, Operation.GENERATE}:
        return body.get("stream") is not False
    return body.get("stream") is True


def check_supported(route: Route, body: dict[str, Any]) -> None:
    """Refuse what would let a provider act beyond this request, or beyond the project's allowed hosts."""
    if route.operation is Operation.RESPONSES and body.get("background"):
        raise GatewayRefusal(
            RefusalKind.UNSUPPORTED,
            "Responses in the background are not supported: they could not be stopped or counted. "
            "Leave `background` out.",
        )
    tool = find_provider_tool(route.protocol, body)
    if tool is not None:
        raise GatewayRefusal(
            RefusalKind.UNSUPPORTED,
            f"`{tool}` lets the provider contact other servers or execute code, which runs of projects may "
            "not do. Use a tool that the project's own code executes, and allow its hosts for the project.",
        )


def adapt_passed_body(route: Route, body: dict[str, Any], binding: ModelBinding) -> dict[str, Any]:
    """Return the body for a provider that speaks the protocol of the code: with its own model's name."""
    if route.protocol is WireProtocol.GEMINI:
        return _name_model_in_requests(body, binding)
    adapted = {**body, "model": binding.model}
    if route.protocol is WireProtocol.OPENAI and route.operation is Operation.CHAT:
        return adapt_chat(adapted, binding)
    return adapted


def adapt_chat(body: dict[str, Any], binding: ModelBinding) -> dict[str, Any]:
    """Apply the registered model's settings to a chat completion request.

    A model that calls no tools, such as the built-in one, is not given any.
    """
    settings = binding.settings
    registered = settings if isinstance(settings, RegisteredModelSettings) else RegisteredModelSettings()
    is_openai = binding.provider_type is ProviderType.OPENAI and (
        binding.base_url is None or _OPENAI_HOST in binding.base_url
    )
    limit = registered.max_tokens_parameter or (None if is_openai else "max_tokens")
    other = "max_completion_tokens" if limit == "max_tokens" else "max_tokens"
    adapted = dict(body)
    if limit is not None and other in adapted:
        value = adapted.pop(other)
        adapted.setdefault(limit, value)
    for name in (
        *(registered.omit_parameters or ()),
        *(TOOL_MEMBERS if has_unused_tools(body, binding) else ()),
    ):
        adapted.pop(name, None)
    return {**adapted, **(settings.extra_body or {})}


def has_unused_tools(body: dict[str, Any], binding: ModelBinding) -> bool:
    """Return whether the request has tools for a model that calls none."""
    return binding.supports_tools is False and bool(body.get("tools"))


def can_request_usage(body: dict[str, Any], binding: ModelBinding) -> bool:
    """Return whether a chat completion stream can be asked to report its usage."""
    settings = binding.settings
    omitted = settings.omit_parameters if isinstance(settings, RegisteredModelSettings) else None
    return (
        body.get("stream") is True
        and binding.provider_type is not ProviderType.MISTRAL  # rejects fields that it does not know
        and _USAGE_OPTION not in (omitted or ())
    )


def with_usage_requested(body: dict[str, Any]) -> dict[str, Any]:
    options = body.get(_USAGE_OPTION)
    return {**body, _USAGE_OPTION: {**(options if isinstance(options, dict) else {}), "include_usage": True}}


def has_requested_usage(body: dict[str, Any]) -> bool:
    options = body.get(_USAGE_OPTION)
    return isinstance(options, dict) and options.get("include_usage") is True


def summarize_prompt(route: Route, body: dict[str, Any]) -> Prompt:
    """Return the number of messages or texts of a request, and the last one, truncated."""
    match route.operation:
        case Operation.EMBED | Operation.EMBED_ONE:
            found = body.get("input", body.get("prompt", body.get("requests", body.get("content"))))
        case Operation.RESPONSES:
            found = body.get("input")
        case Operation.GENERATE:
            found = body.get("prompt")
        case _:
            found = body.get("contents" if route.protocol is WireProtocol.GEMINI else "messages")
    if isinstance(found, list) and found:
        return len(found), summarize_messages([_with_content(found[-1])])[1]
    return summarize_messages(found) if isinstance(found, str) else (0, None)


def _with_content(message: Any) -> Any:
    """Return a message whose text is in `content`, whatever protocol it is of."""
    if isinstance(message, dict) and "content" not in message:
        return {"content": message.get("parts", message.get("text"))}
    if isinstance(message, dict) and isinstance(message["content"], dict):
        return {"content": message["content"].get("parts")}
    return message if isinstance(message, dict) else str(message)


def _name_model_in_requests(body: dict[str, Any], binding: ModelBinding) -> dict[str, Any]:
    """Return the body with the model named in each request of a batch, as Gemini's embeddings have it."""
    name = binding.model if "/" in binding.model else f"models/{binding.model}"
    named = {**body, "model": name} if "model" in body else dict(body)
    requests = body.get("requests")
    if isinstance(requests, list):
        named["requests"] = [{**one, "model": name} if isinstance(one, dict) else one for one in requests]
    return named
