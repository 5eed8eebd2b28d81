"""Sessions of browsers that have signed in to the dashboard."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from crewai_runner.core.clock import now
from crewai_runner.db.base import AuditedColumns, Base, Id


class BrowserSessionRow(Base):
    """One signed-in browser. The session's token is in the browser's cookie only; the row has its hash.

    `subject` is a person, an API key, or the server's own key. `key_proof` is an HMAC of the server's API key
    under that token: a session that was started with that key ends when the key changes.
    """

    __tablename__ = "browser_sessions"
    audited = AuditedColumns("session")
    __table_args__ = (
        Index("ix_browser_sessions_id", "id", unique=True),
        Index("ix_browser_sessions_subject", "subject"),
    )

    # Names the session in lists, where its token must not occur.
    id: Mapped[str] = mapped_column(Id)
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    subject: Mapped[str] = mapped_column(String(200))
    key_proof: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    last_used_at: Mapped[datetime | None]
    address: Mapped[str] = mapped_column(String(64), default="")
    user_agent: Mapped[str] = mapped_column(String(300), default="")


class ExternalSessionRow(Base):
    """The sign-in at an OpenID Connect issuer that a browser session began with.

    `sid` is the issuer's name of its own session. The refresh token re-reads the person's groups; the process
    that uses it sets `claimed_until`, because most refresh tokens work once. `checked_at` is when that
    happened last.
    """

    __tablename__ = "external_sessions"
    __table_args__ = (Index("ix_external_sessions_identity", "issuer", "subject"),)

    token_hash: Mapped[str] = mapped_column(
        ForeignKey("browser_sessions.token_hash", ondelete="CASCADE"), primary_key=True
    )
    issuer: Mapped[str] = mapped_column(String(300))
    subject: Mapped[str] = mapped_column(String(255))
    sid: Mapped[str | None] = mapped_column(String(255))
    sealed_refresh_token: Mapped[str | None] = mapped_column(Text)
    sealed_id_token: Mapped[str | None] = mapped_column(Text)
    checked_at: Mapped[datetime]
    claimed_until: Mapped[datetime | None]
