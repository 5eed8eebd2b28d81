"""What a workspace has registered, as far as documents may name it."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass


@dataclass(frozen=True)
class Registry:
    """Names a document may use. None: not known here, so not checked.

    There are no MCP servers unless they are named: nothing would run a name that nobody checked.
    """

    models: AbstractSet[str] | None = None
    embedders: AbstractSet[str] | None = None
    tools: AbstractSet[str] | None = None
    mcp_servers: AbstractSet[str] | None = frozenset()
