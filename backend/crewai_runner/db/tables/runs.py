"""Runs and their tasks, model calls, events, messages, approvals and artifacts."""

from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, Numeric, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column

from crewai_runner.core.clock import now
from crewai_runner.db.base import AuditedColumns, Base, Id, ShowsSubject
from crewai_runner.domain.workflow import WorkflowDefinition

Money = Numeric(20, 10)


def _index_if_set(name: str, column: str, *before: str) -> Index:
    """An index of the runs that have a value in this column, after the columns `before`."""
    has_value = text(f"{column} IS NOT NULL")
    return Index(name, *before, column, sqlite_where=has_value, postgresql_where=has_value)


class RunRow(ShowsSubject, Base):
    __tablename__ = "runs"
    audited = AuditedColumns("run", ("budget", "stop_mode"))
    __table_args__ = (
        Index("ix_runs_newest", "workspace_id", "id"),
        Index("ix_runs_state", "workspace_id", "state", "id"),
        Index("ix_runs_workflow", "workflow_id", "id"),
        Index(
            "ix_runs_project",
            "project_id",
            "id",
            sqlite_where=text("project_id IS NOT NULL"),
            postgresql_where=text("project_id IS NOT NULL"),
        ),
        # A covering index for the statistics. Limited to finished runs, so that running ones do not update it
        # with every model call.
        Index(
            "ix_runs_finished",
            "workspace_id",
            "created_at",
            "state",
            "workflow_id",
            "workflow_name",
            "seconds_at_work",
            "total_tokens",
            "cost_amount",
            "cost_currency",
            "calls_without_usage",
            "calls_without_cost",
            sqlite_where=text("finished_at IS NOT NULL"),
            postgresql_where=text("finished_at IS NOT NULL"),
        ),
        # The sum of what finished runs store reads only this index, which includes its own condition.
        _index_if_set("ix_runs_stored", "finished_at", "workspace_id", "stored_bytes"),
        # Few runs are unfinished at a time: whatever counts them reads nothing else.
        Index(
            "ix_runs_unfinished",
            "workspace_id",
            "state",
            "created_at",
            sqlite_where=text("finished_at IS NULL"),
            postgresql_where=text("finished_at IS NULL"),
        ),
        _index_if_set("ix_runs_finished_at", "finished_at"),
        _index_if_set("ix_runs_events_ended_at", "events_ended_at"),
        _index_if_set("ix_runs_forked_from", "forked_from"),
        Index(
            "ix_runs_execution",
            "workspace_id",
            "execution_uuid",
            unique=True,
            sqlite_where=text("execution_uuid IS NOT NULL"),
            postgresql_where=text("execution_uuid IS NOT NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    workflow_id: Mapped[str | None] = mapped_column(Id)
    workflow_version: Mapped[int | None] = mapped_column()
    workflow_name: Mapped[str] = mapped_column(String(200))
    project_id: Mapped[str | None] = mapped_column(Id)
    """The project whose code runs instead of a workflow; its name is the `workflow_name`."""
    project_version: Mapped[int | None] = mapped_column()
    definition: Mapped[dict[str, Any]] = mapped_column()
    inputs: Mapped[dict[str, Any]] = mapped_column()
    extra: Mapped[dict[str, Any]] = mapped_column("metadata", default=dict)
    budget: Mapped[dict[str, Any]] = mapped_column(default=dict)
    budget_raised: Mapped[bool] = mapped_column(default=False)
    inline_provider: Mapped[bool] = mapped_column(default=False)
    forked_from: Mapped[str | None] = mapped_column(Id)
    """The run whose retry or fork this is; None once that run is deleted."""
    execution_uuid: Mapped[str | None] = mapped_column(String(36))
    """Of a run that is executed elsewhere and only reports its spans here."""

    state: Mapped[str] = mapped_column(String(16))
    attempt: Mapped[int] = mapped_column(default=1)
    fencing_token: Mapped[int] = mapped_column("fence", default=0)
    claim: Mapped[str | None] = mapped_column(String(32))
    """The call of a job that began the current attempt; a repeated begin recognises its own."""
    attempt_events: Mapped[int] = mapped_column(default=0)
    """How many events of the current attempt are stored; a repeated batch recognises its own."""
    losses: Mapped[int] = mapped_column(default=0)
    last_seq: Mapped[int] = mapped_column(default=0)
    wait_reason: Mapped[str | None] = mapped_column(String(32))
    revision: Mapped[dict[str, Any] | None] = mapped_column()
    stop_mode: Mapped[str | None] = mapped_column(String(16))
    stop_requested_at: Mapped[datetime | None] = mapped_column()
    receipt: Mapped[dict[str, Any] | None] = mapped_column()
    result: Mapped[dict[str, Any] | None] = mapped_column()
    error: Mapped[dict[str, Any] | None] = mapped_column()

    prompt_tokens: Mapped[int | None] = mapped_column(BigInteger, default=0)
    completion_tokens: Mapped[int | None] = mapped_column(BigInteger, default=0)
    cached_tokens: Mapped[int | None] = mapped_column(BigInteger, default=0)
    total_tokens: Mapped[int | None] = mapped_column(BigInteger, default=0)
    llm_calls: Mapped[int] = mapped_column(default=0)
    tool_calls: Mapped[int] = mapped_column(default=0)
    cost_amount: Mapped[Decimal | None] = mapped_column(Money)
    cost_currency: Mapped[str | None] = mapped_column(String(3))
    calls_without_usage: Mapped[int] = mapped_column(default=0)
    calls_without_cost: Mapped[int] = mapped_column(default=0)
    active_seconds: Mapped[float] = mapped_column("seconds_at_work", default=0.0)
    seconds_before: Mapped[float] = mapped_column(default=0.0)
    """Seconds before the last manual resume, which do not count towards the time limit."""

    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime | None] = mapped_column()
    attempt_started_at: Mapped[datetime | None] = mapped_column()
    """Of a run that is executed elsewhere: when it last sent spans."""
    finished_at: Mapped[datetime | None] = mapped_column()
    events_ended_at: Mapped[datetime | None] = mapped_column()
    """When a finished run's last event was emitted; None if it is active or its events are deleted."""
    events_deleted_at: Mapped[datetime | None] = mapped_column()
    """When events of the run were last deleted because of their age."""
    stored_bytes: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    """Of the run's definition, inputs, events, files, results and messages."""
    version: Mapped[int] = mapped_column(default=1)

    @cached_property
    def parsed_definition(self) -> WorkflowDefinition:
        """`definition` as an object, parsed once per loaded row."""
        return WorkflowDefinition.model_validate(self.definition)


class RunSpanRow(Base):
    """A span of a run elsewhere that was received: the same span may be sent several times."""

    __tablename__ = "run_spans"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    span_id: Mapped[str] = mapped_column(String(16), primary_key=True)


class RunTaskRow(Base):
    __tablename__ = "run_tasks"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    position: Mapped[int] = mapped_column()
    agent: Mapped[str | None] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(16))
    result: Mapped[dict[str, Any] | None] = mapped_column()
    error: Mapped[dict[str, Any] | None] = mapped_column()
    started_at: Mapped[datetime | None] = mapped_column()
    finished_at: Mapped[datetime | None] = mapped_column()


class LlmCallRow(Base):
    """One ended model call, failed ones included. The usage of a run is the sum of its calls."""

    __tablename__ = "llm_calls"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    task_key: Mapped[str | None] = mapped_column(String(200))
    agent: Mapped[str | None] = mapped_column(String(200))
    model: Mapped[str] = mapped_column(String(200))
    prompt_tokens: Mapped[int | None] = mapped_column(BigInteger)
    completion_tokens: Mapped[int | None] = mapped_column(BigInteger)
    cached_tokens: Mapped[int | None] = mapped_column(BigInteger)
    total_tokens: Mapped[int | None] = mapped_column(BigInteger)
    cost_amount: Mapped[Decimal | None] = mapped_column(Money)
    cost_currency: Mapped[str | None] = mapped_column(String(3))
    duration_ms: Mapped[int] = mapped_column()
    at: Mapped[datetime] = mapped_column()


class RunEventRow(Base):
    __tablename__ = "run_events"
    __table_args__ = (
        Index(
            "ix_run_events_connections",
            "run_id",
            "seq",
            sqlite_where=text("connections IS NOT NULL"),
            postgresql_where=text("connections IS NOT NULL"),
        ),
    )

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    attempt: Mapped[int] = mapped_column()
    type: Mapped[str] = mapped_column(String(32))
    at: Mapped[datetime] = mapped_column()
    # The serialized frame: readers send it without parsing it.
    frame: Mapped[str] = mapped_column(Text)
    connections: Mapped[dict[str, Any] | None] = mapped_column()
    """Those that the attempt made before the event and had not stored yet, as `StoredConnections`."""


class MessageRow(ShowsSubject, Base):
    __tablename__ = "messages"
    __table_args__ = (Index("ix_messages_run", "run_id", "id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    text: Mapped[str] = mapped_column(Text)
    agent: Mapped[str | None] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(16))
    call: Mapped[int | None] = mapped_column()
    # The task whose conversation contains the message.
    task_key: Mapped[str | None] = mapped_column(String(200))
    delivered_to: Mapped[str | None] = mapped_column(String(200))
    answer: Mapped[str | None] = mapped_column(Text)
    answered_by: Mapped[str | None] = mapped_column(String(16))
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(default=now)
    delivered_at: Mapped[datetime | None] = mapped_column()
    answered_at: Mapped[datetime | None] = mapped_column()


class ApprovalRow(ShowsSubject, Base):
    SUBJECT = "resolved_by"
    __tablename__ = "approvals"
    audited = AuditedColumns("approval", ("state",))
    __table_args__ = (Index("ix_approvals_open", "workspace_id", "state", "id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(16), default="review", server_default="review")
    task_key: Mapped[str] = mapped_column(String(200))
    """Empty for a question that no task asks."""
    agent: Mapped[str | None] = mapped_column(String(200))
    prompt: Mapped[str] = mapped_column(Text, default="", server_default="")
    """What the code of a project asks."""
    question_hash: Mapped[str | None] = mapped_column(String(64))
    """By which a later attempt recognises the question, to answer it in the same way."""
    output: Mapped[str] = mapped_column(Text)
    json_output: Mapped[dict[str, Any] | None] = mapped_column()
    tool: Mapped[str | None] = mapped_column(String(200))
    arguments: Mapped[dict[str, Any] | None] = mapped_column()
    """With which an agent wants to call the tool."""
    parameters: Mapped[dict[str, Any] | None] = mapped_column()
    """The JSON Schema of the tool's arguments."""
    edited_arguments: Mapped[dict[str, Any] | None] = mapped_column()
    for_run: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether the later calls of the tool in the run are allowed as well."""
    state: Mapped[str] = mapped_column(String(16))
    assigned_role: Mapped[str | None] = mapped_column(String(20))
    assigned_person_id: Mapped[str | None] = mapped_column(Id)
    """Without a role and a person everyone who may answer approvals is asked."""
    feedback: Mapped[str | None] = mapped_column(Text)
    resolved_by: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime] = mapped_column()
    resolved_at: Mapped[datetime | None] = mapped_column()

    @property
    def resolved_by_name(self) -> str | None:
        return self.get_subject_name()


class RunCheckpointRow(Base):
    """What an attempt of a project's run leaves for the next one, on whichever worker that runs."""

    __tablename__ = "run_checkpoints"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    value: Mapped[dict[str, Any]] = mapped_column()
    saved_at: Mapped[datetime] = mapped_column(default=now)


class ArtifactRow(Base):
    __tablename__ = "artifacts"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    task_key: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column()
    content: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(default=now)
