"""The behaviour every notifier must have, within one process or across processes."""

import asyncio
from collections.abc import Callable
from itertools import count

from crewai_runner.stream.notifier import Chunk, Notifier, Subscription, control_topic

TIMEOUT_SECONDS = 10.0


async def wait_until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while not condition():
            await asyncio.sleep(0.01)


async def receive_chunks(subscription: Subscription, number: int) -> list[Chunk]:
    """Wait for at least `number` chunks and return them."""
    chunks: list[Chunk] = []

    def enough() -> bool:
        chunks.extend(subscription.pop_chunks())
        return len(chunks) >= number

    await wait_until(enough)
    return chunks


class RecordingSubscriber:
    """Keeps what it receives."""

    def __init__(self) -> None:
        self.notifications = 0
        self.chunks: list[Chunk] = []

    def notify(self, *, is_local: bool) -> None:
        self.notifications += 1

    def push_chunk(self, chunk: Chunk) -> None:
        self.chunks.append(chunk)


class NotifierContract:
    """`near` publishes; `far` is the notifier of a subscriber, possibly in another process."""

    async def test_notifies_every_subscriber_of_the_topic_only(self, near: Notifier, far: Notifier) -> None:
        with near.subscribe("a") as local, far.subscribe("a") as remote, far.subscribe("b") as other:
            near.publish(["a"])
            await wait_until(lambda: local.changed.is_set() and remote.changed.is_set())
            far.publish(["a"])

            assert not other.changed.is_set()

    async def test_notifies_again_after_each_read(self, near: Notifier, far: Notifier) -> None:
        with far.subscribe(control_topic("a")) as remote:
            for _ in range(5):
                remote.changed.clear()

                near.publish([control_topic("a")])

                await wait_until(remote.changed.is_set)

    async def test_delivers_chunks_once_complete_and_in_order(self, near: Notifier, far: Notifier) -> None:
        sent = [Chunk(number, f'{{"text":"ünï {number} \\u0000 😀"}}') for number in range(200)]
        with near.subscribe("a") as local, far.subscribe("a") as remote:
            for chunk in sent:
                near.publish_ephemeral("a", chunk)

            assert await receive_chunks(remote, len(sent)) == sent
            assert await receive_chunks(local, len(sent)) == sent
            near.publish(["a"])
            await wait_until(remote.changed.is_set)
            assert remote.pop_chunks() == []

    async def test_chunks_alone_do_not_announce_new_rows(self, near: Notifier, far: Notifier) -> None:
        reader = RecordingSubscriber()
        with far.subscribe("a") as remote:
            far.attach("a", reader)
            near.publish_ephemeral("a", Chunk(1, "x"))

            await receive_chunks(remote, 1)
            await wait_until(lambda: reader.chunks == [Chunk(1, "x")])

            assert reader.notifications == 0
            far.detach("a", reader)

    async def test_publishes_a_thousand_topics_at_once(self, near: Notifier, far: Notifier) -> None:
        topics = [f"run_{number:032}" for number in range(1000)]
        with far.subscribe(topics[0]) as first, far.subscribe(topics[-1]) as last:
            near.publish(topics)

            await wait_until(lambda: first.changed.is_set() and last.changed.is_set())

    async def test_an_oversized_chunk_does_not_block_later_ones(self, near: Notifier, far: Notifier) -> None:
        with far.subscribe("a") as remote:
            near.publish_ephemeral("a", Chunk(1, "x" * 100_000))
            near.publish_ephemeral("a", Chunk(1, "short"))
            near.publish(["a"])

            received: list[Chunk] = []
            for _ in count():
                received += await receive_chunks(remote, 1)
                if received[-1].text == "short":
                    break

    async def test_counts_current_subscribers(self, near: Notifier) -> None:
        with near.subscribe("a"), near.subscribe("b"):
            assert near.subscriber_count() == 2

        assert near.subscriber_count() == 0
