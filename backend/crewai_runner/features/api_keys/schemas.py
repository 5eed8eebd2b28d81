"""API schemas of API keys."""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, Field, model_validator

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.principal import Scope
from crewai_runner.core.roles import ROLE_SCOPES, WorkspaceRole
from crewai_runner.core.text import Name

Scopes = Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))]


class ApiKeyCreate(ApiModel):
    """A new key: with the scopes of a `role`, or with single `scopes`."""

    name: Name = Field(description="What uses the key, such as `nightly build`.")
    role: WorkspaceRole | None = Field(None, description="The key gets the scopes this role has now.")
    scopes: Scopes | None = Field(None, description="Instead of a role.")
    expires_at: AwareDatetime | None = Field(None, description="null: the key is valid until it is revoked.")

    @model_validator(mode="after")
    def _check_rights(self) -> "ApiKeyCreate":
        if (self.role is None) == (self.scopes is None):
            raise ValueError("give either `role` or `scopes`")
        if self.scopes is not None and Scope.INSTANCE_ADMIN in self.scopes:
            raise ValueError(
                f"`{Scope.INSTANCE_ADMIN}` belongs to administrators, and cannot be given to a key"
            )
        return self

    def get_scopes(self) -> frozenset[Scope]:
        return ROLE_SCOPES[self.role] if self.role is not None else frozenset(self.scopes or ())


class ApiKeyRead(ApiModel):
    """A stored key; the key itself is not stored."""

    id: str
    name: str
    hint: str = Field(description="The beginning of the key, to recognise it by.")
    person_id: str | None = Field(description="Whose key it is; null for a key of the workspace.")
    scopes: list[Scope]
    created_by: str
    created_by_name: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None = Field(description="Exact to a minute.")


class CreatedApiKey(ApiModel):
    api_key: ApiKeyRead
    token: str = Field(description="The key. It is shown this once and cannot be read again.")


class ApiKeyList(ApiModel):
    api_keys: list[ApiKeyRead]
    next_cursor: str | None
