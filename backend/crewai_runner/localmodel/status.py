"""State, endpoint and errors of the built-in model."""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import SecretStr

from crewai_runner.core.errors import Unavailable


class LocalModelUnavailable(Unavailable):
    """The built-in model is not available; `detail` gives the reason and a fix."""

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
    """`message` is shown to users."""

    state: LocalModelState
    message: str


@dataclass(frozen=True, slots=True)
class LocalModelEndpoint:
    """The OpenAI-compatible endpoint of the model; `base_url` ends in `/v1`."""

    base_url: str
    token: SecretStr


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """Timeouts, restart delays and probe intervals in seconds; the delay doubles up to `max_delay`."""

    start_timeout: float = 60.0
    initial_delay: float = 0.1
    max_delay: float = 60.0
    failures_before_report: int = 3
    probe_interval: float = 10.0
    probe_timeout: float = 5.0
    max_missed_probes: int = 3
