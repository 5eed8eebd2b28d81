import asyncio

from crewai_runner.executor.crew.events.chunk_buffer import LENGTH_NOTE, MAX_LENGTH, ChunkBuffer


class TestChunkBuffer:
    def test_merges_chunks(self) -> None:
        emitted: list[str] = []
        buffer = ChunkBuffer(emitted.append)

        for number in range(200):
            buffer.add(f"{number} ")
        buffer.flush()

        assert "".join(emitted) == "".join(f"{number} " for number in range(200))
        assert emitted[0] == "0 "
        assert len(emitted) < 100

    def test_long_answer_is_shown_up_to_the_limit(self) -> None:
        emitted: list[str] = []
        buffer = ChunkBuffer(emitted.append)

        for _ in range(MAX_LENGTH // 1000 + 5):
            buffer.add("x" * 999)
        buffer.flush()
        shown = "".join(emitted)
        buffer.replace("answer")
        buffer.add(" continues")
        buffer.flush()

        assert shown == "x" * MAX_LENGTH + LENGTH_NOTE
        assert "".join(emitted) == shown + "answer continues"

    async def test_emits_buffered_text_after_the_interval(self) -> None:
        second_emitted = asyncio.Event()
        emitted: list[str] = []

        def emit(text: str) -> None:
            emitted.append(text)
            if len(emitted) == 2:
                second_emitted.set()

        buffer = ChunkBuffer(emit)
        buffer.add("first")
        buffer.add("second")

        await asyncio.wait_for(second_emitted.wait(), 20)
        assert emitted == ["first", "second"]
