"""API schemas of identities, and of signing in at an issuer."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, SecretStr

from crewai_runner.core.api_model import ApiModel
from crewai_runner.features.auth.schemas import StartedSession

IssuerId = Annotated[str, Field(max_length=32, description="`id` of an issuer of `GET /sign-in/options`.")]


class IssuerChoice(ApiModel):
    issuer: IssuerId


class IssuerSignIn(IssuerChoice):
    next: str = Field("/", max_length=2000, description="The page of the dashboard to open afterwards.")


class IssuerRedirect(ApiModel):
    url: str = Field(description="Where the browser continues: at the issuer.")


class IssuerAnswer(ApiModel):
    """What the issuer added to the address to which it sent the browser back."""

    issuer: IssuerId
    code: SecretStr = Field(min_length=1, max_length=10_000)
    state: str = Field(min_length=1, max_length=200)
    iss: str | None = Field(None, max_length=2000)


class FinishedSignIn(ApiModel):
    session: StartedSession | None = Field(
        description="The new session; null if an identity was connected with the account that is signed in."
    )
    next: str = Field(description="The page of the dashboard to open.")


class SignedOut(ApiModel):
    url: str | None = Field(
        description="Where the browser ends its session at the issuer too; null if nowhere."
    )


class IdentityRead(ApiModel):
    """An account at an issuer with which the caller signs in."""

    id: str
    issuer_id: str | None = Field(description="Null if this server no longer has the issuer.")
    issuer_name: str
    label: str = Field(description="What the issuer calls the account.")
    created_at: datetime


class IdentityList(ApiModel):
    identities: list[IdentityRead]
