"""The frames of a run's event stream: JSON text, encoded once for all readers."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from crewai_runner.domain.run_events import FINAL_EVENT_TYPES
from crewai_runner.stream.notifier import Chunk

CHUNK_TYPE = "llm.chunk"


@dataclass(slots=True)
class Frame:
    """One event of a stream as JSON text. `seq` is None for frames that are not stored and have no id.

    Such a frame follows the stored event number `after`.
    """

    seq: int | None
    type: str
    text: str
    after: int = field(default=0, compare=False)
    _sse: bytes | None = field(default=None, init=False, compare=False, repr=False)

    @classmethod
    def of_chunk(cls, chunk: Chunk) -> "Frame":
        return cls(None, CHUNK_TYPE, chunk.text, chunk.after)

    @property
    def is_final(self) -> bool:
        """Whether the run has finished with this event, unless it is resumed."""
        return self.type in FINAL_EVENT_TYPES

    @property
    def sse(self) -> bytes:
        """The frame as a server-sent event; the JSON text contains no line breaks."""
        if self._sse is None:
            event_id = "" if self.seq is None else f"id: {self.seq}\n"
            self._sse = f"{event_id}event: {self.type}\ndata: {self.text}\n\n".encode()
        return self._sse


def merge_by_sequence(events: Iterable[Frame], others: Iterable[Frame]) -> list[Frame]:
    """Merge stored events and others in the order of their numbers.

    A frame without a number comes directly after the event it follows.
    """
    return sorted([*events, *others], key=_position)


def _position(frame: Frame) -> tuple[int, int]:
    return (frame.after, 1) if frame.seq is None else (frame.seq, 0)
