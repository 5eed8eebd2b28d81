"""Notifications that a topic has new rows. Only live token chunks carry data.

A lost notification only causes a delay: subscribers also poll the rows slowly.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

MAX_PENDING_CHUNKS = 256


@dataclass(frozen=True, slots=True)
class Chunk:
    """A live frame (JSON text) that is never stored; `after` is the number of the stored event it follows."""

    after: int
    text: str


def control_topic(run_id: str) -> str:
    """Return the topic on which a run's worker receives stops, messages and approval decisions."""
    return f"control:{run_id}"


class Subscription:
    """One subscriber: an event that is set on every notification, and a short queue of live chunks."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.chunks: list[Chunk] = []
        self._has_new_rows = True

    def notify(self) -> None:
        self._has_new_rows = True
        self.changed.set()

    def pop_new_rows(self) -> bool:
        """Return whether rows were announced since the last call; live chunks alone need no query."""
        has_new_rows, self._has_new_rows = self._has_new_rows, False
        return has_new_rows

    def push_chunk(self, chunk: Chunk) -> None:
        """Queue a chunk; a slow subscriber loses the oldest chunks, never a stored event."""
        if len(self.chunks) >= MAX_PENDING_CHUNKS:
            del self.chunks[: MAX_PENDING_CHUNKS // 2]
        self.chunks.append(chunk)
        self.changed.set()

    def pop_chunks(self) -> list[Chunk]:
        chunks, self.chunks = self.chunks, []
        return chunks


class Notifier(Protocol):
    """Publishes by topic: a run's id for its readers, `control:<run id>` for its worker."""

    async def start(self) -> None:
        """Connect; await it before any other call."""

    async def stop(self) -> None:
        """Disconnect; later calls publish nothing."""

    def publish(self, topics: Iterable[str]) -> None:
        """Announce new rows. Call on the event loop, after the commit."""

    def publish_ephemeral(self, topic: str, chunk: Chunk) -> None:
        """Send a live chunk to the current subscribers only."""

    def subscribe(self, topic: str) -> AbstractContextManager[Subscription]:
        """Subscribe to a topic until the end of the block."""

    def subscriber_count(self) -> int:
        """Return the number of subscriptions in this process."""


class MemoryNotifier:
    """Notifications within one process."""

    def __init__(self) -> None:
        self._subscriptions: dict[str, set[Subscription]] = defaultdict(set)

    async def start(self) -> None:
        """Do nothing: there is no connection."""

    async def stop(self) -> None:
        """Do nothing: there is no connection."""

    def publish(self, topics: Iterable[str]) -> None:
        for topic in topics:
            for subscription in self._subscriptions.get(topic, ()):
                subscription.notify()

    def notify_all(self) -> None:
        """Wake every subscriber: a notification may have been missed."""
        self.publish(list(self._subscriptions))

    def publish_ephemeral(self, topic: str, chunk: Chunk) -> None:
        for subscription in self._subscriptions.get(topic, ()):
            subscription.push_chunk(chunk)

    @contextmanager
    def subscribe(self, topic: str) -> Iterator[Subscription]:
        subscription = Subscription()
        self._subscriptions[topic].add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions[topic].discard(subscription)
            if not self._subscriptions[topic]:
                del self._subscriptions[topic]

    def subscriber_count(self) -> int:
        return sum(len(subscriptions) for subscriptions in self._subscriptions.values())
