"""Rules of MCP servers and their tools. Pure."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import httpx
from pydantic import SecretStr

from crewai_runner.core.url_validation import UrlRefused, get_port, parse_url
from crewai_runner.db.tables.mcp import McpServerRow, McpToolRow
from crewai_runner.domain.mcp_server import McpAuth, McpEra, McpToolState
from crewai_runner.executor.tool_binding import ToolBinding, ToolEffect, ToolKind
from crewai_runner.executor.tools.mcp_tools import CREDENTIAL, make_server_config

MAX_SERVERS = 50
HINT_LENGTH = 4
MIN_LENGTH_WITH_HINT = 12
_SECRET_PARAMETER = re.compile(r"key|token|secret|password|auth", re.IGNORECASE)
_OWN_HEADERS = frozenset(
    {
        *("accept", "connection", "content-length", "content-type", "cookie", "host", "origin"),
        *("te", "trailer", "transfer-encoding", "upgrade", "user-agent"),
    }
)


def find_url_problem(url: str) -> str | None:
    """Return why a URL cannot be that of a server; name resolution is not part of it."""
    try:
        parsed = parse_url(url)
    except UrlRefused as error:
        return error.detail
    if parsed.fragment:
        return "The address must not have a fragment (#)."
    query = parsed.query.decode("ascii", "replace")
    if any(_SECRET_PARAMETER.search(name) for name, _ in parse_qsl(query, keep_blank_values=True)):
        return "The address is shown and logged: send the credential in a header instead."
    return None


def find_command_problem(name: str, auth: McpAuth, listed: Collection[str]) -> tuple[str, str] | None:
    """Return the field that does not fit a server that is a command, and why."""
    if name not in listed:
        known = f" Listed: {', '.join(sorted(listed))}." if listed else ""
        return "/url", f"The administrator has not listed {name[:100]!r} in MCP_STDIO_COMMANDS.{known}"
    if auth is not McpAuth.NONE:
        return "/auth", "A command has no authentication. The administrator sets its environment."
    return None


def find_header_problem(auth: McpAuth, header_name: str | None) -> str | None:
    """Return why the name of the header does not fit the kind of authentication."""
    if auth is not McpAuth.HEADER:
        return None if header_name is None else "Only `auth: header` has a header name."
    if header_name is None:
        return "Name the header that carries the credential."
    if header_name.lower() in _OWN_HEADERS or header_name.lower().startswith("mcp-"):
        return f"The header {header_name} belongs to the protocol. Choose another one."
    return None


def origin_of(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port, to which a credential belongs."""
    parsed = httpx.URL(url)
    return parsed.scheme, parsed.host, get_port(parsed)


def make_config(row: McpServerRow) -> dict[str, Any]:
    """Return what bindings say of the server."""
    return make_server_config(
        server_id=row.id,
        slug=row.name,
        url=row.url,
        auth=McpAuth(row.auth),
        header_name=row.header_name,
        era=None if row.era is None else McpEra(row.era),
    )


def make_tool_binding(
    reference: str, server: McpServerRow, tool: McpToolRow, credential: SecretStr | None
) -> ToolBinding:
    """Return the binding of an approved tool: what a person has seen, not what the server says now."""
    approved = tool.approved or {}
    return ToolBinding(
        name=reference,
        model_name=reference,
        kind=ToolKind.MCP,
        title=approved["title"] or tool.name,
        description=approved["description"] or approved["title"] or tool.name,
        parameters=approved["inputSchema"],
        effect=ToolEffect.READ if approved["hints"].get("readOnlyHint") else ToolEffect.WRITE,
        config={"server": make_config(server), "tool": tool.name, "digest": tool.approved_digest},
        secrets={} if credential is None else {CREDENTIAL: credential},
        timeout_seconds=float(server.timeout_seconds),
    )


def tool_state(row: McpToolRow) -> McpToolState:
    """Return whether agents may use a tool."""
    if row.listed_digest is None:
        return McpToolState.GONE
    if row.problem is not None:
        return McpToolState.UNUSABLE
    if row.is_off:
        return McpToolState.OFF
    if row.approved_digest is None:
        return McpToolState.NEW
    return McpToolState.APPROVED if row.approved_digest == row.listed_digest else McpToolState.CHANGED


def count_states(rows: Iterable[McpToolRow]) -> dict[McpToolState, int]:
    return dict(Counter(map(tool_state, rows)))


UNUSABLE_BECAUSE: Mapping[McpToolState, str] = {
    McpToolState.NEW: "it is not approved yet",
    McpToolState.CHANGED: "the server describes it differently since it was approved",
    McpToolState.OFF: "it is switched off",
    McpToolState.GONE: "the server no longer offers it",
    McpToolState.UNUSABLE: "the server describes it in a way that cannot be used",
}
"""Why a tool in this state is not used, as a clause."""


def make_hint(credential: str) -> str | None:
    """Return the last characters of a credential; None for a short one, which they would reveal."""
    return credential[-HINT_LENGTH:] if len(credential) >= MIN_LENGTH_WITH_HINT else None
