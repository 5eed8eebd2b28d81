"""API schemas of what is stored about a person."""

from datetime import datetime

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.roles import WorkspaceRole


class PersonalWorkspace(ApiModel):
    id: str
    name: str
    role: WorkspaceRole
    created_at: datetime


class PersonalSession(ApiModel):
    id: str
    address: str
    user_agent: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime


class PersonalKey(ApiModel):
    id: str
    workspace_id: str
    name: str
    hint: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class PersonalIdentity(ApiModel):
    issuer: str
    subject: str
    created_at: datetime


class PersonalRun(ApiModel):
    id: str
    workspace_id: str
    workflow_name: str
    created_at: datetime


class PersonalMessage(ApiModel):
    run_id: str
    text: str
    created_at: datetime


class PersonalApproval(ApiModel):
    id: str
    run_id: str
    status: str
    feedback: str | None
    resolved_at: datetime | None


class PersonalWorkflowVersion(ApiModel):
    workflow_id: str
    number: int
    note: str | None
    created_at: datetime


class PersonalProjectVersion(ApiModel):
    project_id: str
    number: int
    created_at: datetime


class PersonalData(ApiModel):
    """What this server stores about a person, and what they have written. Without secrets."""

    id: str
    name: str
    email: str | None
    is_administrator: bool
    has_second_factor: bool
    created_at: datetime
    last_sign_in_at: datetime | None
    workspaces: list[PersonalWorkspace]
    sessions: list[PersonalSession]
    api_keys: list[PersonalKey]
    external_identities: list[PersonalIdentity]
    runs: list[PersonalRun]
    messages: list[PersonalMessage]
    approvals: list[PersonalApproval]
    workflow_versions: list[PersonalWorkflowVersion]
    project_versions: list[PersonalProjectVersion]


class RemovedPerson(ApiModel):
    """The name under which history shows someone who was removed."""

    name: str
