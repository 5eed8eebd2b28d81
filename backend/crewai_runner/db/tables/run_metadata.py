"""The metadata of runs by key and value, for filters. Triggers keep it."""

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from crewai_runner.db.base import Base, Id

INDEXED_LENGTH = 200
"""Of longer keys and values only the beginning is stored here."""


class RunMetadataRow(Base):
    __tablename__ = "run_metadata"
    __table_args__ = (Index("ix_run_metadata_value", "workspace_id", "key", "value", "run_id"),)

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(INDEXED_LENGTH), primary_key=True)
    value: Mapped[str] = mapped_column(String(INDEXED_LENGTH), primary_key=True)
    """As text, as the filter compares it."""
    workspace_id: Mapped[str] = mapped_column(Id)
