"""Saved workflows and their immutable versions."""

from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column

from crewai_runner.core.clock import now
from crewai_runner.db.base import AuditedColumns, Base, Id, ShowsSubject
from crewai_runner.domain.workflow import WorkflowDefinition


def _default_slug(context: DefaultExecutionContext) -> str:
    slug: str = context.get_current_parameters()["id"]  # type: ignore[no-untyped-call]
    return slug


class WorkflowRow(Base):
    __tablename__ = "workflows"
    audited = AuditedColumns("workflow", ("name", "newest_version"))
    __table_args__ = (
        UniqueConstraint("workspace_id", "name"),
        Index("ix_workflows_slug", "workspace_id", "slug", unique=True),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    name: Mapped[str] = mapped_column(String(200))
    slug: Mapped[str] = mapped_column(String(80), default=_default_slug, server_default="")
    """The name in addresses: from the first name of the workflow, and never changed."""
    description: Mapped[str | None] = mapped_column(Text)
    newest_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)
    version: Mapped[int] = mapped_column(default=1)


class WorkflowVersionRow(ShowsSubject, Base):
    """One immutable version: the document as written, and its parsed definition."""

    __tablename__ = "workflow_versions"

    workflow_id: Mapped[str] = mapped_column(ForeignKey("workflows.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    yaml: Mapped[str] = mapped_column(Text)
    definition: Mapped[dict[str, Any]] = mapped_column()
    note: Mapped[str | None] = mapped_column(String(500))
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(default=now)

    @cached_property
    def parsed_definition(self) -> WorkflowDefinition:
        """`definition` as an object, parsed once per loaded row."""
        return WorkflowDefinition.model_validate(self.definition)
