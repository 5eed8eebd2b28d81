"""Where the progress of a run is reported to, as its caller asked."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from crewai_runner.db.base import Base, Id


class RunWebhookRow(Base):
    """The addresses of one run, and how far its events are delivered to them.

    The event log is the outbox: a worker sends the events above `after_seq`, then raises it. The row is
    deleted when the last event of a completed run is delivered.
    """

    __tablename__ = "run_webhooks"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    workspace_id: Mapped[str] = mapped_column(Id)
    sealed_targets: Mapped[str] = mapped_column(Text)
    """Addresses and their tokens as JSON, encrypted: a webhook's address is often its password."""
    after_seq: Mapped[int] = mapped_column(default=0)
    """The number of the last event that is delivered."""
    failures: Mapped[int] = mapped_column(default=0)
    """Failed deliveries of the next event; after the last one, nothing more is sent."""
    next_at: Mapped[datetime | None] = mapped_column()
    """When the next event may be sent: after a failure, or when the claim of a lost worker ends."""
    error: Mapped[str | None] = mapped_column(String(500))
    """Why the last delivery failed, without the address."""
