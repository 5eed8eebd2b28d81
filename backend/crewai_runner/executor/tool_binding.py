"""A tool with everything needed to call it, its credentials included."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import SecretStr

from crewai_runner.executor.tool_rules import ToolRules

CALL_SECONDS = 30.0
MAX_RESULT_LENGTH = 24_000


class ToolKind(StrEnum):
    """Which `ToolRunner` makes the calls."""

    BUILTIN = "builtin"
    HTTP_API = "http_api"
    MCP = "mcp"


class ToolEffect(StrEnum):
    """What a call does outside of the run."""

    READ = "read"
    WRITE = "write"
    """It sends, changes or deletes something."""


@dataclass(frozen=True, slots=True)
class ToolBinding:
    """A tool of a run. It is sent to crew hosts, so all its values can be pickled."""

    name: str
    """As documents name it: `calculator`, `mcp:github/search_issues`, `api:weather/get_forecast`."""
    model_name: str
    """As models call it: `[a-z0-9_]{1,64}`, unique in the run."""
    kind: ToolKind
    title: str
    description: str
    """What the model reads to decide when to use the tool."""
    parameters: dict[str, Any]
    """JSON Schema of the arguments. That of a tool from outside was accepted by `check_parameters`."""
    effect: ToolEffect = ToolEffect.READ
    config: Mapping[str, Any] = field(default_factory=dict)
    """What the runner needs besides credentials: plain values."""
    secrets: Mapping[str, SecretStr] = field(default_factory=dict)
    """The credentials of the tool's connection, by name; masked in everything that leaves the run."""
    is_pure: bool = False
    """The same arguments always give the same result, which may therefore be cached."""
    timeout_seconds: float = CALL_SECONDS
    max_result_length: int = MAX_RESULT_LENGTH
    rules: ToolRules = field(default_factory=ToolRules)
