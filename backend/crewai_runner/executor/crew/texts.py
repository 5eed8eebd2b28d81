"""Texts on their way in and out: placeholders filled, secrets masked, lengths bounded."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from crewai_runner.core.text import replace_unstorable
from crewai_runner.domain.run import RunFailure, RunResult
from crewai_runner.executor.port import Completed, Failed, NeedsHuman, Outcome

MASK = "[secret]"
LONGEST = 256_000
LONGEST_PROMPT = 2_000
_SHORTEST_SECRET = 6
_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_-]*)\}")


def fill(text: str, inputs: Mapping[str, Any]) -> str:
    """`{name}` of each known input replaced by its value, once; all else stays as it is."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        return _as_text(inputs[name]) if name in inputs else match.group(0)

    return _PLACEHOLDER.sub(value, text)


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, default=str)


def shorten(text: str, longest: int = LONGEST) -> str:
    """At most `longest` characters, with a note of what is missing."""
    if len(text) <= longest:
        return text
    return f"{text[:longest]}\n[shortened: {len(text)} characters in all]"


class Cleaner:
    """Masks the values of a run's credentials in whatever leaves the executor."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = sorted({s for s in secrets if len(s) >= _SHORTEST_SECRET}, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, known))) if known else None

    def outcome(self, outcome: Outcome) -> Outcome:
        """The same outcome with secrets masked; its texts are whole."""
        match outcome:
            case Completed(result):
                return Completed(RunResult(**self.clean(result.model_dump(by_alias=False), None)))
            case Failed(failure):
                return Failed(RunFailure(**self.clean(failure.model_dump(by_alias=False))))
            case NeedsHuman(key, agent, output, json_output):
                return NeedsHuman(key, agent, self.clean(output, None), self.clean(json_output, None))
            case _:
                return outcome

    def clean(self, value: Any, longest: int | None = LONGEST) -> Any:
        """The same plain JSON value with secrets masked and, unless None, strings bounded."""
        if isinstance(value, str):
            text = replace_unstorable(self._pattern.sub(MASK, value) if self._pattern else value)
            return text if longest is None else shorten(text, longest)
        if isinstance(value, Mapping):
            return {self.clean(k, longest): self.clean(v, longest) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.clean(one, longest) for one in value]
        return value
