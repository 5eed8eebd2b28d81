"""HTTP APIs of workspaces, whose operations are tools."""

from typing import Any

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crewai_runner.db.base import AuditedColumns, NamedRow


class HttpApiRow(NamedRow):
    """`name` is the slug, which names the API's tools in workflows."""

    __tablename__ = "http_apis"
    audited = AuditedColumns("api", ("name", "title", "base_url", "connection_id", "operation_ids"))
    __table_args__ = (UniqueConstraint("workspace_id", "name"),)

    title: Mapped[str] = mapped_column(String(200))
    document_version: Mapped[str] = mapped_column(String(50), default="")
    base_url: Mapped[str | None] = mapped_column(String(2000))
    """None: the address of the connection."""
    connection_id: Mapped[str | None] = mapped_column(String(64))
    """Not a foreign key: without its connection an API cannot be called, and says so."""
    operation_ids: Mapped[list[Any]] = mapped_column()
    operations: Mapped[list[Any]] = mapped_column()
    """The chosen ones, as the document described them."""
    result_paths: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """JSONPaths by the id of the operation."""
