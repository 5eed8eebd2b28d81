"""Sessions of browsers that have signed in to the dashboard."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from crewai_runner.core.clock import now
from crewai_runner.db.base import Base


class BrowserSessionRow(Base):
    """One signed-in browser. The session's token is in the browser's cookie only; the row has its hash.

    `key_proof` is an HMAC of the API key under that token: the session ends when the API key changes.
    """

    __tablename__ = "browser_sessions"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    subject: Mapped[str] = mapped_column(String(200))
    key_proof: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime] = mapped_column(index=True)
