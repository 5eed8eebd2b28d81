"""API schemas of workspaces."""

from datetime import datetime

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.text import Name


class WorkspaceRead(ApiModel):
    id: str
    name: str
    created_at: datetime


class WorkspaceAnswer(ApiModel):
    workspace: WorkspaceRead


class WorkspaceList(ApiModel):
    workspaces: list[WorkspaceRead]


class WorkspaceWrite(ApiModel):
    name: Name
