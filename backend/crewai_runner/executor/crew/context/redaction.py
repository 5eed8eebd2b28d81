"""Redaction and truncation of everything that leaves the executor."""

from collections.abc import Iterable
from dataclasses import replace

from crewai_runner.core.outside_values import Model, clean_json, clean_model
from crewai_runner.core.secret_mask import TextMask
from crewai_runner.executor.port import Completed, Failed, NeedsHuman, Outcome, Stopped

MASK = "[secret]"
MAX_TEXT_LENGTH = 256_000
MAX_PROMPT_LENGTH = 2_000
MAX_OUTPUT_LENGTH = 4_000_000
"""Of the output of a task, in its event, result and file."""
_NOTE = "\n[truncated: "
_MAX_NOTE_LENGTH = 60


def truncate(text: str, max_length: int = MAX_TEXT_LENGTH) -> str:
    """Return at most `max_length` characters, followed by a note when text was cut off."""
    if len(text) <= max_length:
        return text
    is_truncated = len(text) <= max_length + _MAX_NOTE_LENGTH and text.startswith(_NOTE, max_length)
    return text if is_truncated else f"{text[:max_length]}{_NOTE}{len(text)} characters in total]"


class Redactor:
    """Masks a run's credentials in events and outcomes, and truncates long texts."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._mask = TextMask(secrets)

    def redact(self, model: Model, max_length: int | None = MAX_TEXT_LENGTH) -> Model:
        """Return the model with secrets masked and strings truncated, unless `max_length` is None."""
        return clean_model(model, self._mask if max_length is None else _Truncating(self._mask, max_length))

    def redact_outcome(self, outcome: Outcome) -> Outcome:
        """Return the outcome with secrets masked, and outputs truncated to MAX_OUTPUT_LENGTH."""
        match outcome:
            case Completed(result):
                return Completed(self.redact(result, MAX_OUTPUT_LENGTH))
            case Failed(failure):
                return Failed(self.redact(failure))
            case NeedsHuman(output=output, json_output=json_output):
                mask = _Truncating(self._mask, MAX_OUTPUT_LENGTH)
                return replace(outcome, output=mask(output), json_output=clean_json(json_output, mask))
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
