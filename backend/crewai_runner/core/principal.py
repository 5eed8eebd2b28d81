"""The authenticated caller: subject, workspace and scopes."""

from dataclasses import dataclass
from enum import StrEnum

BUILTIN_WORKSPACE = "ws_default"


class Scope(StrEnum):
    """A permission; every endpoint requires one."""

    PROVIDERS_READ = "providers:read"
    PROVIDERS_WRITE = "providers:write"
    MODELS_READ = "models:read"
    MODELS_WRITE = "models:write"
    WORKFLOWS_READ = "workflows:read"
    WORKFLOWS_WRITE = "workflows:write"
    PROJECTS_READ = "projects:read"
    PROJECTS_WRITE = "projects:write"
    CODE_WRITE = "code:write"
    """To bring code that this server then executes."""
    TOOLS_READ = "tools:read"
    """To read the catalog of tools and the connections, without their secrets."""
    TOOLS_TRY = "tools:try"
    """To call a tool outside of a run."""
    CONNECTIONS_WRITE = "connections:write"
    RUNS_READ = "runs:read"
    RUNS_WRITE = "runs:write"
    APPROVALS_WRITE = "approvals:write"
    METRICS_READ = "metrics:read"
    """To read the metrics of this server, which name the models of all workspaces."""
    TRACES_WRITE = "traces:write"
    PEOPLE_READ = "people:read"
    PEOPLE_WRITE = "people:write"
    KEYS_READ = "keys:read"
    KEYS_WRITE = "keys:write"
    SETTINGS_WRITE = "settings:write"
    """To change the workspace's name and limits."""
    AUDIT_READ = "audit:read"
    INSTANCE_ADMIN = "instance:admin"
    """To create workspaces, and to manage all people of this server."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A person or machine acting in one workspace.

    `subject` is stored with what it does: the id of a person or an API key, or the server's own key.
    `person_id` is the person, also when one of their API keys acts for them.
    """

    subject: str
    workspace_id: str
    scopes: frozenset[Scope]
    person_id: str | None = None

    def has_scope(self, scope: Scope) -> bool:
        return scope in self.scopes
