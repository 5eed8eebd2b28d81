"""API keys of workspaces, in addition to the server's own key."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from crewai_runner.core.clock import now
from crewai_runner.db.base import AuditedColumns, Base, Id, ShowsSubject


class ApiKeyRow(ShowsSubject, Base):
    """A key of a service account (`person_id` is None) or of a person, whose rights then limit the key's.

    The row has the key's hash only; `hint` is its beginning, to recognise it by.
    """

    __tablename__ = "api_keys"
    audited = AuditedColumns("api-key", ("person_id", "scopes", "expires_at", "revoked_at"))
    __table_args__ = (
        Index("ix_api_keys_workspace", "workspace_id", "id"),
        Index("ix_api_keys_person", "person_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    person_id: Mapped[str | None] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    hint: Mapped[str] = mapped_column(String(20))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[Any]]
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
