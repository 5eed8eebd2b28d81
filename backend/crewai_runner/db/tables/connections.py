"""Connections of tools to services and hosts."""

from typing import Any

from sqlalchemy import Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crewai_runner.db.base import AuditedColumns, NamedRow


class ConnectionRow(NamedRow):
    __tablename__ = "connections"
    audited = AuditedColumns(
        "connection",
        ("name", "kind", "base_url", "options", "is_default"),
        ("sealed_secret",),
        {"sealed_secret": "secret"},
    )
    __table_args__ = (
        UniqueConstraint("workspace_id", "name"),
        Index(
            "uq_connections_one_default_a_purpose",
            "workspace_id",
            "purpose",
            unique=True,
            sqlite_where=text("is_default"),
            postgresql_where=text("is_default"),
        ),
    )

    kind: Mapped[str] = mapped_column(String(32))
    purpose: Mapped[str] = mapped_column(String(16))
    """Derived from the kind, for the index."""
    base_url: Mapped[str | None] = mapped_column(String(2000))
    sealed_secret: Mapped[str | None] = mapped_column(Text)
    secret_hint: Mapped[str | None] = mapped_column(String(16))
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    is_default: Mapped[bool] = mapped_column(default=False)
