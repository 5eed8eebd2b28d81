"""Finds the parts of a request that let a provider contact other servers or execute code. Pure.

Such tools would act for the project beyond its allowed hosts, and their costs are in no price. Tools that the
code itself executes are not concerned.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from crewai_runner.executor.projects.gateway.routes import WireProtocol

_MEMBERS: Mapping[WireProtocol, tuple[str, ...]] = MappingProxyType(
    {
        WireProtocol.OPENAI: (
            *("web_search_options", "prompt", "search_parameters", "search_settings", "search_options"),
            *("enable_search", "plugins", "connectors"),
        ),
        WireProtocol.ANTHROPIC: ("mcp_servers", "container"),
    }
)
"""Members that make a provider act, with those of others that speak OpenAI's protocol; a stored `prompt` can
have tools."""
_OWN_TYPES: Mapping[WireProtocol, tuple[str, ...]] = MappingProxyType(
    {
        WireProtocol.OPENAI: ("function", "custom", "local_shell", "apply_patch"),
        WireProtocol.ANTHROPIC: ("custom", "bash_", "text_editor_", "computer_", "memory_"),
        WireProtocol.OLLAMA: ("function",),
    }
)
"""Types, or their beginnings, of tools that the code executes."""
_OWN_GEMINI_TOOLS = frozenset({"functionDeclarations", "function_declarations"})


def find_provider_tool(protocol: WireProtocol, body: Mapping[str, Any]) -> str | None:
    """Return the name of the first tool that the provider would execute, or None."""
    return next(_list_provider_tools(protocol, body), None)


def _list_provider_tools(protocol: WireProtocol, body: Mapping[str, Any]) -> Iterator[str]:
    tools = body.get("tools")
    for tool in tools if isinstance(tools, list) else [tools]:
        if not isinstance(tool, dict):
            continue
        if protocol is WireProtocol.GEMINI:
            yield from sorted(tool.keys() - _OWN_GEMINI_TOOLS)
        elif (kind := tool.get("type")) is not None and not _is_own(protocol, kind):
            yield str(kind)[:100]
    yield from (name for name in _MEMBERS.get(protocol, ()) if body.get(name) not in (None, [], False))


def _is_own(protocol: WireProtocol, kind: object) -> bool:
    own = _OWN_TYPES.get(protocol, ())
    if not isinstance(kind, str):
        return False
    return kind in own or (protocol is WireProtocol.ANTHROPIC and kind.startswith(own[1:]))
