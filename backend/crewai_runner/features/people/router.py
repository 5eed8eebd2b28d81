"""API endpoints of the people in a workspace, and of invitations to it."""

from http import HTTPStatus

from crewai_runner.core.errors import BadRequest
from crewai_runner.features.auth.errors import MoreThanOwnRights
from crewai_runner.features.people.deps import (
    Members,
    MembersOfAdministrator,
    MembersToRead,
    PrivacyOfAdministrator,
)
from crewai_runner.features.people.errors import (
    AlreadyMember,
    EmailTaken,
    InvitationNotFound,
    LastOwner,
    ManagedByIssuer,
    PersonNotFound,
    ResetNotAllowed,
    TooManyInvitations,
)
from crewai_runner.features.people.privacy_schemas import PersonalData, RemovedPerson
from crewai_runner.features.people.schemas import (
    CreatedInvitation,
    CreatedLink,
    InvitationCreate,
    InvitationList,
    PersonAnswer,
    PersonCreate,
    PersonList,
    PersonUpdate,
)
from crewai_runner.http.deps import LIMIT, Cursor, Limit
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.problems import problems

router = PrefixedRouter(prefix="/people", tags=["people"])
invitations = PrefixedRouter(prefix="/invitations", tags=["people"])


@router.get("", responses=problems(BadRequest))
async def list_people(members: MembersToRead, limit: Limit = LIMIT, cursor: Cursor = None) -> PersonList:
    """List the people of the workspace with their roles."""
    return await members.list_page(limit, cursor)


@router.post("", status_code=HTTPStatus.CREATED, responses=problems(EmailTaken, MoreThanOwnRights))
async def create_person(body: PersonCreate, members: MembersOfAdministrator) -> PersonAnswer:
    """Create a person with a password, and add them to this workspace.

    For the administrator, who so creates the first person of a server; owners invite people instead.
    """
    return await members.create(body)


@router.patch(
    "/{person_id}", responses=problems(PersonNotFound, LastOwner, ManagedByIssuer, MoreThanOwnRights)
)
async def change_role(person_id: str, body: PersonUpdate, members: Members) -> PersonAnswer:
    """Change someone's role in the workspace. It counts at once, in open streams within seconds.

    Someone who gets more rights signs in again: their browser sessions in this workspace end.
    """
    return await members.change_role(person_id, body.role)


@router.delete(
    "/{person_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(PersonNotFound, LastOwner, ManagedByIssuer),
)
async def remove_person(person_id: str, members: Members) -> None:
    """Remove someone from the workspace, with their sessions and API keys in it.

    Their account and their other workspaces stay, as do their runs.
    """
    await members.remove(person_id)


@router.get("/{person_id}/export", responses=problems(PersonNotFound))
async def export_person(person_id: str, privacy: PrivacyOfAdministrator) -> PersonalData:
    """Export what this server stores about anyone on it. For administrators; others export their own."""
    return await privacy(person_id).export()


@router.delete("/{person_id}/account", responses=problems(PersonNotFound, LastOwner))
async def remove_account(person_id: str, privacy: PrivacyOfAdministrator) -> RemovedPerson:
    """Remove anyone on this server for good. For administrators.

    Sessions, keys, links, second factor and accounts at other issuers go. What they did stays, under the
    pseudonym of the answer.
    """
    return await privacy(person_id).remove()


@router.delete("/{person_id}/sessions", status_code=HTTPStatus.NO_CONTENT, responses=problems(PersonNotFound))
async def end_sessions_of_person(person_id: str, members: Members) -> None:
    """Sign someone out of this workspace in all browsers."""
    await members.end_sessions(person_id)


@router.post(
    "/{person_id}/password-reset",
    status_code=HTTPStatus.CREATED,
    responses=problems(PersonNotFound, ResetNotAllowed, MoreThanOwnRights),
)
async def create_password_reset(person_id: str, members: Members) -> CreatedLink:
    """Create a link with which someone chooses a new password. It works once, for 24 hours.

    Earlier links of that person become invalid. Pass it on yourself: whoever has it can sign in as them.
    """
    return await members.create_reset(person_id)


@invitations.get("")
async def list_invitations(members: MembersToRead) -> InvitationList:
    """List the open invitations to the workspace, newest first."""
    return await members.list_invitations()


@invitations.post(
    "",
    status_code=HTTPStatus.CREATED,
    responses=problems(AlreadyMember, TooManyInvitations, MoreThanOwnRights),
)
async def invite_person(body: InvitationCreate, members: Members) -> CreatedInvitation:
    """Create an invitation: a link for one person, which works once, for seven days.

    Pass it on yourself. An earlier invitation of the same person to this workspace becomes invalid.
    """
    return await members.invite(body)


@invitations.delete(
    "/{invitation_id}", status_code=HTTPStatus.NO_CONTENT, responses=problems(InvitationNotFound)
)
async def revoke_invitation(invitation_id: str, members: Members) -> None:
    """Make an open invitation invalid."""
    await members.revoke_invitation(invitation_id)
