"""Readers miss nothing, see nothing twice, and are sent home when the run is over."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crewai_runner.domain.run import RunFailure, RunResult, TaskState
from crewai_runner.domain.run_events import RunEvent, TaskSkipped
from crewai_runner.features.events import run_event_stream as events_module
from crewai_runner.features.events.repository import EventRepository
from crewai_runner.features.events.run_event_stream import Frame, RunEventStream, merge_by_sequence
from crewai_runner.features.events.service import EventService, assign_sequence_numbers
from crewai_runner.features.runs.errors import RunNotFound
from crewai_runner.stream.notifier import Chunk
from tests.support.builders import started
from tests.support.database import fresh_database
from tests.support.harness import ON_SQLITE, RunHarness, open_harness
from tests.support.principals import OWNER, STRANGER

FAILURE = RunFailure(code="x", message="y")
Frames = list[Frame | None]


def follower(harness: RunHarness, ping_seconds: float = 10.0) -> RunEventStream:
    return RunEventStream(harness.container.sessions, harness.container.notifier, ping_seconds)


async def read(harness: RunHarness, run_id: str, after: int = 0) -> Frames:
    """The whole stream, to its end."""
    async with asyncio.timeout(20):
        return [frame async for frame in follower(harness).open(OWNER, run_id, after)]


def ids(frames: Frames) -> list[int]:
    return [frame.seq for frame in frames if frame is not None and frame.seq is not None]


async def a_finished_run(harness: RunHarness, skipped: int = 5) -> str:
    run_id = await harness.begun()
    async with harness.transaction(run_id) as (run, lifecycle):
        await lifecycle.emit(run, *[TaskSkipped(task_key="report")] * skipped)
        await lifecycle.complete(run, RunResult(raw="r"))
    return run_id


async def test_a_stream_is_a_snapshot_and_then_every_event_to_the_last(harness: RunHarness) -> None:
    run_id = await a_finished_run(harness)

    frames = await read(harness, run_id)

    assert frames[0] is not None
    assert (frames[0].type, frames[0].seq) == ("run.snapshot", None)
    assert ids(frames) == list(range(1, 9))
    assert frames[-1] is not None
    assert frames[-1].type == "run.completed"
    assert sum(frame is not None and frame.type == "run.completed" for frame in frames) == 1


async def test_a_cut_at_any_place_and_a_resume_are_the_uncut_stream(harness: RunHarness) -> None:
    run_id = await a_finished_run(harness)
    whole = (await read(harness, run_id))[1:]

    for cut in range(len(whole) + 1):
        assert whole[:cut] + (await read(harness, run_id, after=cut))[1:] == whole


async def test_many_pages_are_one_stream(harness: RunHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_module, "PAGE_SIZE", 3)
    run_id = await a_finished_run(harness, skipped=10)

    assert ids(await read(harness, run_id)) == list(range(1, 14))


async def test_a_reader_who_saw_more_than_there_is_is_sent_home(harness: RunHarness) -> None:
    run_id = await a_finished_run(harness)

    assert ids(await read(harness, run_id, after=2**31 - 1)) == []


async def test_a_run_of_another_workspace_is_hidden(harness: RunHarness) -> None:
    run_id = await a_finished_run(harness)

    with pytest.raises(RunNotFound):
        await follower(harness).check_access(STRANGER, run_id)
    with pytest.raises(RunNotFound):
        await anext(follower(harness).open(STRANGER, run_id, 0))


async def test_news_reach_a_waiting_reader_and_the_end_ends_the_stream(harness: RunHarness) -> None:
    run_id = await harness.begun()
    frames = follower(harness).open(OWNER, run_id, 2)
    await anext(frames)
    reading = asyncio.ensure_future(anext(frames))

    async with harness.transaction(run_id) as (run, lifecycle):
        await lifecycle.fail(run, FAILURE)

    last = await asyncio.wait_for(reading, 10)
    assert last is not None
    assert (last.seq, last.type) == (3, "run.failed")
    with pytest.raises(StopAsyncIteration):
        await anext(frames)


async def test_the_reader_of_a_resumed_run_goes_on(harness: RunHarness) -> None:
    run_id = await harness.begun()
    async with harness.transaction(run_id) as (run, lifecycle):
        await lifecycle.fail(run, FAILURE)
        await lifecycle.queue_again(run, "resumed")
    frames = follower(harness).open(OWNER, run_id, 0)

    heard = [await asyncio.wait_for(anext(frames), 10) for _ in range(5)]
    async with harness.transaction(run_id) as (run, lifecycle):
        await lifecycle.begin(run, "e", native=True)
        await lifecycle.complete(run, RunResult(raw="r"))
    heard += [frame async for frame in frames]

    assert [frame.type for frame in heard if frame is not None] == [
        "run.snapshot",
        "run.queued",
        "run.started",
        "run.failed",
        "run.queued",
        "run.resumed",
        "run.completed",
    ]


class TestTheBell:
    """Looks at the rows are made when it rings, and a ring between two looks is not lost."""

    @pytest.fixture(autouse=True)
    def no_poll(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(events_module, "POLL_SECONDS", 1000.0)

    async def test_news_of_the_very_moment_of_a_look_is_not_lost(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_id = await harness.begun()
        whole = EventRepository.list_after
        looks = 0

        async def news_after_the_look(self: EventRepository, run: str, seq: int, limit: int) -> Any:
            nonlocal looks
            rows = await whole(self, run, seq, limit)
            looks += 1
            if looks == 1:
                asyncio.get_running_loop().call_soon(telling.set)
                await told.wait()
            return rows

        telling, told = asyncio.Event(), asyncio.Event()
        monkeypatch.setattr(EventRepository, "list_after", news_after_the_look)
        frames = follower(harness, ping_seconds=1000.0).open(OWNER, run_id, 2)
        await anext(frames)
        reading = asyncio.ensure_future(anext(frames))
        await asyncio.wait_for(telling.wait(), 10)

        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.emit(run, TaskSkipped(task_key="report"))
        told.set()

        heard = await asyncio.wait_for(reading, 10)
        assert heard is not None
        assert heard.seq == 3
        await _close(frames)

    async def test_one_ring_is_one_look(self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch) -> None:
        run_id = await harness.begun()
        whole, looks = RunEventStream._read_events, []

        async def counted(self: RunEventStream, run: str, after: int) -> Any:
            looks.append(after)
            return await whole(self, run, after)

        monkeypatch.setattr(RunEventStream, "_read_events", counted)
        frames = follower(harness, ping_seconds=1000.0).open(OWNER, run_id, 0)
        for _ in range(3):
            await anext(frames)
        reading = asyncio.ensure_future(anext(frames))
        for _ in range(5):
            await harness.row(run_id)  # gives the reader time for more looks than it should make
        before = len(looks)
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.emit(run, TaskSkipped(task_key="report"))
        await asyncio.wait_for(reading, 10)
        waiting = asyncio.ensure_future(anext(frames))
        for _ in range(5):
            await harness.row(run_id)

        assert (before, len(looks)) == (1, 2)
        waiting.cancel()
        await asyncio.wait([waiting])


@ON_SQLITE
async def test_a_quiet_stream_has_a_heartbeat(harness: RunHarness) -> None:
    run_id = await harness.begun()
    frames = follower(harness, ping_seconds=0.01).open(OWNER, run_id, 2)
    await anext(frames)

    assert [await asyncio.wait_for(anext(frames), 10) for _ in range(2)] == [None, None]
    await _close(frames)


@ON_SQLITE
async def test_a_reader_who_leaves_is_forgotten_by_the_hub(harness: RunHarness) -> None:
    frames = follower(harness).open(OWNER, await harness.begun(), 0)
    await anext(frames)
    assert harness.container.notifier.subscriber_count() == 1

    await _close(frames)

    assert harness.container.notifier.subscriber_count() == 0


async def _close(frames: AsyncIterator[Frame | None]) -> None:
    await frames.aclose()  # type: ignore[attr-defined]


async def test_the_snapshot_tells_the_state_of_now(harness: RunHarness) -> None:
    run_id = await harness.begun()
    harness.container.event_writer.open_sink(run_id, 1, lambda: None)(started("research"))
    await harness.container.event_writer.flush()

    frames = follower(harness).open(OWNER, run_id, 0)
    first = await anext(frames)
    await _close(frames)

    assert first is not None
    shot = events_module.RunSnapshot.model_validate_json(first.text)
    assert (shot.data.status, shot.seq) == ("running", 3)
    assert shot.data.tasks[0].status is TaskState.RUNNING


async def test_a_page_holds_events_after_a_number_in_order(harness: RunHarness) -> None:
    run_id = await a_finished_run(harness)

    async with harness.session() as session:
        page = await EventService(session, harness.container.mask).list_page(OWNER, run_id, 3, 2)

    assert [event.seq for event in page.events] == [4, 5]
    assert page.last_seq == 8


class TestInOrder:
    rows = tuple(Frame(seq, "task.skipped", str(seq)) for seq in (4, 5, 6))

    def told(self, *after: int) -> list[str]:
        rows = [_Row(row.seq or 0, row.type, row.text) for row in self.rows]
        return [
            frame.text for frame in merge_by_sequence(rows, [Chunk(a, f"c{i}") for i, a in enumerate(after)])
        ]

    def test_a_chunk_stands_right_after_its_event(self) -> None:
        assert self.told(4, 6) == ["4", "c0", "5", "6", "c1"]

    def test_chunks_of_one_event_keep_their_order(self) -> None:
        assert self.told(5, 5, 5) == ["4", "5", "c0", "c1", "c2", "6"]

    def test_a_chunk_of_an_event_seen_before_comes_first(self) -> None:
        assert self.told(2) == ["c0", "4", "5", "6"]

    def test_chunks_have_no_number(self) -> None:
        (frame,) = merge_by_sequence([], [Chunk(3, "x")])

        assert frame == Frame(None, "llm.chunk", "x")


class _Row:
    def __init__(self, seq: int, type_: str, frame: str) -> None:
        self.seq, self.type, self.frame = seq, type_, frame


def test_numbers_go_on_without_a_gap() -> None:
    events: list[RunEvent] = [TaskSkipped(task_key=str(n)) for n in range(3)]

    numbered = assign_sequence_numbers("run_1", 7, events)

    assert [(event.seq, event.run_id, event.task_key) for event in numbered] == [
        (8, "run_1", "0"),
        (9, "run_1", "1"),
        (10, "run_1", "2"),
    ]
    assert events[0].seq == 0


steps = st.lists(st.sampled_from(["tell", "cut", "fail"]), max_size=12)


@settings(max_examples=15, deadline=None)
@given(steps=steps)
def test_however_often_the_line_breaks_the_story_is_whole(
    steps: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    asyncio.run(_live_through(steps, tmp_path_factory.mktemp("story")))


async def _live_through(steps: list[str], folder: Path) -> None:
    """One reader follows a run live, is cut off at times, and comes back with the last number seen."""
    with fresh_database("sqlite", folder) as url:
        async with open_harness(url, folder) as harness:
            run_id = await harness.begun()
            reader = _Reader(harness, run_id)
            for step in steps:
                await _do(step, harness, run_id, reader)
            async with harness.transaction(run_id) as (run, lifecycle):
                await lifecycle.complete(run, RunResult(raw="r"))
            await reader.to_the_end()

            stored = [event.seq for event in await harness.events(run_id)]
            assert reader.seen == stored


async def _do(step: str, harness: RunHarness, run_id: str, reader: "_Reader") -> None:
    async with harness.transaction(run_id) as (run, lifecycle):
        if step == "tell":
            await lifecycle.emit(run, TaskSkipped(task_key="report"), TaskSkipped(task_key="report"))
        if step == "fail":
            await lifecycle.fail(run, FAILURE)
            await lifecycle.queue_again(run, "resumed")
            await lifecycle.begin(run, "e", native=True)
    await reader.cut_off() if step == "cut" else await reader.catch_one()


class _Reader:
    def __init__(self, harness: RunHarness, run_id: str) -> None:
        self.seen: list[int] = []
        self._harness, self._run_id = harness, run_id
        self._frames = self._dial()

    def _dial(self) -> AsyncIterator[Frame | None]:
        after = self.seen[-1] if self.seen else 0
        return follower(self._harness).open(OWNER, self._run_id, after)

    async def catch_one(self) -> None:
        """Take one numbered frame if there is one to come."""
        if len(self.seen) < (await self._harness.row(self._run_id)).last_seq:
            while not self._note(await anext(self._frames)):
                pass

    def _note(self, frame: Frame | None) -> bool:
        if frame is None or frame.seq is None:
            return False
        self.seen.append(frame.seq)
        return True

    async def cut_off(self) -> None:
        await _close(self._frames)
        self._frames = self._dial()

    async def to_the_end(self) -> None:
        async for frame in self._frames:
            self._note(frame)
