"""API schemas of triggers and their deliveries."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, JsonValue, SecretStr, StringConstraints

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.envelope import Envelope
from crewai_runner.core.text import Name, check_storable
from crewai_runner.features.triggers.rules import find_pointer_problem
from crewai_runner.features.triggers.signatures import SignatureKind

MIN_SECRET_LENGTH = 16
MAX_INPUTS = 200


def _check_pointer(pointer: str) -> str:
    if (problem := find_pointer_problem(pointer)) is not None:
        raise ValueError(problem)
    return pointer


JsonPointer = Annotated[
    str, StringConstraints(max_length=500), AfterValidator(_check_pointer), AfterValidator(check_storable)
]
_InputName = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(check_storable)]
InputPointers = Annotated[dict[_InputName, JsonPointer], Field(max_length=MAX_INPUTS)]
_Secret = Annotated[SecretStr, Field(min_length=MIN_SECRET_LENGTH, max_length=500)]
_WRITE_ONLY: dict[str, Any] = {"writeOnly": True}
_INPUTS = "For each input of the run, a JSON pointer (RFC 6901) into the body, such as `/issue/title`."
_SECRET = "The secret of the sender, for services that make one. By default a random one."  # noqa: S105


class TriggerCreate(ApiModel):
    """What a delivery starts: a `workflowId` or a `projectId`, always in its newest version."""

    name: Name
    workflow_id: str | None = Field(None, max_length=64)
    project_id: str | None = Field(None, max_length=64)
    signature: SignatureKind
    secret: _Secret | None = Field(None, description=_SECRET, json_schema_extra=_WRITE_ONLY)
    inputs: InputPointers = Field(default_factory=dict, description=_INPUTS)
    is_enabled: bool = True


class TriggerUpdate(ApiModel):
    """Fields that are not sent are not changed. What is started cannot change."""

    # The defaults are never used: only `model_fields_set` counts.
    name: Name = Field(default_factory=str)
    signature: SignatureKind = Field(default_factory=lambda: SignatureKind.BEARER)
    secret: _Secret = Field(default_factory=lambda: SecretStr(""), json_schema_extra=_WRITE_ONLY)
    inputs: InputPointers = Field(default_factory=dict, description=_INPUTS)
    is_enabled: bool = Field(default_factory=bool)


class TriggerEnvelope(Envelope):
    trigger: TriggerCreate


class TriggerUpdateEnvelope(Envelope):
    trigger: TriggerUpdate


class TriggerRead(ApiModel):
    """A stored trigger; its secret is never returned."""

    id: str
    name: str
    workflow_id: str | None
    project_id: str | None
    signature: SignatureKind
    path: str = Field(
        description="Where senders post to on this server. Confidential: empty without `workflows:write`."
    )
    inputs: dict[str, str]
    is_enabled: bool
    created_at: datetime
    updated_at: datetime
    version: int


class TriggerSecret(ApiModel):
    """A trigger with its new secret, which is shown this once and cannot be read again."""

    trigger: TriggerRead
    secret: str


class TriggerList(ApiModel):
    triggers: list[TriggerRead]


class TriggerDelivery(ApiModel):
    """An authentic delivery. Repeated ones, and those with a wrong signature, are not listed."""

    id: str
    received_at: datetime
    size: int = Field(description="Bytes of the body.")
    run_id: str | None
    error: str | None = Field(description="Why no run was started.")
    replay_of: str | None = Field(description="The delivery that this one repeats, as a person asked.")
    has_body: bool


class TriggerDeliveryList(ApiModel):
    deliveries: list[TriggerDelivery]
    next_cursor: str | None


class TriggerDeliveryRead(TriggerDelivery):
    body: JsonValue = Field(description="With secrets masked; null if it is no longer kept.")


class MappingPreviewRequest(ApiModel):
    inputs: InputPointers = Field(description=_INPUTS)


class MappedInput(ApiModel):
    name: str
    pointer: str | None = Field(description="Null for an input that the trigger does not fill.")
    is_found: bool = Field(description="Whether the pointer points to something in the body.")
    value: JsonValue = None
    problem: str | None = Field(description="Why the value, or its absence, would start no run.")


class MappingPreview(ApiModel):
    """What the last received body would become."""

    delivery_id: str | None = Field(description="Null if no body is kept; then no value is found.")
    inputs: list[MappedInput]
