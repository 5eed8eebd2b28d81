"""Readers of a running run: new events come from memory, or from one read for all readers."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from crewai_runner.domain.run import RunResult
from crewai_runner.domain.run_event_payloads import LlmChunkData
from crewai_runner.domain.run_events import LlmChunk, TaskSkipped
from crewai_runner.features.events import feed_registry as feed_registry_module
from crewai_runner.features.events import run_feed as run_feed_module
from crewai_runner.features.events.frames import Frame
from crewai_runner.features.events.run_event_stream import RunEventStream
from crewai_runner.stream.notifier import MemoryNotifier
from crewai_runner.stream.postgres import PostgresNotifier
from tests.support.builders import failed_call, started
from tests.support.harness import RunHarness
from tests.support.principals import OWNER

pytestmark = pytest.mark.each_database

Frames = list[Frame | None]


def event_stream(harness: RunHarness) -> RunEventStream:
    container = harness.container
    return RunEventStream(container.reader, container.feeds, 1000.0)


def sequence_numbers(frames: Frames) -> list[int]:
    return [frame.seq for frame in frames if frame is not None and frame.seq is not None]


async def close(stream: AsyncIterator[Frame | None]) -> None:
    await stream.aclose()  # type: ignore[attr-defined]


async def emit_skipped(harness: RunHarness, run_id: str) -> None:
    """Commit one event of the run."""
    async with harness.transaction(run_id) as (run, lifecycle):
        await lifecycle.emit(run, TaskSkipped(task_key="report"))


async def read_frames(stream: AsyncIterator[Frame | None], count: int) -> Frames:
    async with asyncio.timeout(20):
        return [await anext(stream) for _ in range(count)]


def receive_notification(harness: RunHarness, run_id: str) -> None:
    """Notify of the run as if another process had stored its rows."""
    notifier = harness.container.notifier
    local = notifier._local if isinstance(notifier, PostgresNotifier) else notifier
    assert isinstance(local, MemoryNotifier)
    local.publish_received([run_id])


def live_text(text: str) -> LlmChunk:
    return LlmChunk(task_key="research", data=LlmChunkData(call_id="c", text=text))


class TestLiveReaders:
    @pytest.fixture(autouse=True)
    def no_poll(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(feed_registry_module, "POLL_SECONDS", 1000.0)

    @pytest.fixture
    def reads(self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """The numbers after which events were read, since the streams began."""
        feeds, reads = harness.container.feeds, []
        read_frames = feeds.read_frames

        async def counted(run: str, after: int, limit: int) -> list[Frame]:
            reads.append(after)
            return await read_frames(run, after, limit)

        monkeypatch.setattr(feeds, "read_frames", counted)
        return reads

    async def test_event_during_the_first_read_is_not_lost(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_id = await harness.create_running()
        reader = harness.container.reader
        run = reader.run

        async def wait_after_read(read: Any) -> Any:
            found = await run(read)
            has_read.set()
            await emitted.wait()
            return found

        has_read, emitted = asyncio.Event(), asyncio.Event()
        monkeypatch.setattr(reader, "run", wait_after_read)
        frames = event_stream(harness).open(OWNER, run_id, 0)
        first = asyncio.ensure_future(anext(frames))
        await asyncio.wait_for(has_read.wait(), 10)

        await emit_skipped(harness, run_id)
        emitted.set()

        await asyncio.wait_for(first, 10)
        assert sequence_numbers(await read_frames(frames, 3)) == [1, 2, 3]
        await close(frames)

    async def test_events_committed_here_need_no_read(self, harness: RunHarness, reads: list[int]) -> None:
        run_id = await harness.create_running()
        streams = [event_stream(harness).open(OWNER, run_id, 0) for _ in range(2)]
        before = [await read_frames(stream, 3) for stream in streams]

        await emit_skipped(harness, run_id)
        sink = harness.container.event_writer.open_sink(run_id, 1, lambda: None)
        sink(started("research"))
        await harness.container.event_writer.flush()
        after = [await read_frames(stream, 2) for stream in streams]

        assert [sequence_numbers(frames) for frames in before] == [[1, 2], [1, 2]]
        assert [sequence_numbers(frames) for frames in after] == [[3, 4], [3, 4]]
        assert reads == []
        assert [frame.text for frame in after[0] if frame] == [
            row.model_dump_json() for row in (await harness.events(run_id))[2:]
        ]
        assert all(one is other for one, other in zip(*after, strict=True)), "each reader has its own copy"
        for stream in streams:
            await close(stream)

    async def test_events_of_another_process_are_read_once_for_all_readers(
        self, harness: RunHarness, reads: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_id = await harness.create_running()
        streams = [event_stream(harness).open(OWNER, run_id, 2) for _ in range(3)]
        for stream in streams:
            await anext(stream)
        waiting = [asyncio.ensure_future(anext(stream)) for stream in streams]
        monkeypatch.setattr(harness.container.feeds, "on_commit", lambda _batch: None)

        await emit_skipped(harness, run_id)
        receive_notification(harness, run_id)

        frames = await asyncio.wait_for(asyncio.gather(*waiting), 10)
        assert sequence_numbers(frames) == [3, 3, 3]
        assert reads == [2]
        for stream in streams:
            await close(stream)

    async def test_gap_before_an_event_committed_here_is_read(
        self, harness: RunHarness, reads: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_id = await harness.create_running()
        stream = event_stream(harness).open(OWNER, run_id, 2)
        await anext(stream)
        with monkeypatch.context() as patch:
            patch.setattr(harness.container.feeds, "on_commit", lambda _batch: None)
            await emit_skipped(harness, run_id)

        await emit_skipped(harness, run_id)
        assert sequence_numbers(await read_frames(stream, 2)) == [3, 4]
        await emit_skipped(harness, run_id)

        assert sequence_numbers(await read_frames(stream, 1)) == [5]
        assert reads == [2]
        await close(stream)

    async def test_slow_reader_reads_rows(
        self, harness: RunHarness, reads: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(run_feed_module, "MAX_QUEUED_FRAMES", 3)
        run_id = await harness.create_running()
        slow, quick = (event_stream(harness).open(OWNER, run_id, 2) for _ in range(2))
        await anext(slow)
        await anext(quick)

        for seq in range(3, 10):
            await emit_skipped(harness, run_id)
            assert sequence_numbers(await read_frames(quick, 1)) == [seq]
        assert reads == []

        assert sequence_numbers(await read_frames(slow, 7)) == list(range(3, 10))
        assert reads == [2]
        await emit_skipped(harness, run_id)
        assert sequence_numbers(await read_frames(slow, 1)) == [10]
        for stream in (slow, quick):
            await close(stream)

    async def test_lost_notification_is_made_up_for_by_the_poll(
        self, harness: RunHarness, reads: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(feed_registry_module, "POLL_SECONDS", 0.01)
        monkeypatch.setattr(harness.container.feeds, "on_commit", lambda _batch: None)
        run_id = await harness.create_running()
        stream = event_stream(harness).open(OWNER, run_id, 2)
        await anext(stream)

        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.complete(run, RunResult(raw="r"))

        assert sequence_numbers([frame async for frame in stream]) == [3]
        assert reads == [2]

    async def test_end_of_the_run_ends_a_reader_that_claims_later_events(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(feed_registry_module, "POLL_SECONDS", 0.01)
        run_id = await harness.create_running()
        stream = event_stream(harness).open(OWNER, run_id, 2**31 - 1)
        await anext(stream)

        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.complete(run, RunResult(raw="r"))

        assert sequence_numbers([frame async for frame in stream]) == []

    async def test_text_in_a_batch_stays_between_its_events(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        stream = event_stream(harness).open(OWNER, run_id, 2)
        await anext(stream)
        sink = harness.container.event_writer.open_sink(run_id, 1, lambda: None)
        events = [started("research"), live_text("one!"), failed_call(), live_text("two!"), failed_call()]

        for event in events:
            sink(event)
        await harness.container.event_writer.flush()
        sink(live_text("three!"))

        frames = await read_frames(stream, 6)
        assert [frame.type for frame in frames if frame] == [
            *("task.started", "llm.chunk", "llm.failed", "llm.chunk", "llm.failed", "llm.chunk")
        ]
        await close(stream)
