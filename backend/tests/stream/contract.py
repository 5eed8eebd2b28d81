"""What every bell promises to those who listen, here or in another process."""

import asyncio
from collections.abc import Callable
from itertools import count

from crewai_runner.stream.hub import Chunk, Hub, Listener, control_topic

PATIENCE_SECONDS = 10.0


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await asyncio.sleep(0.01)


async def heard(listener: Listener, number: int) -> list[Chunk]:
    """The live text, once so many pieces have come."""
    chunks: list[Chunk] = []

    def enough() -> bool:
        chunks.extend(listener.take_chunks())
        return len(chunks) >= number

    await until(enough)
    return chunks


class HubContract:
    """`near` is rung; `far` is the hub of another reader, which may be another process's."""

    async def test_a_ring_is_heard_by_everybody_who_listens_to_its_topic(self, near: Hub, far: Hub) -> None:
        with near.listening("a") as here, far.listening("a") as there, far.listening("b") as other:
            near.ring(["a"])
            await until(lambda: here.bell.is_set() and there.bell.is_set())
            far.ring(["a"])

            assert not other.bell.is_set()

    async def test_a_bell_rings_again_after_each_look(self, near: Hub, far: Hub) -> None:
        with far.listening(control_topic("a")) as there:
            for _ in range(5):
                there.bell.clear()
                there.take_news()

                near.ring([control_topic("a")])

                await until(there.bell.is_set)
                assert there.take_news()

    async def test_live_text_comes_once_whole_and_in_order(self, near: Hub, far: Hub) -> None:
        told = [Chunk(number, f'{{"text":"ünï {number} \\u0000 😀"}}') for number in range(200)]
        with near.listening("a") as here, far.listening("a") as there:
            for chunk in told:
                near.whisper("a", chunk)

            assert await heard(there, len(told)) == told
            assert await heard(here, len(told)) == told
            near.ring(["a"])
            await until(there.bell.is_set)
            assert there.take_chunks() == []

    async def test_live_text_alone_is_no_news(self, near: Hub, far: Hub) -> None:
        with far.listening("a") as there:
            there.take_news()
            near.whisper("a", Chunk(1, "x"))

            await heard(there, 1)

            assert not there.take_news()

    async def test_very_many_topics_are_rung_at_once(self, near: Hub, far: Hub) -> None:
        topics = [f"run_{number:032}" for number in range(1000)]
        with far.listening(topics[0]) as first, far.listening(topics[-1]) as last:
            near.ring(topics)

            await until(lambda: first.bell.is_set() and last.bell.is_set())

    async def test_text_that_is_too_long_for_the_bell_harms_nobody(self, near: Hub, far: Hub) -> None:
        with far.listening("a") as there:
            near.whisper("a", Chunk(1, "x" * 100_000))
            near.whisper("a", Chunk(1, "short"))
            near.ring(["a"])

            got: list[Chunk] = []
            for _ in count():
                got += await heard(there, 1)
                if got[-1].text == "short":
                    break

    async def test_who_has_left_is_forgotten(self, near: Hub) -> None:
        with near.listening("a"), near.listening("b"):
            assert near.readers() == 2

        assert near.readers() == 0
