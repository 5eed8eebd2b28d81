"""Uploaded projects with their immutable versions, build logs and secrets."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crewai_runner.core.clock import now
from crewai_runner.db.base import AuditedColumns, Base, Id, ShowsSubject


class ProjectRow(Base):
    __tablename__ = "projects"
    audited = AuditedColumns(
        "project", ("name", "description", "newest_version", "entry_point", "model_map", "allowed_hosts")
    )
    __table_args__ = (
        UniqueConstraint("workspace_id", "slug"),
        Index("ix_projects_newest", "workspace_id", "id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    name: Mapped[str] = mapped_column(String(200))
    slug: Mapped[str] = mapped_column(String(100))
    description: Mapped[str | None] = mapped_column(Text)
    newest_version: Mapped[int] = mapped_column(default=1)
    entry_point: Mapped[dict[str, Any] | None] = mapped_column()
    """The chosen `EntryPoint`; None: the first one of the version."""
    model_map: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Names of registered models by the names that the code uses."""
    allowed_hosts: Mapped[list[Any]] = mapped_column(default=list)
    approver: Mapped[str | None] = mapped_column(String(320))
    """The role or the e-mail address that the questions of the code are addressed to."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)
    version: Mapped[int] = mapped_column(default=1)


class ProjectVersionRow(ShowsSubject, Base):
    """One upload. Only what describes its build changes."""

    __tablename__ = "project_versions"
    audited = AuditedColumns("version", ("number", "content_hash", "build_number"))

    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    content_hash: Mapped[str] = mapped_column(String(64))
    files: Mapped[list[Any]] = mapped_column()
    """Path, size and hash of each file, ordered by path."""
    inspection: Mapped[dict[str, Any]] = mapped_column()
    note: Mapped[str | None] = mapped_column(String(500))
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(default=now)
    build_state: Mapped[str] = mapped_column(String(16))
    build_number: Mapped[int] = mapped_column(default=1)
    """Counts the builds of this version; the log belongs to the newest."""
    build_error: Mapped[str | None] = mapped_column(Text)
    build_started_at: Mapped[datetime | None] = mapped_column()
    build_finished_at: Mapped[datetime | None] = mapped_column()
    lock_hash: Mapped[str | None] = mapped_column(String(64))
    """Identifies the environment that was built."""
    archive_size: Mapped[int] = mapped_column()
    # The last column: SQLite reads a row up to the columns that a query needs.
    archive: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)


class ProjectBuildLogRow(Base):
    """A piece of the log of a version's newest build."""

    __tablename__ = "project_build_logs"
    __table_args__ = (
        ForeignKeyConstraint(
            ["project_id", "number"],
            ["project_versions.project_id", "project_versions.number"],
            ondelete="CASCADE",
        ),
    )

    project_id: Mapped[str] = mapped_column(Id, primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(Text)


class ProjectSecretRow(ShowsSubject, Base):
    """An environment variable of a project's runs, encrypted."""

    __tablename__ = "project_secrets"
    audited = AuditedColumns("secret", ("name",), ("sealed_value",), {"sealed_value": "value"})

    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    sealed_value: Mapped[str] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(String(200))
    updated_at: Mapped[datetime] = mapped_column(default=now)
