"""The payloads of frames."""

import json
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from crewai_runner.domain.run import RunFailure, StopMode
from crewai_runner.domain.run_connection import RunConnection
from crewai_runner.executor.memory_records import MemoryChange
from crewai_runner.executor.port import (
    Completed,
    EngineStatus,
    Failed,
    ModelBinding,
    ModelCompletion,
    NeedsHuman,
    Outcome,
    OutOfBudget,
    RunSpec,
    Stopped,
    UserMessage,
)
from crewai_runner.executor.run_files import StoredFile
from crewai_runner.executor.tool_requests import ToolDecision, ToolRequest, ToolResult

STATUS = TypeAdapter(EngineStatus)
COMPLETION = TypeAdapter(ModelCompletion)
FAILURE = TypeAdapter(RunFailure)
EMBEDDINGS = TypeAdapter(list[list[float]])
MEMORY_CHANGES = TypeAdapter(list[MemoryChange])
CONNECTION = TypeAdapter(RunConnection)
_OUTCOMES: dict[str, TypeAdapter[Any]] = {
    kind.__name__: TypeAdapter(kind) for kind in (Completed, Failed, Stopped, NeedsHuman, OutOfBudget)
}


@dataclass(frozen=True, slots=True)
class CompleteRequest:
    """A model call outside a crew."""

    model: ModelBinding
    messages: Sequence[Mapping[str, str]]
    streams: bool


@dataclass(frozen=True, slots=True)
class EmbedRequest:
    """Texts to embed outside a crew."""

    model: ModelBinding
    texts: Sequence[str]


@dataclass(frozen=True, slots=True)
class StopRequest:
    mode: StopMode
    age_seconds: float


@dataclass(frozen=True, slots=True)
class SpendingRequest:
    """The workspace limits what it spends; with a refusal no model call may begin."""

    refusal: RunFailure | None


@dataclass(frozen=True, slots=True)
class ToolCallMessage:
    """What an attempt in a host asks its worker; `number` is that of the answer."""

    number: int
    request: ToolRequest | None = None
    result: ToolResult | None = None


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """The answer to a `ToolCallMessage`: a decision, or that a result is stored, unless it `failed`."""

    number: int
    decision: ToolDecision | None = None
    failed: bool = False


TOOL_MESSAGE = TypeAdapter(ToolCallMessage)
ToHost = RunSpec | CompleteRequest | EmbedRequest | StopRequest | SpendingRequest | UserMessage | ToolAnswer


def encode_request(request: ToHost) -> bytes:
    return pickle.dumps(request, protocol=pickle.HIGHEST_PROTOCOL)


def decode_request(payload: bytes) -> Any:
    """Read what `encode_request` wrote. Only the worker's end of the socket pair writes it."""
    return pickle.loads(payload)  # noqa: S301


def encode_file(file: StoredFile) -> bytes:
    """A line of JSON with path and task, then the content."""
    return json.dumps([file.path, file.task_key]).encode() + b"\n" + file.content


def decode_file(payload: bytes) -> StoredFile:
    head, _, content = payload.partition(b"\n")
    path, task_key = json.loads(head)
    return StoredFile(str(path), content, str(task_key))


def encode_outcome(outcome: Outcome) -> bytes:
    name = type(outcome).__name__
    return name.encode() + b"\n" + _OUTCOMES[name].dump_json(outcome)


def decode_outcome(payload: bytes) -> Outcome:
    """Read an outcome. Raises KeyError or ValidationError if it is none."""
    name, _, body = payload.partition(b"\n")
    outcome: Outcome = _OUTCOMES[name.decode()].validate_json(body)
    return outcome
