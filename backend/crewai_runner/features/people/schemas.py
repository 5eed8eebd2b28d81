"""API schemas of people, invitations, sessions and signing in."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, EmailStr, Field, SecretStr, StringConstraints

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.principal import Scope
from crewai_runner.core.roles import WorkspaceRole
from crewai_runner.core.text import Name
from crewai_runner.features.people.passwords import MAX_LENGTH, MIN_LENGTH

Email = Annotated[EmailStr, AfterValidator(lambda email: email.lower()), Field(max_length=320)]
Password = Annotated[SecretStr, Field(max_length=MAX_LENGTH, description="The person's password.")]
NewPassword = Annotated[
    SecretStr,
    Field(
        min_length=MIN_LENGTH,
        max_length=MAX_LENGTH,
        description=f"At least {MIN_LENGTH} characters; a few random words are a good password.",
    ),
]
Code = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=6, max_length=30, pattern=r"^[0-9A-Za-z -]+$")
]
LinkToken = Annotated[SecretStr, Field(min_length=20, max_length=200)]


class PersonRead(ApiModel):
    """Someone in this workspace."""

    id: str
    name: str
    email: str | None
    role: WorkspaceRole
    is_administrator: bool = Field(description="Whether the person administers this whole server.")
    has_password: bool
    has_second_factor: bool
    issuers: list[str] = Field(description="The names of the issuers at which the person signs in.")
    managed_by: str | None = Field(
        description="The name of the issuer whose groups decide about the role; null if owners do."
    )
    is_disabled: bool
    created_at: datetime
    last_sign_in_at: datetime | None


class PersonAnswer(ApiModel):
    person: PersonRead


class PersonList(ApiModel):
    people: list[PersonRead]
    next_cursor: str | None


class PersonCreate(ApiModel):
    name: Name
    email: Email
    password: NewPassword
    role: WorkspaceRole = WorkspaceRole.VIEWER
    is_administrator: bool = False


class PersonUpdate(ApiModel):
    role: WorkspaceRole


class InvitationCreate(ApiModel):
    email: Email
    role: WorkspaceRole = WorkspaceRole.VIEWER


class InvitationRead(ApiModel):
    id: str
    email: str
    role: WorkspaceRole
    created_by: str
    created_by_name: str
    created_at: datetime
    expires_at: datetime


class CreatedLink(ApiModel):
    """A link for one use. It is shown this once and cannot be read again."""

    path: str = Field(description="The path of the link on this server; the token is in its fragment.")
    expires_at: datetime


class CreatedInvitation(ApiModel):
    invitation: InvitationRead
    link: CreatedLink


class InvitationList(ApiModel):
    invitations: list[InvitationRead]


class InvitationAccept(ApiModel):
    """Accepts an invitation by creating an account."""

    token: LinkToken
    name: Name
    password: NewPassword


class InvitationToken(ApiModel):
    """Accepts an invitation with the account that is signed in."""

    token: LinkToken


class PasswordReset(ApiModel):
    token: LinkToken
    password: NewPassword


class SignInIssuer(ApiModel):
    """An OpenID Connect issuer at which one can sign in."""

    id: str
    name: str


class SignInOptions(ApiModel):
    """How one can sign in to this server."""

    password: bool = Field(description="Whether there are people who sign in with a password.")
    issuers: list[SignInIssuer]


class SignIn(ApiModel):
    email: Email
    password: Password
    code: Code | None = Field(None, description="From the authenticator app, or a recovery code.")
    remember: bool = Field(
        default=False,
        description="Keep the session for 30 days. Otherwise it ends with the browser, after 7 days at most.",
    )


class WorkspaceChoice(ApiModel):
    workspace_id: str


class WorkspaceSummary(ApiModel):
    id: str
    name: str
    role: WorkspaceRole | None = Field(description="The caller's role; null for the administrator's key.")


class Me(ApiModel):
    """Who is calling, and what they may do."""

    subject: str
    person_id: str | None
    name: str
    email: str | None
    workspace: WorkspaceSummary
    workspaces: list[WorkspaceSummary] = Field(description="All workspaces that the caller can switch to.")
    scopes: list[Scope]
    is_administrator: bool
    has_password: bool
    has_second_factor: bool
    is_shared: bool = Field(description="Whether the workspace has people or stored keys.")


class SessionRead(ApiModel):
    """A browser that is signed in."""

    id: str
    is_current: bool
    address: str
    user_agent: str
    created_at: datetime
    last_used_at: datetime | None = Field(description="Exact to five minutes.")
    expires_at: datetime


class SessionList(ApiModel):
    sessions: list[SessionRead]


class PasswordChange(ApiModel):
    current_password: Password
    password: NewPassword


class SecondFactorStart(ApiModel):
    secret: str = Field(description="Base32, to type into an authenticator app.")
    uri: str = Field(description="`otpauth://…`, to show as a QR code.")


class SecondFactorConfirm(ApiModel):
    code: Code


class SecondFactorConfirmed(ApiModel):
    recovery_codes: list[str] = Field(description="Each replaces one code. They are shown this once.")


class PasswordOnly(ApiModel):
    password: Password
