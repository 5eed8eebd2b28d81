"""Reads the members of requests from outside, and refuses what has no counterpart."""

from collections.abc import Iterable, Mapping
from typing import Any

from crewai_runner.executor.projects.gateway.refusals import GatewayRefusal, RefusalKind


def unsupported(what: str) -> GatewayRefusal:
    """Return the refusal of a part of a request that the mapped model cannot be asked for."""
    return GatewayRefusal(
        RefusalKind.UNSUPPORTED,
        f"{what} cannot be translated for the mapped model, which speaks another protocol. "
        "Map the name to a model of the provider that the code was written for.",
    )


def invalid(what: str) -> GatewayRefusal:
    return GatewayRefusal(RefusalKind.BAD_REQUEST, f"{what} is not valid.")


def refuse_members(body: Mapping[str, Any], names: Iterable[str]) -> None:
    """Refuse a request that sets one of these members, because the answer would be another one without it."""
    for name in names:
        if body.get(name):
            raise unsupported(f"`{name}`")


def objects(value: Any, what: str) -> list[Mapping[str, Any]]:
    """Return a list of objects; an empty one for None. Raises GatewayRefusal for anything else."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise invalid(f"`{what}`")
    return value


def copy_members(body: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return the members that are set, under their new names."""
    return {new: body[old] for old, new in names.items() if body.get(old) is not None}


def function_tool(name: Any, description: Any, parameters: Any) -> dict[str, Any]:
    """Return a tool of a chat completion request."""
    function: dict[str, Any] = {
        "name": name,
        "parameters": parameters or {"type": "object", "properties": {}},
    }
    if description:
        function["description"] = description
    return {"type": "function", "function": function}


def function_call(call_id: str, name: Any, arguments: str) -> dict[str, Any]:
    """Return a tool call of an assistant's message."""
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def image_part(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def merge_text(parts: list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """Return the parts as one text if they are text only: not every server accepts parts."""
    if all(part.get("type") == "text" for part in parts):
        return "\n".join(str(part["text"]) for part in parts)
    return parts
