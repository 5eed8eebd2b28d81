"""People, the workspaces they belong to, and how they sign in."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from crewai_runner.core.clock import now
from crewai_runner.db.base import AuditedColumns, Base, Id, ShowsSubject


class PersonRow(Base):
    """Someone who can sign in.

    `email` is in lower case; None once the person has been removed: the row stays, with a pseudonym as its
    name, because runs and audit entries refer to it.
    """

    __tablename__ = "people"
    audited = AuditedColumns(
        "person",
        ("is_administrator", "disabled_at", "totp_confirmed_at"),
        ("password_hash", "sealed_totp_secret"),
        {
            "password_hash": "password",
            "sealed_totp_secret": "second_factor",
            "totp_confirmed_at": "second_factor_since",
        },
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    email: Mapped[str | None] = mapped_column(String(320), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    password_hash: Mapped[str | None] = mapped_column(String(300))
    is_administrator: Mapped[bool] = mapped_column(default=False)
    sealed_totp_secret: Mapped[str | None] = mapped_column(Text)
    totp_confirmed_at: Mapped[datetime | None]
    # The number of the last accepted 30-second step: a code is accepted once.
    totp_last_step: Mapped[int] = mapped_column(default=0)
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_sign_in_at: Mapped[datetime | None]


class MembershipRow(Base):
    """A person's role in a workspace.

    `managed_by` is the issuer whose groups decide about it; None if an owner does.
    """

    __tablename__ = "memberships"
    audited = AuditedColumns("membership", ("workspace_id", "person_id", "role"))
    __table_args__ = (Index("ix_memberships_person", "person_id"),)

    workspace_id: Mapped[str] = mapped_column(
        ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True
    )
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(String(20))
    managed_by: Mapped[str | None] = mapped_column(String(300))
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(default=now)


class RecoveryCodeRow(Base):
    """The hash of a code that replaces one TOTP code; the row is deleted when the code is used."""

    __tablename__ = "recovery_codes"

    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)


class ExternalIdentityRow(Base):
    """A person's account at an OpenID Connect issuer.

    `label` is what the issuer calls the account, to recognise it by. `checked_at` is when its groups were
    read; the memberships that they give count for a limited time after it.
    """

    __tablename__ = "external_identities"
    __table_args__ = (Index("ix_external_identities_person", "person_id"),)

    issuer: Mapped[str] = mapped_column(String(300), primary_key=True)
    subject: Mapped[str] = mapped_column(String(255), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    label: Mapped[str] = mapped_column(String(320), default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    checked_at: Mapped[datetime | None]


class OneTimeLinkRow(ShowsSubject, Base):
    """An invitation or a password reset. The row has the token's hash only; it is deleted when it is used."""

    __tablename__ = "one_time_links"
    audited = AuditedColumns("invitation", ("purpose", "role", "expires_at"))
    __table_args__ = (
        Index("ix_one_time_links_workspace", "workspace_id"),
        Index("ix_one_time_links_person", "person_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    purpose: Mapped[str] = mapped_column(String(20))
    email: Mapped[str] = mapped_column(String(320))
    # For invitations.
    workspace_id: Mapped[str | None] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    role: Mapped[str | None] = mapped_column(String(20))
    # For password resets.
    person_id: Mapped[str | None] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime] = mapped_column(index=True)
