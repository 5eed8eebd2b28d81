"""Resources and prompts of a server, for people who look at them; cleaned and bounded."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from crewai_runner.domain.mcp_tools import clean_text
from crewai_runner.executor.mcp.connection import McpConnection
from crewai_runner.executor.mcp.failures import RequestRejected, ServerUnreachable
from crewai_runner.executor.mcp.wire import METHOD_NOT_FOUND

MAX_URI_LENGTH = 2_000
MAX_NAME_LENGTH = 200
MAX_DESCRIPTION_LENGTH = 2_000
MAX_PREVIEW_LENGTH = 20_000
MAX_ARGUMENTS = 50


@dataclass(frozen=True, slots=True)
class Resource:
    """`size` is in bytes, as the server says."""

    uri: str
    name: str
    description: str = ""
    mime_type: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class PromptArgument:
    name: str
    description: str
    is_required: bool


@dataclass(frozen=True, slots=True)
class Prompt:
    name: str
    title: str
    description: str
    arguments: tuple[PromptArgument, ...]


@dataclass(frozen=True, slots=True)
class Contents:
    resources: list[Resource] = field(default_factory=list)
    prompts: list[Prompt] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ResourceText:
    """The beginning of a resource. `is_binary`: the server sent bytes, which are not shown."""

    text: str
    mime_type: str | None
    is_truncated: bool
    is_binary: bool


async def list_contents(connection: McpConnection) -> Contents:
    """Return what an open connection's server offers; none of a kind it does not have. Raises McpFailure."""
    resources = await _list(connection, "resources")
    prompts = await _list(connection, "prompts")
    return Contents(list(_read_resources(resources)), list(_read_prompts(prompts)))


async def read_resource(connection: McpConnection, uri: str) -> ResourceText:
    """Return the beginning of a resource, at most 20,000 characters. Raises McpFailure."""
    result = await connection.request("resources/read", {"uri": uri})
    parts = result.get("contents")
    if not isinstance(parts, list):
        raise ServerUnreachable("The server sent a resource without `contents`.")
    mappings = [part for part in parts if isinstance(part, Mapping)]
    text = "\n".join(part["text"] for part in mappings if isinstance(part.get("text"), str))
    first = mappings[0] if mappings else {}
    return ResourceText(
        text=clean_text(text, MAX_PREVIEW_LENGTH),
        mime_type=_read_text(first.get("mimeType"), MAX_NAME_LENGTH) or None,
        is_truncated=len(text) > MAX_PREVIEW_LENGTH,
        is_binary=any(isinstance(part.get("blob"), str) for part in mappings),
    )


async def _list(connection: McpConnection, kind: str) -> list[object]:
    try:
        return await connection.list_entries(f"{kind}/list", kind)
    except RequestRejected as rejected:
        if rejected.code == METHOD_NOT_FOUND:
            return []
        raise


def _read_resources(entries: list[object]) -> Iterator[Resource]:
    for entry in entries:
        uri = entry.get("uri") if isinstance(entry, Mapping) else None
        if not isinstance(entry, Mapping) or not isinstance(uri, str) or not 0 < len(uri) <= MAX_URI_LENGTH:
            continue
        if clean_text(uri, MAX_URI_LENGTH) != uri:
            continue  # what is read would not be what is shown
        size = entry.get("size")
        yield Resource(
            uri=uri,
            name=_read_title(entry) or uri,
            description=_read_text(entry.get("description"), MAX_DESCRIPTION_LENGTH),
            mime_type=_read_text(entry.get("mimeType"), MAX_NAME_LENGTH) or None,
            size=size if isinstance(size, int) and not isinstance(size, bool) and 0 <= size < 2**53 else None,
        )


def _read_prompts(entries: list[object]) -> Iterator[Prompt]:
    for entry in entries:
        if not isinstance(entry, Mapping):
            continue
        name = _read_text(entry.get("name"), MAX_NAME_LENGTH)
        if name:
            arguments = entry.get("arguments")
            yield Prompt(
                name=name,
                title=_read_title(entry),
                description=_read_text(entry.get("description"), MAX_DESCRIPTION_LENGTH),
                arguments=tuple(_read_arguments(arguments if isinstance(arguments, list) else [])),
            )


def _read_arguments(entries: list[Any]) -> Iterator[PromptArgument]:
    for entry in entries[:MAX_ARGUMENTS]:
        name = _read_text(entry.get("name"), MAX_NAME_LENGTH) if isinstance(entry, Mapping) else ""
        if name:
            description = _read_text(entry.get("description"), MAX_DESCRIPTION_LENGTH)
            yield PromptArgument(name, description, entry.get("required") is True)


def _read_title(entry: Mapping[str, Any]) -> str:
    title = _read_text(entry.get("title"), MAX_NAME_LENGTH)
    return title or _read_text(entry.get("name"), MAX_NAME_LENGTH)


def _read_text(value: object, max_length: int) -> str:
    return clean_text(value, max_length) if isinstance(value, str) else ""
