"""API schemas of tools."""

from typing import Any

from pydantic import Field

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.text import JsonObject
from crewai_runner.executor.tool_binding import ToolEffect, ToolKind


class ToolFinding(ApiModel):
    """Why a tool cannot be used."""

    code: str = Field(description="A stable slug such as `connection-missing`.")
    message: str
    remedy: str | None = Field(description="The path in the dashboard where it can be fixed.")


class ToolRead(ApiModel):
    """A tool that workflows may name."""

    name: str = Field(description="As workflows name it.")
    kind: ToolKind
    title: str
    description: str = Field(description="What the model reads to decide when to use the tool.")
    parameters: dict[str, Any] = Field(description="JSON Schema of the arguments.")
    effect: ToolEffect = Field(description="`write` if a call sends or changes something.")
    network: bool = Field(description="Whether it contacts other hosts.")
    connections: list[str] = Field(description="The connections it uses, the default one first.")
    replaces: list[str] = Field(description="Classes of CrewAI that workflows may name instead.")
    problem: ToolFinding | None = Field(description="Why it cannot be used; null if it can.")


class ToolList(ApiModel):
    tools: list[ToolRead]


class ToolTrial(ApiModel):
    tool: str = Field(min_length=1, max_length=200)
    arguments: JsonObject = Field(default_factory=dict)


class ToolTrialResult(ApiModel):
    ok: bool
    output: str = Field(description="The result as a model would read it; if `ok` is false, the error.")
    latency_ms: int
