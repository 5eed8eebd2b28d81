"""Triggers, which start runs for incoming webhooks, and what they received."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crewai_runner.core.clock import now
from crewai_runner.db.base import AuditedColumns, Base, Id, NamedRow


class TriggerRow(NamedRow):
    """What it starts is a workflow or a project; one of the ids is None."""

    __tablename__ = "triggers"
    audited = AuditedColumns(
        "trigger",
        ("name", "workflow_id", "project_id", "signature", "inputs", "is_enabled"),
        ("sealed_secret", "path"),
        {"sealed_secret": "secret"},
    )
    __table_args__ = (UniqueConstraint("workspace_id", "name"),)

    workflow_id: Mapped[str | None] = mapped_column(Id)
    project_id: Mapped[str | None] = mapped_column(Id)
    signature: Mapped[str] = mapped_column(String(32))
    sealed_secret: Mapped[str] = mapped_column(Text)
    path: Mapped[str] = mapped_column(String(64), unique=True)
    """The last part of the address: random, and useless without the secret."""
    inputs: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """JSON pointers into the body by name of the input."""
    is_enabled: Mapped[bool] = mapped_column(default=True)


class TriggerDeliveryRow(Base):
    """One authentic delivery. A repeated one has the same key, and no row of its own."""

    __tablename__ = "trigger_deliveries"
    __table_args__ = (
        UniqueConstraint("trigger_id", "delivery_key"),
        Index("ix_trigger_deliveries_newest", "trigger_id", "id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    workspace_id: Mapped[str] = mapped_column(Id)
    trigger_id: Mapped[str] = mapped_column(ForeignKey("triggers.id", ondelete="CASCADE"))
    delivery_key: Mapped[str] = mapped_column(String(64))
    """A digest of what identifies it for its sender."""
    received_at: Mapped[datetime] = mapped_column(default=now)
    size: Mapped[int] = mapped_column()
    """Bytes of the body."""
    body: Mapped[str | None] = mapped_column(Text)
    """JSON, with secrets masked; None for older deliveries. Headers are never stored."""
    run_id: Mapped[str | None] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), index=True)
    """The body is what the run was given, so it is deleted with the run."""
    error: Mapped[str | None] = mapped_column(String(500))
    """Why no run was started; the sender may then send it again."""
    replay_of: Mapped[str | None] = mapped_column(Id)
