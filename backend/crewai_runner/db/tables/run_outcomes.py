"""Counts and sums of finished runs, for the statistics."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from crewai_runner.db.base import Base, Id


class OutcomeKind(StrEnum):
    """Which entries a row of totals sums, and from which span of time on."""

    QUARTER = "quarter"
    """All runs of a workspace, in a quarter of an hour. The key of the workflow is empty."""
    WORKFLOW_QUARTER = "workflow-quarter"
    WORKFLOW_DAY = "workflow-day"
    """In a day in UTC."""


class _Outcomes:
    """Of the finished runs of one workflow and currency that were created in one span of time."""

    currency: Mapped[str] = mapped_column(String(3))
    """Empty for runs without a known cost."""
    completed: Mapped[int] = mapped_column(BigInteger)
    failed: Mapped[int] = mapped_column(BigInteger)
    stopped: Mapped[int] = mapped_column(BigInteger)
    crashed: Mapped[int] = mapped_column(BigInteger)
    unknown_tokens: Mapped[int] = mapped_column(BigInteger)
    unknown_costs: Mapped[int] = mapped_column(BigInteger)
    known_costs: Mapped[int] = mapped_column(BigInteger)
    tokens: Mapped[int] = mapped_column(BigInteger)
    cost_units: Mapped[int] = mapped_column(BigInteger)
    cost_fraction: Mapped[int] = mapped_column(BigInteger)
    """In 10^-10 of a unit."""


class RunOutcomeRow(_Outcomes, Base):
    """A run that ended, or one that was resumed or deleted afterwards, with negative numbers.

    Triggers add the entries. `at` is the quarter of an hour of the run's creation.
    """

    __tablename__ = "run_outcomes"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    """Random: a restore does not have to set a sequence."""
    workspace_id: Mapped[str] = mapped_column(Id)
    workflow_key: Mapped[str] = mapped_column(String(201))
    """The id of a saved workflow, otherwise `=` and the workflow's name."""
    at: Mapped[datetime] = mapped_column()


class RunOutcomeTotalRow(_Outcomes, Base):
    """The sums of entries. `kind` is an `OutcomeKind`."""

    __tablename__ = "run_outcome_totals"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012

    workspace_id: Mapped[str] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    workflow_key: Mapped[str] = mapped_column(String(201), primary_key=True)
    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
