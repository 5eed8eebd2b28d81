"""Who decides whether a tool may be called, and how often it may be."""

from typing import Literal

from pydantic import Field

from crewai_runner.core.api_model import ApiModel

ToolPolicy = Literal["allow", "ask", "deny"]


class ToolLimit(ApiModel):
    """How often a tool may be called."""

    calls: int | None = Field(None, ge=1, le=100_000, description="Calls in one attempt of a run.")
    per_minute: int | None = Field(None, ge=1, le=10_000, description="Calls in any 60 seconds.")
