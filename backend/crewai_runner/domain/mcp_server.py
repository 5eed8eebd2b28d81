"""MCP servers: how they are named, reached and authenticated, and the two eras of their protocol."""

import re
from enum import StrEnum

TOOL_PREFIX = "mcp:"
COMMAND_PREFIX = "stdio:"
"""The address of a server that is a command on this machine: `stdio:NAME`."""
SLUG_PATTERN = r"^[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?$"
_TOOL_REFERENCE = re.compile(r"mcp:(?P<slug>[a-z0-9-]{1,64})/(?P<tool>[A-Za-z0-9_.-]{1,128})")


class McpEra(StrEnum):
    """How a server is spoken to."""

    HANDSHAKE = "handshake"
    """Versions up to 2025-11-25: `initialize`, then requests of a session."""
    STATELESS = "stateless"
    """Version 2026-07-28: each request is complete in itself."""


class McpAuth(StrEnum):
    NONE = "none"
    BEARER = "bearer"
    HEADER = "header"
    """The credential is sent in a header that the server names."""
    OAUTH = "oauth"
    """A bearer token that an authorization server gives after someone has agreed in a browser."""


class McpToolState(StrEnum):
    """Whether agents may use a tool."""

    NEW = "new"
    """Listed by the server, not approved by a person."""
    APPROVED = "approved"
    CHANGED = "changed"
    """The server describes it differently since it was approved: not used until it is approved again."""
    OFF = "off"
    """Approved, then switched off by a person."""
    GONE = "gone"
    """Approved, no longer listed by the server."""
    UNUSABLE = "unusable"
    """The server describes it in a way that cannot be used."""


def split_tool_reference(name: str) -> tuple[str, str] | None:
    """Return the server's slug and the tool's name of `mcp:slug/tool`, None for other names."""
    match = _TOOL_REFERENCE.fullmatch(name)
    return None if match is None else (match["slug"], match["tool"])


def get_command_name(url: str) -> str | None:
    """Return the name of the command in the address of a server, None for servers in the network."""
    return url.removeprefix(COMMAND_PREFIX) if url.startswith(COMMAND_PREFIX) else None


def make_tool_reference(slug: str, tool: str) -> str:
    """Return the name of a server's tool in workflows."""
    return f"{TOOL_PREFIX}{slug}/{tool}"
