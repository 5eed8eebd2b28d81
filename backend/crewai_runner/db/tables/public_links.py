"""Links with which people without an account read one run."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from crewai_runner.core.clock import now
from crewai_runner.db.base import AuditedColumns, Base, Id


class PublicLinkRow(Base):
    """The row has the token's hash only. Revoking a link deletes it."""

    __tablename__ = "public_links"
    audited = AuditedColumns("public-link", ("shows_inputs", "shows_prompts", "expires_at"))
    __table_args__ = (Index("ix_public_links_run", "run_id", "id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    shows_inputs: Mapped[bool] = mapped_column(default=False)
    shows_prompts: Mapped[bool] = mapped_column(default=False)
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime] = mapped_column(index=True)
