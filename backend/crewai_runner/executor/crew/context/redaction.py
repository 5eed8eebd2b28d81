"""Redaction and truncation of everything that leaves the executor."""

from collections.abc import Iterable
from dataclasses import replace

from crewai_runner.core.outside_values import Model, clean_json, clean_model
from crewai_runner.core.secret_mask import TextMask
from crewai_runner.executor.port import Completed, Failed, NeedsHuman, Outcome, Stopped

MASK = "[secret]"
MAX_TEXT_LENGTH = 256_000
MAX_PROMPT_LENGTH = 2_000


def truncate(text: str, max_length: int = MAX_TEXT_LENGTH) -> str:
    """Return at most `max_length` characters, followed by a note when text was cut off."""
    if len(text) <= max_length:
        return text
    return f"{text[:max_length]}\n[truncated: {len(text)} characters in total]"


class Redactor:
    """Masks a run's credentials in events and outcomes, and truncates long texts."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._mask = TextMask(secrets)

    def redact(self, model: Model, max_length: int | None = MAX_TEXT_LENGTH) -> Model:
        """Return the model with secrets masked and strings truncated, unless `max_length` is None."""
        return clean_model(model, self._mask if max_length is None else _Truncating(self._mask, max_length))

    def redact_outcome(self, outcome: Outcome) -> Outcome:
        """Return the outcome with secrets masked; results are not truncated."""
        match outcome:
            case Completed(result):
                return Completed(self.redact(result, None))
            case Failed(failure):
                return Failed(self.redact(failure))
            case NeedsHuman(key, agent, output, json_output):
                return NeedsHuman(key, agent, self._mask(output), clean_json(json_output, self._mask))
            case Stopped(review=NeedsHuman() as review):
                cleaned = self.redact_outcome(review)
                return replace(outcome, review=cleaned if isinstance(cleaned, NeedsHuman) else None)
            case _:
                return outcome


class _Truncating(TextMask):
    """A mask that truncates what it has masked, so that no part of a secret is left at the cut."""

    def __init__(self, mask: TextMask, max_length: int) -> None:
        self._mask, self._max_length = mask, max_length

    @property
    def certain(self) -> TextMask:
        return self._mask.certain

    def __call__(self, text: str) -> str:
        return truncate(self._mask(text), self._max_length)
