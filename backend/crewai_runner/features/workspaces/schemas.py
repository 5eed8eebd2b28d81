"""API schemas of workspaces."""

from datetime import datetime

from pydantic import Field

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.text import Name
from crewai_runner.domain.usage import Cost
from crewai_runner.domain.workspace_quota import QuotaLimits


class WorkspaceRead(ApiModel):
    id: str
    name: str
    created_at: datetime
    allows_public_links: bool = Field(
        description="Whether runs may be shared with people without an account."
    )


class WorkspaceAnswer(ApiModel):
    workspace: WorkspaceRead


class WorkspaceWrite(ApiModel):
    name: Name


class WorkspaceUpdate(ApiModel):
    """Members that are left out stay as they are."""

    name: Name | None = None
    allows_public_links: bool | None = Field(
        None, description="If false, the links that exist do not work either."
    )


class QuotaUse(ApiModel):
    """What a workspace uses now."""

    runs_at_once: int = Field(description="Runs that have not ended.")
    runs_today: int
    spent_this_month: list[Cost] = Field(description="By currency. Only that of the quota counts towards it.")
    stored_mb: float


class WorkspaceOverview(WorkspaceRead):
    """A workspace with what it may use and what it uses."""

    people: int = Field(description="How many people are in it.")
    limits: QuotaLimits = Field(description="Those that apply: the lowest of all that are set.")
    use: QuotaUse


class WorkspaceOverviewList(ApiModel):
    workspaces: list[WorkspaceOverview]


class WorkspaceQuotas(ApiModel):
    """Quotas and their use. `limits` apply: the lower of `ownLimits` and `upperLimits`."""

    limits: QuotaLimits
    own_limits: QuotaLimits = Field(description="Those that owners of the workspace have set.")
    upper_limits: QuotaLimits = Field(
        description="Those of the server: of its settings, and of its administrator for this workspace."
    )
    administrator_limits: QuotaLimits = Field(description="Those that the administrator has set.")
    use: QuotaUse
    day_ends_at: datetime
    month_ends_at: datetime
