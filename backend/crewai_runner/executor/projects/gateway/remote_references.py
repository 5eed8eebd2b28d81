"""Finds the addresses in a request that its provider would open: images and files given by URL. Pure.

A provider that opens an address makes a connection for the project, so the project's allowed hosts decide.
What is not known to be text, or data of the project's own tools, counts as an address: providers have several
names for the same thing, and add new ones.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crewai_runner.core.host_patterns import HostPattern
from crewai_runner.core.url_validation import UrlRefused, get_port, normalize_host, parse_url

_ADDRESS = re.compile(r"(?!data:)(?:(?:https?|ftps?|wss?|gs|s3|file):|[a-z][a-z0-9+.-]{0,20}:[/\\])")
"""Beginnings of addresses, without those that contain their data. Base64 has no colon."""
_IGNORED_CHARACTERS = re.compile(r"[\x00-\x20\x7f]+")
"""Parsers of addresses remove them, some also in the middle."""
_HEAD_LENGTH = 64
_NOT_IN_ADDRESS = re.compile(r"[^\x21-\x7e]|[\\^`{|}<>\"]")
_MAX_PLACE_LENGTH = 300

_TEXTS = frozenset(
    {
        *("content", "context", "description", "display_name", "displayName", "id", "input", "instructions"),
        *("model", "name", "output", "prompt", "reasoning", "reasoning_content", "refusal", "role", "stop"),
        *("stopSequences", "stop_sequences", "suffix", "summary", "system", "text", "thinking", "title"),
        *("transcript", "type", "user"),
    }
)
"""Members whose strings are text. What they contain besides strings is searched."""
_OWN_DATA = frozenset(
    {
        *("annotations", "args", "arguments", "citations", "format", "functions", "generationConfig"),
        *("generation_config", "metadata", "output_config", "response", "response_format", "tools"),
    }
)
"""Members that hold calls and results of the code's own tools, schemas, or what earlier answers cited."""


@dataclass(frozen=True, slots=True)
class RemoteReference:
    """An address in a request. `host` is normalized; None: no valid web address, so it cannot be allowed."""

    member: str
    host: str | None
    port: int = 0
    length: int = 0

    def is_allowed(self, patterns: Sequence[HostPattern]) -> bool:
        """Return whether one of the allowed hosts matches."""
        host = self.host
        return host is not None and any(pattern.matches(host, self.port) for pattern in patterns)


def find_remote_references(body: Mapping[str, Any]) -> Iterator[RemoteReference]:
    """Yield the addresses in the order in which they are found; every nesting is searched."""
    waiting: list[tuple[str, Any]] = [("", body)]
    while waiting:
        member, value = waiting.pop()
        if isinstance(value, Mapping):
            waiting += [(name, inner) for name, inner in value.items() if not _is_own_data(name, value)]
        elif isinstance(value, list):
            waiting += [(member, inner) for inner in value if not isinstance(inner, int | float)]
        elif isinstance(value, str) and member not in _TEXTS and (address := _read_address(value)):
            yield _read_host(member, address)


def _is_own_data(name: str, owner: Mapping[str, Any]) -> bool:
    match owner.get("type"):
        case "tool_use":
            return name == "input"
        case "search_result":
            return name == "source" and isinstance(owner[name], str)
        case "text":
            return name == "data" or name in _OWN_DATA
    return name in _OWN_DATA


def _read_address(value: str) -> str | None:
    """Return the text without ignored characters if it is an address, else None."""
    if _IGNORED_CHARACTERS.search(value, 0, _HEAD_LENGTH):
        value = _IGNORED_CHARACTERS.sub("", value)
    return value if _ADDRESS.match(value[:_HEAD_LENGTH].lower()) else None


def _read_host(member: str, address: str) -> RemoteReference:
    shown = member[:_MAX_PLACE_LENGTH]
    try:
        if _NOT_IN_ADDRESS.search(address):
            raise UrlRefused("The URL has characters that are read in several ways.")
        url = parse_url(address)
        return RemoteReference(
            shown, normalize_host(url.raw_host.decode("ascii")), get_port(url), len(address)
        )
    except UrlRefused:
        return RemoteReference(shown, None)
