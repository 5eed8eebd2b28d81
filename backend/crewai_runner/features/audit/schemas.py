"""API schemas of the audit log."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import Field, JsonValue

from crewai_runner.core.api_model import ApiModel
from crewai_runner.domain.audit_entry import ActorKind
from crewai_runner.domain.audit_record import AuditResult


class AuditExportFormat(StrEnum):
    JSON_LINES = "jsonl"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What to list; empty fields do not filter."""

    since: datetime | None = None
    until: datetime | None = None
    actor: str | None = None
    operation: str | None = None
    target: str | None = None
    result: AuditResult | None = None


class ChangedField(ApiModel):
    field: str = Field(description="The kind of object and its field, such as `provider.baseUrl`.")
    before: JsonValue = Field(description="null: it was empty, or the object is new.")
    after: JsonValue = Field(description="null: it is empty, or the object is deleted.")


class AuditEntryRead(ApiModel):
    """A change or a refused attempt.

    `hash` is the SHA-256 of the entry's line in the export (JSON lines) without the member `hash`.
    """

    id: str
    workspace_id: str | None = Field(description="null: it belongs to the server, not to one workspace.")
    seq: int | None = Field(description="Its position in the chain of its workspace; null: not sealed yet.")
    at: datetime
    actor_kind: ActorKind
    actor_id: str | None = Field(description="The person or key; for a command the user of the system.")
    actor_name: str | None = Field(description="The current name of the person or key, if there is one.")
    person_id: str | None = Field(description="The person, also when one of their keys acted for them.")
    address: str = Field(description="The address of the client.")
    operation: str = Field(
        description="The `operationId` of this document, `websocket:…` for a refused one, or `command:…`."
    )
    target_kind: str | None
    target_id: str | None
    result: AuditResult
    reason: str | None = Field(description="Why it was refused: the slug of the problem's `type`.")
    count: int = Field(description="How many equal refused attempts this row stands for.")
    request_id: str
    changes: list[ChangedField]
    previous_hash: str | None
    hash: str | None


class AuditPage(ApiModel):
    entries: list[AuditEntryRead]
    next_cursor: str | None
