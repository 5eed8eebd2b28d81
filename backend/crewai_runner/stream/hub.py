"""The bell: says "there is news of this run"; carries no data, token chunks aside.

Losing a ring loses nothing but time: readers look at the rows again on a slow poll.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

MAX_CHUNKS_WAITING = 256


@dataclass(frozen=True, slots=True)
class Chunk:
    """A volatile frame (JSON text) that was told after the stored event `after`."""

    after: int
    text: str


def control_topic(run_id: str) -> str:
    """The bell of whoever works on a run: something is asked of it."""
    return f"control:{run_id}"


class Listener:
    """One reader's ear: a bell for stored news and a short queue of live chunks."""

    def __init__(self) -> None:
        self.bell = asyncio.Event()
        self.chunks: list[Chunk] = []
        self._news = True

    def ring(self) -> None:
        self._news = True
        self.bell.set()

    def take_news(self) -> bool:
        """Whether it rang for stored news since the last look; live chunks alone need no look at the rows."""
        news, self._news = self._news, False
        return news

    def hear(self, chunk: Chunk) -> None:
        """A slow reader loses the oldest chunks, never a stored event."""
        if len(self.chunks) >= MAX_CHUNKS_WAITING:
            del self.chunks[: MAX_CHUNKS_WAITING // 2]
        self.chunks.append(chunk)
        self.bell.set()

    def take_chunks(self) -> list[Chunk]:
        chunks, self.chunks = self.chunks, []
        return chunks


class Hub(Protocol):
    """Rings bells by topic: a run's id for its readers, `control:<run id>` for its worker."""

    async def start(self) -> None:
        """Make the bell heard; must be awaited before anything else."""

    async def stop(self) -> None:
        """Ring no more."""

    def ring(self, topics: Iterable[str]) -> None:
        """There is news. Call on the event loop, after the commit."""

    def whisper(self, topic: str, chunk: Chunk) -> None:
        """Pass a volatile frame to whoever listens now."""

    def listening(self, topic: str) -> AbstractContextManager[Listener]:
        """Listen to a topic's bell until the end of the block."""

    def readers(self) -> int:
        """How many listen now."""


class MemoryHub:
    """Bells within one process."""

    def __init__(self) -> None:
        self._listeners: dict[str, set[Listener]] = defaultdict(set)

    async def start(self) -> None:
        """Nothing to do: everybody is here."""

    async def stop(self) -> None:
        """Nothing to do."""

    def ring(self, topics: Iterable[str]) -> None:
        for topic in topics:
            for listener in self._listeners.get(topic, ()):
                listener.ring()

    def ring_all(self) -> None:
        """Wake everybody: something may have been missed."""
        self.ring(list(self._listeners))

    def whisper(self, topic: str, chunk: Chunk) -> None:
        for listener in self._listeners.get(topic, ()):
            listener.hear(chunk)

    @contextmanager
    def listening(self, topic: str) -> Iterator[Listener]:
        listener = Listener()
        self._listeners[topic].add(listener)
        try:
            yield listener
        finally:
            self._listeners[topic].discard(listener)
            if not self._listeners[topic]:
                del self._listeners[topic]

    def readers(self) -> int:
        return sum(len(listeners) for listeners in self._listeners.values())
