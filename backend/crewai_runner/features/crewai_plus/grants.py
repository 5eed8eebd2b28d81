"""Tokens that let an execution elsewhere send its spans, and nothing else."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import BaseModel, ValidationError

from crewai_runner.core.clock import now
from crewai_runner.core.encryption import SecretCipher, SecretUnreadable
from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.service import Authenticator

TOKEN_PREFIX = "crt_"  # noqa: S105  # a prefix
SUBJECT_PREFIX = "execution:"
VALID_FOR = timedelta(hours=1)


class _Claims(BaseModel):
    purpose: str
    run_id: str
    workspace_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class TraceGrants:
    """Issues and reads tokens. They are encrypted, so nothing is stored."""

    cipher: SecretCipher

    def issue(self, run_id: str, workspace_id: str, expires_at: datetime) -> str:
        claims = _Claims(purpose="traces", run_id=run_id, workspace_id=workspace_id, expires_at=expires_at)
        return TOKEN_PREFIX + self.cipher.encrypt(claims.model_dump_json())

    def read(self, token: str) -> Principal | None:
        """Return the execution that a token belongs to; None if it is invalid or has expired."""
        try:
            claims = _Claims.model_validate_json(self.cipher.decrypt(token.removeprefix(TOKEN_PREFIX)))
        except (SecretUnreadable, ValidationError):
            return None
        if claims.purpose != "traces" or claims.expires_at <= now():
            return None
        subject = SUBJECT_PREFIX + claims.run_id
        return Principal(subject, claims.workspace_id, frozenset({Scope.TRACES_WRITE}))


@dataclass(frozen=True, slots=True)
class GrantAuthenticator:
    """Accepts the tokens of grants; every other one is checked, and counted if wrong, by `keys`."""

    grants: TraceGrants
    keys: Authenticator

    async def authenticate(self, authorization: str | None, client: str) -> Principal:
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() == "bearer" and token.startswith(TOKEN_PREFIX):
            principal = self.grants.read(token.strip())
            if principal is not None:
                return principal
        return await self.keys.authenticate(authorization, client)


def get_run_id(principal: Principal) -> str | None:
    """Return the run whose spans this caller may send; None if it is no execution."""
    if not principal.subject.startswith(SUBJECT_PREFIX):
        return None
    return principal.subject.removeprefix(SUBJECT_PREFIX)
