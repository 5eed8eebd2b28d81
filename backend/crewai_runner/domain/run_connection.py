"""Connections that a run makes to other servers: one entry per request, or per tunnel of a project's code."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter


class RunConnectionPurpose(StrEnum):
    """What a connection was made for."""

    MODEL = "model"
    EMBEDDER = "embedder"
    TOOL = "tool"
    MCP = "mcp"
    CODE = "code"
    """The code of a project."""


class ConnectionResult(StrEnum):
    """`failed`: it was allowed, and no complete answer arrived."""

    ALLOWED = "allowed"
    FAILED = "failed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class RunConnection:
    """What one request or tunnel carried, in bytes and milliseconds, and how it ended.

    `name` is that of the provider, tool or server; `reason` says why it failed or was refused, and what
    allows it. An entry with several `requests` is the sum of such.
    """

    at: datetime
    host: str
    port: int
    purpose: RunConnectionPurpose
    name: str = ""
    agent: str | None = None
    task_key: str | None = None
    sent_bytes: int = 0
    received_bytes: int = 0
    milliseconds: int = 0
    result: ConnectionResult = ConnectionResult.ALLOWED
    reason: str | None = None
    requests: int = 1


@dataclass(frozen=True, slots=True)
class NumberedConnection:
    """An entry with its number in the attempt; one with the same number replaces it."""

    number: int
    connection: RunConnection


@dataclass(frozen=True, slots=True)
class StoredConnections:
    """Entries of an attempt, as its event log has them."""

    fencing_token: int
    entries: Sequence[NumberedConnection]

    def to_json(self) -> dict[str, Any]:
        """Return what `parse_connections` reads."""
        document: dict[str, Any] = _STORED.dump_python(self, mode="json")
        return document


_STORED = TypeAdapter(StoredConnections)


def parse_connections(document: Any) -> StoredConnections:
    """Read what `to_json` returned."""
    return _STORED.validate_python(document)
