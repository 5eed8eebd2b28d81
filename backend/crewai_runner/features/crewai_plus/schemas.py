"""Request and response schemas of the routes for CrewAI's own tools, with CrewAI's names."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class PlusModel(BaseModel):
    model_config = ConfigDict(extra="forbid")


class GrantRequest(PlusModel):
    execution_uuid: UUID
    include_trace_url: bool = False


class Grant(PlusModel):
    """Lets one execution send its spans to `collector_url` with `token`."""

    token: str
    collector_url: str
    execution_uuid: UUID
    expires_at: datetime
    tier: Literal["authenticated"] = "authenticated"
    trace_url: str | None


class Organization(PlusModel):
    name: str
    uuid: str


class App(PlusModel):
    name: str
    slug: str
    is_connected: bool


class AppList(PlusModel):
    apps: list[App]
