"""The feed of one run: which frames readers receive, and in which order."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from crewai_runner.features.events.frames import Frame
from crewai_runner.features.events.run_event_stream import _Position
from crewai_runner.features.events.run_feed import FeedReader, RunFeed
from crewai_runner.stream.notifier import Chunk


def events(*numbers: int) -> list[Frame]:
    return [Frame(number, "task.skipped", str(number)) for number in numbers]


def sequence_numbers(frames: Sequence[Frame]) -> list[int]:
    return [frame.seq for frame in frames if frame.seq is not None]


class TestRunFeed:
    @pytest.fixture
    async def reader(self) -> AsyncIterator[FeedReader]:
        reader = FeedReader(1000.0)
        yield reader
        reader.close()

    def feed(self, reader: FeedReader, after: int, rows: Sequence[Frame] = ()) -> RunFeed:
        async def read(_run_id: str, seq: int, _limit: int) -> list[Frame]:
            return [row for row in rows if (row.seq or 0) > seq]

        feed = RunFeed("run_1", read)
        feed.readers.add(reader)
        feed.start_after(after)
        return feed

    async def test_events_that_were_passed_on_are_dropped(self, reader: FeedReader) -> None:
        feed = self.feed(reader, 4)

        feed.push_events(events(3, 4, 5))
        feed.push_events(events(5, 6))

        assert sequence_numbers(reader.pop()) == [5, 6]

    async def test_events_before_a_gap_are_read_and_come_first(self, reader: FeedReader) -> None:
        feed = self.feed(reader, 4, events(5, 6, 7))

        feed.push_events(events(7))
        assert reader.pop() == []
        await asyncio.wait_for(reader.wait(), 10)

        assert sequence_numbers(reader.pop()) == [5, 6, 7]

    async def test_text_waits_for_the_event_that_it_follows(self, reader: FeedReader) -> None:
        feed = self.feed(reader, 4)

        for after in (4, 6, 5):
            feed.push_chunk(Chunk(after, f"after {after}"))
        assert [frame.text for frame in reader.pop()] == ["after 4"]
        feed.push_events(events(5, 6, 7))

        assert [frame.text for frame in reader.pop()] == ["5", "after 5", "6", "after 6", "7"]

    async def test_notification_before_the_start_is_known_is_not_lost(self, reader: FeedReader) -> None:
        async def read(_run_id: str, seq: int, _limit: int) -> list[Frame]:
            return events(seq + 1)

        feed = RunFeed("run_1", read)
        feed.readers.add(reader)
        feed.notify(is_local=False)

        feed.start_after(8)
        await asyncio.wait_for(reader.wait(), 10)

        assert sequence_numbers(reader.pop()) == [9]

    async def test_local_notification_causes_no_read(self, reader: FeedReader) -> None:
        feed = self.feed(reader, 4, events(5))

        feed.notify(is_local=True)
        await asyncio.sleep(0)

        assert feed._reading is None

    async def test_failed_read_is_repeated_by_the_next_notification(self, reader: FeedReader) -> None:
        errors = [ValueError("a bug")]

        async def read(_run_id: str, seq: int, _limit: int) -> list[Frame]:
            if errors:
                raise errors.pop()
            return events(seq + 1)

        feed = RunFeed("run_1", read)
        feed.readers.add(reader)
        feed.start_after(1)
        feed.notify(is_local=False)
        while feed._reading is not None:
            await asyncio.sleep(0)
        feed.notify(is_local=False)
        await asyncio.wait_for(reader.wait(), 10)

        assert sequence_numbers(reader.pop()) == [2]


class TestPosition:
    def test_queued_events_that_the_rows_cover_are_left_out(self) -> None:
        position = _Position(2)

        frames, is_missing = position.take(events(3, 4, 5), events(4, 5, 6))

        assert (sequence_numbers(frames), is_missing) == ([3, 4, 5, 6], False)
        assert position.after == 6

    def test_stops_before_a_gap(self) -> None:
        position = _Position(2)

        frames, is_missing = position.take([], events(3, 5))

        assert (sequence_numbers(frames), is_missing) == ([3], True)

    def test_final_event_that_the_rows_cover_still_ends_the_stream(self) -> None:
        final = Frame(3, "run.completed", "3")
        position = _Position(2)

        position.take([final], [final])

        assert position.is_final

    def test_text_is_merged_into_the_rows(self) -> None:
        text = Frame.of_chunk(Chunk(3, "text"))

        frames, _ = _Position(2).take(events(3, 4), [text])

        assert [frame.text for frame in frames] == ["3", "text", "4"]


class TestFrame:
    def test_is_encoded_once(self) -> None:
        frame = Frame(7, "task.skipped", '{"é":1}')

        assert frame.sse == 'id: 7\nevent: task.skipped\ndata: {"é":1}\n\n'.encode()
        assert frame.sse is frame.sse

    def test_text_has_no_id(self) -> None:
        assert Frame.of_chunk(Chunk(7, "{}")).sse == b"event: llm.chunk\ndata: {}\n\n"
