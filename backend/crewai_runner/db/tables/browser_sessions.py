"""Sessions of browsers that have signed in to the dashboard."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from crewai_runner.core.clock import now
from crewai_runner.db.base import Base, Id


class BrowserSessionRow(Base):
    """One signed-in browser. The session's token is in the browser's cookie only; the row has its hash.

    `subject` is a person, an API key, or the server's own key. `key_proof` is an HMAC of the server's API key
    under that token: a session that was started with that key ends when the key changes.
    """

    __tablename__ = "browser_sessions"
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
