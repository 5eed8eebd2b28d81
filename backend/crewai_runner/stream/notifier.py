"""Notifications that a topic has new rows. Only live token chunks carry data.

A lost notification only causes a delay: subscribers also poll the rows slowly.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

MAX_PENDING_CHUNKS = 256
JOBS_TOPIC = "jobs"
"""The topic on which workers learn that a job was submitted."""
MODELS_TOPIC = "models"
"""The topic on which every process learns that models or providers were changed."""
CREDENTIALS_TOPIC = "credentials"
"""The topic on which every process learns that API keys, people, memberships or sessions were changed."""
QUOTAS_TOPIC = "quotas"
"""The topic on which every process learns that the quotas of workspaces were changed."""
WEBHOOKS_TOPIC = "webhooks"
"""The topic on which workers learn that a run with webhooks was started."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A live frame (JSON text) that is never stored; `after` is the number of the stored event it follows."""

    after: int
    text: str


def control_topic(run_id: str) -> str:
    """Return the topic on which a run's worker receives stops, messages and approval decisions."""
    return f"control:{run_id}"


class Subscriber(Protocol):
    """Receives the notifications of a topic, on the event loop. Must not block."""

    def notify(self, *, is_local: bool) -> None:
        """There are new rows. If `is_local`, the commit listeners of this process have received them."""

    def push_chunk(self, chunk: Chunk) -> None: ...


class Subscription:
    """A subscriber that waits: an event set on every notification, and a short queue of live chunks."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.chunks: list[Chunk] = []

    def notify(self, *, is_local: bool = True) -> None:  # noqa: ARG002 - the rows are read in any case
        self.changed.set()

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
    """Publishes by topic: a run's id for its readers, `control:<run id>` for its worker, the topics above."""

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

    def attach(self, topic: str, subscriber: Subscriber) -> None:
        """Let a subscriber receive the notifications of a topic until it is detached."""

    def detach(self, topic: str, subscriber: Subscriber) -> None: ...

    def listen(self, topic: str, listener: Callable[[], None]) -> None:
        """Call a function for each notification of a topic, in this process before `publish` returns."""

    def subscriber_count(self) -> int:
        """Return the number of subscriptions in this process."""


class MemoryNotifier:
    """Notifications within one process."""

    def __init__(self) -> None:
        self._subscribers: dict[str, set[Subscriber]] = defaultdict(set)
        self._listeners: dict[str, list[Callable[[], None]]] = defaultdict(list)

    async def start(self) -> None:
        """Do nothing: there is no connection."""

    async def stop(self) -> None:
        """Do nothing: there is no connection."""

    def publish(self, topics: Iterable[str]) -> None:
        self._notify(topics, is_local=True)

    def publish_received(self, topics: Iterable[str]) -> None:
        """Announce new rows of another process."""
        self._notify(topics, is_local=False)

    def _notify(self, topics: Iterable[str], *, is_local: bool) -> None:
        for topic in topics:
            for listener in self._listeners.get(topic, ()):
                listener()
            for subscriber in self._subscribers.get(topic, ()):
                subscriber.notify(is_local=is_local)

    def notify_all(self) -> None:
        """Wake every subscriber: a notification may have been missed."""
        self.publish_received([*self._listeners, *self._subscribers.keys() - self._listeners.keys()])

    def listen(self, topic: str, listener: Callable[[], None]) -> None:
        self._listeners[topic].append(listener)

    def publish_ephemeral(self, topic: str, chunk: Chunk) -> None:
        for subscriber in self._subscribers.get(topic, ()):
            subscriber.push_chunk(chunk)

    def attach(self, topic: str, subscriber: Subscriber) -> None:
        self._subscribers[topic].add(subscriber)

    def detach(self, topic: str, subscriber: Subscriber) -> None:
        self._subscribers[topic].discard(subscriber)
        if not self._subscribers[topic]:
            del self._subscribers[topic]

    @contextmanager
    def subscribe(self, topic: str) -> Iterator[Subscription]:
        subscription = Subscription()
        self.attach(topic, subscription)
        try:
            yield subscription
        finally:
            self.detach(topic, subscription)

    def subscriber_count(self) -> int:
        return sum(len(subscribers) for subscribers in self._subscribers.values())
