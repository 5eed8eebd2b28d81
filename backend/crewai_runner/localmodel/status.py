"""The words of the built-in model: how it is, where it answers, why it does not."""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import SecretStr

from crewai_runner.core.errors import Unavailable


class LocalModelUnavailable(Unavailable):
    """The built-in model cannot answer now; `detail` says why and what helps."""

    slug = "local-model-unavailable"
    title = "Built-in model not available"


class LocalModelState(StrEnum):
    OFF = "off"
    MISSING = "missing"
    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class LocalModelStatus:
    """For the health page; `message` is fit for users."""

    state: LocalModelState
    message: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the model answers in OpenAI's protocol; `base_url` ends in `/v1`."""

    base_url: str
    token: SecretStr


@dataclass(frozen=True, slots=True)
class Patience:
    """How the model is watched, in seconds; the pauses between restarts double up to the longest."""

    start_timeout: float = 60.0
    first_pause: float = 0.1
    longest_pause: float = 60.0
    failures_to_report: int = 3
    probe_interval: float = 10.0
    probe_timeout: float = 5.0
    probes_to_miss: int = 3
