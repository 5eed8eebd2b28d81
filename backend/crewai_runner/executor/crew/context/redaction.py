"""Redaction and truncation of everything that leaves the executor."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from crewai_runner.core.text import replace_unstorable
from crewai_runner.domain.run import RunFailure, RunResult
from crewai_runner.executor.port import Completed, Failed, NeedsHuman, Outcome

MASK = "[secret]"
MAX_TEXT_LENGTH = 256_000
MAX_PROMPT_LENGTH = 2_000
_MIN_SECRET_LENGTH = 6


def truncate(text: str, max_length: int = MAX_TEXT_LENGTH) -> str:
    """Return at most `max_length` characters, followed by a note when text was cut off."""
    if len(text) <= max_length:
        return text
    return f"{text[:max_length]}\n[truncated: {len(text)} characters in total]"


class Redactor:
    """Masks a run's credentials in texts and JSON values."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = sorted({s for s in secrets if len(s) >= _MIN_SECRET_LENGTH}, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, known))) if known else None

    def redact(self, value: Any, max_length: int | None = MAX_TEXT_LENGTH) -> Any:
        """Return a JSON value with secrets masked and strings truncated, unless `max_length` is None."""
        if isinstance(value, str):
            text = replace_unstorable(self._pattern.sub(MASK, value) if self._pattern else value)
            return text if max_length is None else truncate(text, max_length)
        if isinstance(value, Mapping):
            return {self.redact(k, max_length): self.redact(v, max_length) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.redact(item, max_length) for item in value]
        return value

    def redact_outcome(self, outcome: Outcome) -> Outcome:
        """Return the outcome with secrets masked; results are not truncated."""
        match outcome:
            case Completed(result):
                return Completed(RunResult(**self.redact(result.model_dump(by_alias=False), None)))
            case Failed(failure):
                return Failed(RunFailure(**self.redact(failure.model_dump(by_alias=False))))
            case NeedsHuman(key, agent, output, json_output):
                return NeedsHuman(key, agent, self.redact(output, None), self.redact(json_output, None))
            case _:
                return outcome
