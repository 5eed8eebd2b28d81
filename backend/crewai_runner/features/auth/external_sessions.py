"""Sign-ins at OpenID Connect issuers, as the sessions and rights of people see them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from crewai_runner.db.tables.browser_sessions import ExternalSessionRow


@dataclass(frozen=True, slots=True)
class ExternalSignIn:
    """A sign-in that a session begins with; its tokens are encrypted."""

    issuer: str
    subject: str
    sid: str | None
    sealed_refresh_token: str | None
    sealed_id_token: str | None
    checked_at: datetime

    @classmethod
    def read(cls, row: ExternalSessionRow) -> "ExternalSignIn":
        return cls(
            row.issuer,
            row.subject,
            row.sid,
            row.sealed_refresh_token,
            row.sealed_id_token,
            row.checked_at,
        )

    def make_row(self, token_hash: str) -> ExternalSessionRow:
        return ExternalSessionRow(
            token_hash=token_hash,
            issuer=self.issuer,
            subject=self.subject,
            sid=self.sid,
            sealed_refresh_token=self.sealed_refresh_token,
            sealed_id_token=self.sealed_id_token,
            checked_at=self.checked_at,
        )


class GroupReader(Protocol):
    """Reads the groups of people at their issuers again."""

    def is_current(self, checked_at: datetime | None) -> bool:
        """Whether rights that were read then still count."""

    async def refresh_session(self, token_hash: str, checked_at: datetime) -> None:
        """Read the groups of a session's person if that is due; wait only if its rights no longer count.

        Ends the session if the issuer has ended its own. Never raises for an issuer that does not answer.
        """

    async def refresh_person(self, issuer: str, person_id: str) -> None:
        """Read someone's groups with a session of theirs, if there is one. Never raises, as above."""


class NoIssuers:
    """For servers and tests without issuers: what an issuer once decided no longer counts."""

    def is_current(self, checked_at: datetime | None) -> bool:  # noqa: ARG002  # however recent
        return False

    async def refresh_session(self, token_hash: str, checked_at: datetime) -> None:
        """There is no issuer to ask."""

    async def refresh_person(self, issuer: str, person_id: str) -> None:
        """There is no issuer to ask."""
