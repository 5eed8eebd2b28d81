"""Reads and writes the configuration files of MCP clients. Pure: nothing is contacted or started.

Claude Desktop, Cline and Cursor name servers in `mcpServers`, VS Code in `servers` or `mcp.servers`.
"""

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr, ValidationError

from crewai_runner.core.mcp_commands import McpCommand, find_command_name
from crewai_runner.domain.mcp_server import COMMAND_PREFIX, McpAuth
from crewai_runner.features.mcp.errors import McpImportInvalid
from crewai_runner.features.mcp.schemas import McpServerCreate

MAX_ENTRIES = 50
MAX_NAME_LENGTH = 40
_NOT_IN_SLUGS = re.compile(r"[^a-z0-9]+")
_PLACEHOLDER = re.compile(r"\$\{[^}]{0,200}\}|<[^<>]{0,200}>")
_BEARER = "bearer "


@dataclass(frozen=True, slots=True)
class ImportedServer:
    """A server of a configuration, or why it cannot be imported. `note` says what is left to do."""

    name: str
    server: McpServerCreate | None = None
    problem: str | None = None
    note: str | None = None


def read_config(
    config: Mapping[str, Any], taken: Container[str], commands: Mapping[str, McpCommand]
) -> list[ImportedServer]:
    """Return the servers of a configuration, with names that are not taken. Raises McpImportInvalid.

    `commands` are those that may be started.
    """
    entries = _find_entries(config)
    if entries is None or not entries:
        raise McpImportInvalid(
            "The configuration has no servers: `mcpServers` (Claude Desktop, Cline, Cursor) or `servers` "
            "(VS Code) must list them by name."
        )
    if len(entries) > MAX_ENTRIES:
        raise McpImportInvalid(f"The configuration has more than {MAX_ENTRIES} servers.")
    used: set[str] = set()
    found = []
    for name, entry in entries.items():
        slug = _pick_slug(str(name), taken, used)
        found.append(_read_entry(str(name)[:200], slug, entry, commands))
        used.add(slug)
    return found


def write_entry(server: McpServerCreate) -> dict[str, Any]:
    """Return a server as clients write it; the credential is a placeholder."""
    entry: dict[str, Any] = {"type": "http", "url": server.url}
    if server.auth is McpAuth.BEARER:
        entry["headers"] = {"Authorization": "Bearer ${TOKEN}"}
    elif server.auth is McpAuth.HEADER and server.header_name is not None:
        entry["headers"] = {server.header_name: "${TOKEN}"}
    return entry


def _find_entries(config: Mapping[str, Any]) -> Mapping[str, Any] | None:
    nested = config.get("mcp")
    candidates = (config.get("mcpServers"), config.get("servers"), _servers_of(nested))
    return next((found for found in candidates if isinstance(found, dict)), None)


def _servers_of(nested: object) -> object:
    return nested.get("servers") if isinstance(nested, dict) else None


def _read_entry(name: str, slug: str, entry: object, commands: Mapping[str, McpCommand]) -> ImportedServer:
    if not isinstance(entry, dict):
        return ImportedServer(name, problem="It is not an object.")
    if "command" in entry:
        return _read_command(name, slug, entry, commands)
    if entry.get("type", entry.get("transport")) == "sse":
        return ImportedServer(name, problem="It uses the old transport with two endpoints.")
    try:
        server, note = _make_server(slug, entry)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "entry"
        return ImportedServer(name, problem=f"{where}: {first['msg']}")
    except _Unusable as reason:
        return ImportedServer(name, problem=str(reason))
    return ImportedServer(name, server=server, note=note)


def _read_command(
    name: str, slug: str, entry: Mapping[str, Any], commands: Mapping[str, McpCommand]
) -> ImportedServer:
    """Return a server that is switched off, for exactly one of the commands; nothing else is taken over."""
    arguments = entry.get("args") or []
    words = [entry["command"], *(arguments if isinstance(arguments, list) else [arguments])]
    listed = find_command_name(commands, words)
    if listed is None:
        problem = "It starts a command that the administrator has not listed so in MCP_STDIO_COMMANDS."
        return ImportedServer(name, problem=problem)
    note = "It is switched off: switch it on to use it."
    if entry.get("env"):
        note += " Its environment was not imported: the administrator sets it."
    server = McpServerCreate(name=slug, url=f"{COMMAND_PREFIX}{listed}", is_enabled=False)
    return ImportedServer(name, server=server, note=note)


class _Unusable(Exception):
    """The entry cannot be imported; the message says why and has no secret."""


def _make_server(slug: str, entry: Mapping[str, Any]) -> tuple[McpServerCreate, str | None]:
    url = entry.get("url", entry.get("serverUrl", entry.get("httpUrl")))
    if not isinstance(url, str):
        raise _Unusable("It has no address (`url`).")
    if _PLACEHOLDER.search(url):
        raise _Unusable("Its address has a placeholder.")
    headers = list(_read_headers(entry.get("headers")))
    if len(headers) > 1:
        raise _Unusable("It sends more than one header; one header with a credential is supported.")
    fields: dict[str, Any] = {"name": slug, "url": url, "is_enabled": not entry.get("disabled", False)}
    note = None
    for name, value in headers:
        is_bearer = name.lower() == "authorization" and value.lower().startswith(_BEARER)
        secret = value[len(_BEARER) :].strip() if is_bearer else value
        fields |= {"auth": McpAuth.BEARER if is_bearer else McpAuth.HEADER}
        fields |= {} if is_bearer else {"header_name": name}
        if _PLACEHOLDER.search(secret):
            note = "The configuration has a placeholder for the credential: enter it."
        else:
            fields["credential"] = SecretStr(secret)
    return McpServerCreate.model_validate(fields), note


def _read_headers(headers: object) -> Iterator[tuple[str, str]]:
    if headers is None:
        return
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        raise _Unusable("Its headers are not texts.")
    yield from headers.items()


def _pick_slug(name: str, taken: Container[str], used: Container[str]) -> str:
    words = _NOT_IN_SLUGS.sub("-", name[:200].lower()).strip("-")
    start = words if words[:1].isalpha() else f"server-{words}".strip("-")
    start = start[: MAX_NAME_LENGTH - 3].strip("-")
    slug, number = start, 2
    while slug in taken or slug in used:
        slug, number = f"{start}-{number}", number + 1
    return slug
