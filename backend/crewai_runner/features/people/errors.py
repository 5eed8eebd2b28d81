"""Errors of people, invitations and signing in."""

from http import HTTPStatus

from crewai_runner.core.errors import (
    AppError,
    Conflict,
    Forbidden,
    Gone,
    NotFound,
    Unauthenticated,
)


class PersonNotFound(NotFound):
    slug = "person-not-found"
    title = "Person not found"

    def __init__(self, person_id: str) -> None:
        super().__init__(f"Person {person_id!r} does not exist, or is not in this workspace.")


class EmailTaken(Conflict):
    slug = "email-taken"
    title = "The e-mail address is taken"

    def __init__(self) -> None:
        super().__init__("Someone with this e-mail address exists already.")


class AlreadyMember(Conflict):
    slug = "already-member"
    title = "Already in the workspace"

    def __init__(self) -> None:
        super().__init__(
            "Someone with this e-mail address is in the workspace already. Change their role instead."
        )


class LastOwner(Conflict):
    slug = "last-owner"
    title = "The last owner"

    def __init__(self) -> None:
        super().__init__("This is the last owner of the workspace. Make someone else an owner first.")


class ManagedByIssuer(Conflict):
    """Otherwise an owner could grant more than the groups do, until they are read again."""

    slug = "managed-by-issuer"
    title = "Groups decide about this person"

    def __init__(self, issuer: str) -> None:
        super().__init__(
            f"The groups of this person at {issuer} decide about the role. Change the groups there; an "
            "administrator can disable the account here."
        )


class InvitationNotFound(NotFound):
    slug = "invitation-not-found"
    title = "Invitation not found"

    def __init__(self, link_id: str) -> None:
        super().__init__(
            f"Invitation {link_id!r} does not exist. It may have been accepted, or have expired."
        )


class LinkInvalid(Gone):
    """One error for unknown, used and expired links, so that nothing is learnt by guessing."""

    slug = "link-invalid"
    title = "The link is not valid"

    def __init__(self) -> None:
        super().__init__("This link has been used, has expired, or never existed. Ask for a new one.")


class TooManyInvitations(Conflict):
    slug = "too-many-invitations"
    title = "Too many open invitations"

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} invitations are open already. Revoke some first.")


class ResetNotAllowed(Forbidden):
    slug = "reset-not-allowed"
    title = "Only an administrator may do this"

    def __init__(self) -> None:
        super().__init__(
            "This person is an administrator, or belongs to other workspaces too. Only an administrator of "
            "this server may reset their password."
        )


class SignInFailed(Unauthenticated):
    """One error for unknown people, wrong passwords and disabled accounts."""

    slug = "sign-in-failed"
    title = "Sign-in failed"

    def __init__(self) -> None:
        super().__init__("The e-mail address or the password is wrong.")


class SignInNeeded(Conflict):
    slug = "sign-in-needed"
    title = "Sign in first"

    def __init__(self) -> None:
        super().__init__(
            "There is an account with the e-mail address of this invitation. Sign in with it, then open the "
            "link again."
        )


class CodeNeeded(Unauthenticated):
    slug = "code-needed"
    title = "A code is needed"

    def __init__(self) -> None:
        super().__init__("Enter the code from your authenticator app, or a recovery code.")


class CodeWrong(Unauthenticated):
    slug = "code-wrong"
    title = "The code is wrong"

    def __init__(self) -> None:
        super().__init__("This code is wrong or was used already. Wait for the next one.")


class NoWorkspace(Forbidden):
    slug = "no-workspace"
    title = "No workspace"

    def __init__(self) -> None:
        super().__init__("You are in no workspace of this server. Ask an owner to invite you.")


class SessionNotFound(NotFound):
    slug = "session-not-found"
    title = "Session not found"

    def __init__(self, session_id: str) -> None:
        super().__init__(f"Session {session_id!r} does not exist. It may have ended.")


class PasswordWrong(AppError):
    """403, not 401: the request itself is authenticated."""

    status = HTTPStatus.FORBIDDEN
    slug = "password-wrong"
    title = "The password is wrong"

    def __init__(self) -> None:
        super().__init__("Your current password is wrong.")


class TotpState(Conflict):
    slug = "totp-state"
    title = "Not possible in this state of the second factor"


class WorkspaceNotYours(NotFound):
    slug = "workspace-not-found"
    title = "Workspace not found"

    def __init__(self, workspace_id: str) -> None:
        super().__init__(f"Workspace {workspace_id!r} does not exist, or you are not in it.")
