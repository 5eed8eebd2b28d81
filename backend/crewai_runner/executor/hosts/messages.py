"""The payloads of frames."""

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from crewai_runner.domain.run import RunFailure, StopMode
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

STATUS = TypeAdapter(EngineStatus)
COMPLETION = TypeAdapter(ModelCompletion)
FAILURE = TypeAdapter(RunFailure)
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
class StopRequest:
    mode: StopMode
    age_seconds: float


ToHost = RunSpec | CompleteRequest | StopRequest | UserMessage


def encode_request(request: ToHost) -> bytes:
    return pickle.dumps(request, protocol=pickle.HIGHEST_PROTOCOL)


def decode_request(payload: bytes) -> Any:
    """Read what `encode_request` wrote. Only the worker's end of the socket pair writes it."""
    return pickle.loads(payload)  # noqa: S301


def encode_outcome(outcome: Outcome) -> bytes:
    name = type(outcome).__name__
    return name.encode() + b"\n" + _OUTCOMES[name].dump_json(outcome)


def decode_outcome(payload: bytes) -> Outcome:
    """Read an outcome. Raises KeyError or ValidationError if it is none."""
    name, _, body = payload.partition(b"\n")
    outcome: Outcome = _OUTCOMES[name.decode()].validate_json(body)
    return outcome
