"""Files that the agents of a workflow may search, in pieces with their embeddings, and what they remember."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crewai_runner.core.clock import now
from crewai_runner.db.base import AuditedColumns, Base, Id, ShowsSubject


class KnowledgeFileRow(ShowsSubject, Base):
    """A file of a workflow. Its chunks are made when it is embedded."""

    __tablename__ = "knowledge_files"
    audited = AuditedColumns("knowledge_file", ("name", "size", "sha256"))
    __table_args__ = (
        UniqueConstraint("workflow_id", "name"),
        UniqueConstraint("workflow_id", "sha256"),
        Index("ix_knowledge_files_workspace", "workspace_id", "id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    workflow_id: Mapped[str] = mapped_column(ForeignKey("workflows.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column()
    sha256: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    error: Mapped[str | None] = mapped_column(Text)
    embedder: Mapped[str | None] = mapped_column(String(600))
    """Identifies the model of the embeddings; None before there are any."""
    embedding_number: Mapped[int] = mapped_column(default=1)
    """Counts how often the file was queued; a job with an older number does nothing."""
    characters: Mapped[int] = mapped_column(default=0)
    chunk_count: Mapped[int] = mapped_column(default=0)
    embedded_count: Mapped[int] = mapped_column(default=0)
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)
    # The last column: SQLite reads a row up to the columns that a query needs.
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)


class KnowledgeChunkRow(Base):
    """A piece of a file's text; `vector` holds 32-bit floats and is None until it is embedded."""

    __tablename__ = "knowledge_chunks"

    file_id: Mapped[str] = mapped_column(
        ForeignKey("knowledge_files.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    vector: Mapped[bytes | None] = mapped_column(LargeBinary)


class MemoryRow(Base):
    """Something that the crew of a workflow remembers from run to run."""

    __tablename__ = "memories"
    audited = AuditedColumns("memory", ("scope",))
    __table_args__ = (Index("ix_memories_newest", "workflow_id", "created_at"),)

    workflow_id: Mapped[str] = mapped_column(ForeignKey("workflows.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    run_id: Mapped[str | None] = mapped_column(Id)
    """The run that saved it last."""
    content: Mapped[str] = mapped_column(Text)
    scope: Mapped[str] = mapped_column(String(500))
    categories: Mapped[list[Any]] = mapped_column(default=list)
    extra: Mapped[dict[str, Any]] = mapped_column("metadata", default=dict)
    importance: Mapped[float] = mapped_column(default=0.5)
    source: Mapped[str | None] = mapped_column(Text)
    private: Mapped[bool] = mapped_column(default=False)
    embedder: Mapped[str] = mapped_column(String(600))
    created_at: Mapped[datetime] = mapped_column(default=now)
    accessed_at: Mapped[datetime] = mapped_column(default=now)
    vector: Mapped[bytes | None] = mapped_column(LargeBinary)
