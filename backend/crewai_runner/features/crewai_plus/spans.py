"""A span as the rest of the feature sees it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Span:
    """A finished span. Ids are hexadecimal; `parent_id` is empty for the root."""

    span_id: str
    parent_id: str
    name: str
    started_at: datetime
    ended_at: datetime
    is_error: bool
    message: str
    attributes: Mapping[str, Value]

    @property
    def seconds(self) -> float:
        return (self.ended_at - self.started_at).total_seconds()

    def text(self, *names: str) -> str:
        """Return the first of these attributes that is set, as text; empty if none is."""
        return next((str(self.attributes[name]) for name in names if name in self.attributes), "")
