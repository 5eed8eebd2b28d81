"""What a run asks its worker before and after a call of a tool, and what a person decides."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """A call that a person must allow. `key` recognises it in a later attempt of the run.

    `parameters` is the JSON Schema of the tool's arguments; with `question`, that of the answer to what the
    tool asks during a call.
    """

    key: str
    tool: str
    arguments: dict[str, Any]
    task_key: str | None = None
    agent: str | None = None
    tool_call_id: str | None = None
    parameters: dict[str, Any] | None = None
    question: str | None = None


@dataclass(frozen=True, slots=True)
class ToolQuestion:
    """What a tool asks a person during a call. `parameters` is the JSON Schema of the answer, an object."""

    text: str
    parameters: dict[str, Any]


class ToolAction(StrEnum):
    ALLOW = "allow"
    DENY = "deny"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class ToolDecision:
    """`arguments` replace those of the request, or are the answer to its question.

    `for_run` allows the later calls of the tool as well.
    """

    action: ToolAction
    arguments: dict[str, Any] | None = None
    feedback: str | None = None
    for_run: bool = False


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The result of a call that must not be made again; `key` as in `ToolRequest`."""

    key: str
    tool: str
    text: str
