"""API endpoints of workspaces: all of the server for its administrators, and the caller's own."""

from http import HTTPStatus

from crewai_runner.domain.workspace_quota import QuotaLimits
from crewai_runner.features.workspaces.deps import (
    Administrator,
    Manager,
    Member,
    Overview,
    Quotas,
    QuotasToRead,
    Workspaces,
    WorkspacesToRead,
)
from crewai_runner.features.workspaces.errors import (
    QuotaAboveLimit,
    TooManyWorkspaces,
    WorkspaceNameTaken,
    WorkspaceNotFound,
)
from crewai_runner.features.workspaces.schemas import (
    WorkspaceAnswer,
    WorkspaceOverviewList,
    WorkspaceQuotas,
    WorkspaceUpdate,
    WorkspaceWrite,
)
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.problems import problems

router = PrefixedRouter(prefix="/workspaces", tags=["workspaces"])
own_router = PrefixedRouter(prefix="/workspace", tags=["workspaces"])


@router.get("")
async def list_workspaces(administrator: Administrator, overview: Overview) -> WorkspaceOverviewList:  # noqa: ARG001  # the right is the point
    """List all workspaces of this server with their quotas and what they use, by name.

    For administrators; everyone's own are in `GET /me`.
    """
    return await overview.list_all()


@router.post("", status_code=HTTPStatus.CREATED, responses=problems(WorkspaceNameTaken, TooManyWorkspaces))
async def create_workspace(
    body: WorkspaceWrite, administrator: Administrator, workspaces: Workspaces
) -> WorkspaceAnswer:
    """Create a workspace. A person who creates it becomes its owner.

    Created with the server's key it is empty of people: create an API key or the first owner with
    `crewai-runner user create --workspace`.
    """
    return await workspaces.create(administrator, body.name)


@router.get("/{workspace_id}/quotas", responses=problems(WorkspaceNotFound))
async def get_quotas_of_workspace(
    workspace_id: str,
    administrator: Administrator,  # noqa: ARG001
    quotas: QuotasToRead,
) -> WorkspaceQuotas:
    """Return the quotas of any workspace and what it uses. For administrators."""
    return await quotas.get(workspace_id)


@router.put("/{workspace_id}/quotas", responses=problems(WorkspaceNotFound))
async def limit_workspace(
    workspace_id: str,
    body: QuotaLimits,
    administrator: Administrator,  # noqa: ARG001
    quotas: Quotas,
) -> WorkspaceQuotas:
    """Set the quotas up to which the owners of a workspace may set their own. For administrators.

    Own quotas that are above them stay stored, and do not apply.
    """
    return await quotas.set_upper(workspace_id, body)


@own_router.get("")
async def get_workspace(member: Member, workspaces: WorkspacesToRead) -> WorkspaceAnswer:
    """Return the workspace that the caller is in."""
    return await workspaces.get(member.workspace_id)


@own_router.patch("", responses=problems(WorkspaceNameTaken))
async def update_workspace(
    body: WorkspaceUpdate, manager: Manager, workspaces: Workspaces
) -> WorkspaceAnswer:
    """Rename the workspace that the caller is in, or change its settings."""
    return await workspaces.update(manager.workspace_id, body)


@own_router.get("/quotas")
async def get_quotas(member: Member, quotas: QuotasToRead) -> WorkspaceQuotas:
    """Return the quotas of the workspace that the caller is in, and what it uses."""
    return await quotas.get(member.workspace_id)


@own_router.put("/quotas", responses=problems(QuotaAboveLimit))
async def set_quotas(body: QuotaLimits, manager: Manager, quotas: Quotas) -> WorkspaceQuotas:
    """Set the quotas of the workspace that the caller is in, up to those of the server.

    A member that is null or left out sets no limit. With `keptDays`, finished runs that are older are deleted
    within the hour.
    """
    return await quotas.set_own(manager.workspace_id, body)
