"""Workspaces, their limits and what counts towards these. Every owned row refers to its workspace."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey, Numeric, String, false
from sqlalchemy.orm import Mapped, mapped_column

from crewai_runner.core.clock import now
from crewai_runner.db.base import AuditedColumns, Base, Id


class WorkspaceRow(Base):
    __tablename__ = "workspaces"
    audited = AuditedColumns("workspace", ("name", "allows_public_links"))

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(default=now)
    allows_public_links: Mapped[bool] = mapped_column(default=False, server_default=false())


class WorkspaceQuotaRow(Base):
    """The limits that were set for a workspace, as `QuotaLimits`. A start locks the row.

    The lower one of each two applies.
    """

    __tablename__ = "workspace_quotas"
    audited = AuditedColumns("quotas", ("by_administrator", "by_owner"))

    workspace_id: Mapped[str] = mapped_column(
        ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True
    )
    by_administrator: Mapped[dict[str, Any]] = mapped_column(default=dict)
    by_owner: Mapped[dict[str, Any]] = mapped_column(default=dict)


class WorkspaceUsageRow(Base):
    """What counts towards the limits of one period: the runs of a day, or the money of a month.

    Rows exist only while a limit is set. Deleting runs leaves them as they are.
    """

    __tablename__ = "workspace_usage"

    workspace_id: Mapped[str] = mapped_column(
        ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True
    )
    period: Mapped[str] = mapped_column(String(10), primary_key=True)
    """`2026-11-30` or `2026-11`."""
    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    """Empty for runs."""
    amount: Mapped[Decimal] = mapped_column(Numeric(30, 10))
