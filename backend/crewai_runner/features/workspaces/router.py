"""API endpoints of workspaces: all of the server for its administrators, and the caller's own."""

from http import HTTPStatus

from crewai_runner.features.workspaces.deps import (
    Administrator,
    Manager,
    Member,
    Workspaces,
    WorkspacesToRead,
)
from crewai_runner.features.workspaces.errors import TooManyWorkspaces, WorkspaceNameTaken
from crewai_runner.features.workspaces.schemas import WorkspaceAnswer, WorkspaceList, WorkspaceWrite
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.problems import problems

router = PrefixedRouter(prefix="/workspaces", tags=["workspaces"])
own_router = PrefixedRouter(prefix="/workspace", tags=["workspaces"])


@router.get("")
async def list_workspaces(administrator: Administrator, workspaces: WorkspacesToRead) -> WorkspaceList:  # noqa: ARG001  # the right is the point
    """List all workspaces of this server. For administrators; everyone's own are in `GET /me`."""
    return await workspaces.list_all()


@router.post("", status_code=HTTPStatus.CREATED, responses=problems(WorkspaceNameTaken, TooManyWorkspaces))
async def create_workspace(
    body: WorkspaceWrite, administrator: Administrator, workspaces: Workspaces
) -> WorkspaceAnswer:
    """Create a workspace. A person who creates it becomes its owner.

    Created with the server's key it is empty of people: create an API key or the first owner with
    `crewai-runner user create --workspace`.
    """
    return await workspaces.create(administrator, body.name)


@own_router.get("")
async def get_workspace(member: Member, workspaces: WorkspacesToRead) -> WorkspaceAnswer:
    """Return the workspace that the caller is in."""
    return await workspaces.get(member.workspace_id)


@own_router.patch("", responses=problems(WorkspaceNameTaken))
async def rename_workspace(body: WorkspaceWrite, manager: Manager, workspaces: Workspaces) -> WorkspaceAnswer:
    """Rename the workspace that the caller is in."""
    return await workspaces.rename(manager.workspace_id, body.name)
