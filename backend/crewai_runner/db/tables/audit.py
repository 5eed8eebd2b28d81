"""The audit log, the heads of its hash chains, and how far it has been sent elsewhere.

Rows have no foreign keys: they outlive what they are about.
"""

from datetime import datetime

from sqlalchemy import Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from crewai_runner.db.base import Base, Id


class AuditRow(Base):
    """One change or refused attempt.

    A row is stored unsealed, in the transaction of the change; `seq` and the hashes follow within seconds and
    are then never changed. Names and e-mail addresses of people are not stored, only their ids.
    """

    __tablename__ = "audit_log"
    __table_args__ = (
        Index("uq_audit_log_seq", "chain", "seq", unique=True),
        Index("ix_audit_log_newest", "chain", "id"),
        Index("ix_audit_log_kind", "chain", "actor_kind", "id"),
        Index("ix_audit_log_actor", "chain", "actor_id", "id"),
        Index("ix_audit_log_person", "chain", "person_id", "id"),
        Index("ix_audit_log_target", "chain", "target_id", "id"),
        Index("ix_audit_log_operation", "chain", "operation", "id"),
        Index(
            "ix_audit_log_refused",
            "chain",
            "id",
            sqlite_where=text("result = 'refused'"),
            postgresql_where=text("result = 'refused'"),
        ),
        Index(
            "ix_audit_log_unsealed",
            "chain",
            "id",
            sqlite_where=text("seq IS NULL"),
            postgresql_where=text("seq IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    chain: Mapped[str] = mapped_column(Id)
    """The workspace, or `INSTANCE_CHAIN`."""
    at: Mapped[datetime]
    actor_kind: Mapped[str] = mapped_column(String(20))
    actor_id: Mapped[str | None] = mapped_column(String(200))
    person_id: Mapped[str | None] = mapped_column(Id)
    address: Mapped[str] = mapped_column(String(64))
    operation: Mapped[str] = mapped_column(String(100))
    target_kind: Mapped[str | None] = mapped_column(String(40))
    target_id: Mapped[str | None] = mapped_column(String(200))
    result: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(80))
    count: Mapped[int]
    request_id: Mapped[str] = mapped_column(String(128))
    changes: Mapped[str] = mapped_column(Text)
    """Canonical JSON as text: a JSON column would not return it as it was hashed."""
    seq: Mapped[int | None]
    previous_hash: Mapped[str | None] = mapped_column(String(64))
    hash: Mapped[str | None] = mapped_column(String(64))


class AuditChainRow(Base):
    """The ends of a hash chain. `pruned_seq` and `pruned_hash` are those of the last row that was deleted.

    `sealed_state` holds all four, encrypted: who can write to the database only cannot forge it.
    """

    __tablename__ = "audit_chains"

    chain: Mapped[str] = mapped_column(Id, primary_key=True)
    last_seq: Mapped[int] = mapped_column(default=0)
    last_hash: Mapped[str] = mapped_column(String(64))
    pruned_seq: Mapped[int] = mapped_column(default=0)
    pruned_hash: Mapped[str] = mapped_column(String(64))
    sealed_state: Mapped[str] = mapped_column(Text)


class AuditDeliveryRow(Base):
    """How far a chain has been sent to a receiver: a webhook or syslog."""

    __tablename__ = "audit_deliveries"

    receiver: Mapped[str] = mapped_column(String(16), primary_key=True)
    chain: Mapped[str] = mapped_column(Id, primary_key=True)
    seq: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None]
    """Nothing is sent before: another process sends, or the last attempt failed."""
