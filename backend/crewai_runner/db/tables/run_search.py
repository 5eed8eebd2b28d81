"""The searchable text of runs. Triggers keep it, and the index of parts of words that finds runs by it."""

from sqlalchemy import BigInteger, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from crewai_runner.db.base import Base, Id

INDEX = "ix_run_search_text"
"""The trigram index on PostgreSQL, if the server has `pg_trgm`."""
FULL_TEXT_TABLE = "run_search_index"
"""The full-text table on SQLite, if it has FTS5. Names of the tables that FTS5 adds begin with it."""


class RunSearchRow(Base):
    __tablename__ = "run_search"
    __table_args__ = (
        Index(
            "ix_run_search_position",
            "position",
            unique=True,
            postgresql_where=text("position IS NOT NULL"),
        ),
    )

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    workspace_id: Mapped[str] = mapped_column(Id)
    position: Mapped[int | None] = mapped_column(BigInteger)
    """On SQLite the row of the full-text table; a newer run has a larger one. NULL on PostgreSQL."""
    text: Mapped[str] = mapped_column(Text)
    """Id, name of the workflow, and the values of metadata, error and inputs, one a line, up to a length."""


def is_search_index(name: str | None) -> bool:
    """Return whether a table or an index exists only where the database has the extension for it."""
    return name is not None and (name == INDEX or name.startswith(FULL_TEXT_TABLE))
