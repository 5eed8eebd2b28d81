"""The roles of people and API keys in a workspace, and the scopes that each role has."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from crewai_runner.core.principal import BUILTIN_WORKSPACE, Principal, Scope

SERVER_KEY = "api-key"
"""The subject of the server's own API key."""
SERVER_KEY_NAME = "Server key"


class WorkspaceRole(StrEnum):
    """What someone may do in a workspace; each role includes the ones before it."""

    VIEWER = "viewer"
    """Reads."""
    OPERATOR = "operator"
    """Starts and stops runs, and answers approvals."""
    EDITOR = "editor"
    """Writes workflows, projects and models."""
    OWNER = "owner"
    """Manages people, API keys, providers and connections and their keys, and reads the audit log."""


_VIEWER = frozenset(
    {
        Scope.PROVIDERS_READ,
        Scope.MODELS_READ,
        Scope.WORKFLOWS_READ,
        Scope.PROJECTS_READ,
        Scope.TOOLS_READ,
        Scope.RUNS_READ,
    }
)
_OPERATOR = _VIEWER | {Scope.RUNS_WRITE, Scope.APPROVALS_WRITE, Scope.TRACES_WRITE}
_EDITOR = _OPERATOR | {
    Scope.WORKFLOWS_WRITE,
    Scope.PROJECTS_WRITE,
    Scope.CODE_WRITE,
    Scope.MODELS_WRITE,
    Scope.TOOLS_TRY,
}
_OWNER = _EDITOR | {
    Scope.PROVIDERS_WRITE,
    Scope.CONNECTIONS_WRITE,
    Scope.PEOPLE_READ,
    Scope.PEOPLE_WRITE,
    Scope.KEYS_READ,
    Scope.KEYS_WRITE,
    Scope.SETTINGS_WRITE,
    Scope.AUDIT_READ,
}

ADMINISTRATOR_SCOPES = frozenset({Scope.INSTANCE_ADMIN, Scope.METRICS_READ})
"""What belongs to no workspace, and so to no role."""

ROLE_SCOPES: Mapping[WorkspaceRole, frozenset[Scope]] = {
    WorkspaceRole.VIEWER: _VIEWER,
    WorkspaceRole.OPERATOR: _OPERATOR,
    WorkspaceRole.EDITOR: _EDITOR,
    WorkspaceRole.OWNER: _OWNER,
}


class Member(NamedTuple):
    """A person's rights in a workspace."""

    person_id: str
    workspace_id: str
    role: str
    is_administrator: bool


def server_principal(workspace_id: str = BUILTIN_WORKSPACE) -> Principal:
    """The server's own API key: the administrator, with every scope."""
    return Principal(SERVER_KEY, workspace_id, frozenset(Scope))


def person_principal(member: Member) -> Principal:
    """A person in a workspace: the scopes of their role, and those of an administrator."""
    scopes = ROLE_SCOPES[WorkspaceRole(member.role)]
    if member.is_administrator:
        scopes |= ADMINISTRATOR_SCOPES
    return Principal(member.person_id, member.workspace_id, scopes, person_id=member.person_id)
