"""The event log and its live stream: a reader misses nothing and sees nothing twice."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crewai_runner.domain.run import RunFailure, RunResult, TaskState
from crewai_runner.domain.run_events import RunEvent, TaskSkipped
from crewai_runner.features.events import run_event_stream as stream_module
from crewai_runner.features.events.event_list import EventListService
from crewai_runner.features.events.frames import Frame, merge_by_sequence
from crewai_runner.features.events.run_event_stream import RunEventStream
from crewai_runner.features.events.schemas import EventPage
from crewai_runner.features.events.service import assign_sequence_numbers
from crewai_runner.features.runs.errors import RunNotFound
from crewai_runner.stream.notifier import Chunk
from tests.support.builders import started
from tests.support.database import fresh_database
from tests.support.harness import ON_SQLITE, RunHarness, open_harness
from tests.support.principals import OWNER, STRANGER

pytestmark = pytest.mark.each_database

FAILURE = RunFailure(code="x", message="y")
Frames = list[Frame | None]


def event_stream(harness: RunHarness, ping_seconds: float = 10.0) -> RunEventStream:
    container = harness.container
    return RunEventStream(container.reader, container.feeds, ping_seconds)


async def read_stream(harness: RunHarness, run_id: str, after: int = 0) -> Frames:
    """Return every frame of the stream until it ends."""
    async with asyncio.timeout(20):
        return [frame async for frame in event_stream(harness).open(OWNER, run_id, after)]


def sequence_numbers(frames: Frames) -> list[int]:
    return [frame.seq for frame in frames if frame is not None and frame.seq is not None]


async def create_finished_run(harness: RunHarness, skipped: int = 5) -> str:
    run_id = await harness.create_running()
    async with harness.transaction(run_id) as (run, lifecycle):
        await lifecycle.emit(run, *[TaskSkipped(task_key="report")] * skipped)
        await lifecycle.complete(run, RunResult(raw="r"))
    return run_id


async def _close(frames: AsyncIterator[Frame | None]) -> None:
    await frames.aclose()  # type: ignore[attr-defined]


class TestListPage:
    async def test_returns_events_after_a_number_in_order(self, harness: RunHarness) -> None:
        run_id = await create_finished_run(harness)

        body = await EventListService(harness.container.reader).list_page(OWNER, run_id, 3, 2)

        events = (await harness.events(run_id))[3:5]
        assert body == EventPage(events=events, last_seq=8).model_dump_json().encode()

    async def test_says_when_events_were_deleted(self, harness: RunHarness) -> None:
        run_id, moment = await create_finished_run(harness), datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        async with harness.transaction(run_id) as (run, _):
            run.events_deleted_at = moment

        body = await EventListService(harness.container.reader).list_page(OWNER, run_id, 99, 2)

        assert body == EventPage(events=[], last_seq=8, events_deleted_at=moment).model_dump_json().encode()

    @pytest.mark.parametrize("run_id", ["run_0", "run_\x00", "wf_1"])
    async def test_unknown_run(self, harness: RunHarness, run_id: str) -> None:
        with pytest.raises(RunNotFound):
            await EventListService(harness.container.reader).list_page(OWNER, run_id, 0, 2)

    async def test_other_workspace_gets_404(self, harness: RunHarness) -> None:
        run_id = await create_finished_run(harness)

        with pytest.raises(RunNotFound):
            await EventListService(harness.container.reader).list_page(STRANGER, run_id, 0, 2)


class TestMergeBySequence:
    rows = tuple(Frame(seq, "task.skipped", str(seq)) for seq in (4, 5, 6))

    def merge(self, *after: int) -> list[str]:
        chunks = [Frame.of_chunk(Chunk(a, f"c{i}")) for i, a in enumerate(after)]
        return [frame.text for frame in merge_by_sequence(self.rows, chunks)]

    def test_chunk_comes_directly_after_its_event(self) -> None:
        assert self.merge(4, 6) == ["4", "c0", "5", "6", "c1"]

    def test_chunks_of_one_event_keep_their_order(self) -> None:
        assert self.merge(5, 5, 5) == ["4", "5", "c0", "c1", "c2", "6"]

    def test_chunk_of_an_earlier_event_comes_first(self) -> None:
        assert self.merge(2) == ["c0", "4", "5", "6"]

    def test_chunks_have_no_sequence_number(self) -> None:
        (frame,) = merge_by_sequence([], [Frame.of_chunk(Chunk(3, "x"))])

        assert frame == Frame(None, "llm.chunk", "x")


class TestAssignSequenceNumbers:
    def test_continues_without_gaps_and_copies_the_events(self) -> None:
        events: list[RunEvent] = [TaskSkipped(task_key=str(n)) for n in range(3)]

        numbered = assign_sequence_numbers("run_1", 7, events)

        assert [(event.seq, event.run_id, event.task_key) for event in numbered] == [
            (8, "run_1", "0"),
            (9, "run_1", "1"),
            (10, "run_1", "2"),
        ]
        assert events[0].seq == 0


steps = st.lists(st.sampled_from(["emit", "disconnect", "fail"]), max_size=12)


class TestOpenStream:
    async def test_yields_a_snapshot_then_every_event(self, harness: RunHarness) -> None:
        run_id = await create_finished_run(harness)

        frames = await read_stream(harness, run_id)

        assert frames[0] is not None
        assert (frames[0].type, frames[0].seq) == ("run.snapshot", None)
        assert sequence_numbers(frames) == list(range(1, 9))
        assert frames[-1] is not None
        assert frames[-1].type == "run.completed"
        assert sum(frame is not None and frame.type == "run.completed" for frame in frames) == 1

    async def test_resuming_after_any_event_repeats_and_misses_nothing(self, harness: RunHarness) -> None:
        run_id = await create_finished_run(harness)
        all_frames = (await read_stream(harness, run_id))[1:]

        for cut in range(len(all_frames) + 1):
            assert all_frames[:cut] + (await read_stream(harness, run_id, after=cut))[1:] == all_frames

    async def test_reads_many_pages(self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stream_module, "PAGE_SIZE", 3)
        run_id = await create_finished_run(harness, skipped=10)

        assert sequence_numbers(await read_stream(harness, run_id)) == list(range(1, 14))

    async def test_ends_for_a_number_above_the_last_event(self, harness: RunHarness) -> None:
        run_id = await create_finished_run(harness)

        assert sequence_numbers(await read_stream(harness, run_id, after=2**31 - 1)) == []

    async def test_other_workspace_gets_404(self, harness: RunHarness) -> None:
        run_id = await create_finished_run(harness)

        with pytest.raises(RunNotFound):
            await event_stream(harness).check_access(STRANGER, run_id)
        with pytest.raises(RunNotFound):
            await anext(event_stream(harness).open(STRANGER, run_id, 0))

    async def test_new_event_reaches_a_waiting_reader_and_the_final_one_ends_the_stream(
        self, harness: RunHarness
    ) -> None:
        run_id = await harness.create_running()
        frames = event_stream(harness).open(OWNER, run_id, 2)
        await anext(frames)
        next_frame = asyncio.ensure_future(anext(frames))

        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.fail(run, FAILURE)

        last = await asyncio.wait_for(next_frame, 10)
        assert last is not None
        assert (last.seq, last.type) == (3, "run.failed")
        with pytest.raises(StopAsyncIteration):
            await anext(frames)

    async def test_continues_when_the_run_is_resumed(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.fail(run, FAILURE)
            await lifecycle.queue_next_attempt(run, "resumed")
        frames = event_stream(harness).open(OWNER, run_id, 0)

        frames_read = [await asyncio.wait_for(anext(frames), 10) for _ in range(5)]
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.begin(run, "e", native=True)
            await lifecycle.complete(run, RunResult(raw="r"))
        frames_read += [frame async for frame in frames]

        assert [frame.type for frame in frames_read if frame is not None] == [
            "run.snapshot",
            "run.queued",
            "run.started",
            "run.failed",
            "run.queued",
            "run.resumed",
            "run.completed",
        ]

    @ON_SQLITE
    async def test_sends_heartbeats_while_idle(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        frames = event_stream(harness, ping_seconds=0.01).open(OWNER, run_id, 2)
        await anext(frames)

        assert [await asyncio.wait_for(anext(frames), 10) for _ in range(2)] == [None, None]
        await _close(frames)

    @ON_SQLITE
    async def test_closing_the_stream_unsubscribes(self, harness: RunHarness) -> None:
        frames = event_stream(harness).open(OWNER, await harness.create_running(), 0)
        await anext(frames)
        assert harness.container.notifier.subscriber_count() == 1

        await _close(frames)

        assert harness.container.notifier.subscriber_count() == 0

    async def test_snapshot_holds_the_current_state(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        harness.container.event_writer.open_sink(run_id, 1, lambda: None)(started("research"))
        await harness.container.event_writer.flush()

        frames = event_stream(harness).open(OWNER, run_id, 0)
        first = await anext(frames)
        await _close(frames)

        assert first is not None
        snapshot = stream_module.RunSnapshot.model_validate_json(first.text)
        assert (snapshot.data.status, snapshot.seq) == ("running", 3)
        assert snapshot.data.tasks[0].status is TaskState.RUNNING

    @settings(max_examples=15, deadline=None)
    @given(steps=steps)
    def test_any_number_of_disconnects_misses_no_event(
        self, steps: list[str], tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        asyncio.run(_read_through(steps, tmp_path_factory.mktemp("events")))


async def _read_through(steps: list[str], folder: Path) -> None:
    """One reader streams a run, disconnects at times and resumes with the last number it received."""
    with fresh_database("sqlite", folder) as url:
        async with open_harness(url, folder) as harness:
            run_id = await harness.create_running()
            reader = _Reader(harness, run_id)
            for step in steps:
                await _perform(step, harness, run_id, reader)
            async with harness.transaction(run_id) as (run, lifecycle):
                await lifecycle.complete(run, RunResult(raw="r"))
            await reader.read_to_end()

            stored = [event.seq for event in await harness.events(run_id)]
            assert reader.seen == stored


async def _perform(step: str, harness: RunHarness, run_id: str, reader: "_Reader") -> None:
    async with harness.transaction(run_id) as (run, lifecycle):
        if step == "emit":
            await lifecycle.emit(run, TaskSkipped(task_key="report"), TaskSkipped(task_key="report"))
        if step == "fail":
            await lifecycle.fail(run, FAILURE)
            await lifecycle.queue_next_attempt(run, "resumed")
            await lifecycle.begin(run, "e", native=True)
    await reader.reconnect() if step == "disconnect" else await reader.read_one()


class _Reader:
    def __init__(self, harness: RunHarness, run_id: str) -> None:
        self.seen: list[int] = []
        self._harness, self._run_id = harness, run_id
        self._frames = self._connect()

    def _connect(self) -> AsyncIterator[Frame | None]:
        after = self.seen[-1] if self.seen else 0
        return event_stream(self._harness).open(OWNER, self._run_id, after)

    async def read_one(self) -> None:
        """Read one numbered frame if the run has one that was not read yet."""
        if len(self.seen) < (await self._harness.get_run(self._run_id)).last_seq:
            while not self._record(await anext(self._frames)):
                pass

    def _record(self, frame: Frame | None) -> bool:
        if frame is None or frame.seq is None:
            return False
        self.seen.append(frame.seq)
        return True

    async def reconnect(self) -> None:
        await _close(self._frames)
        self._frames = self._connect()

    async def read_to_end(self) -> None:
        async for frame in self._frames:
            self._record(frame)
