"""The feeds of the runs that have readers in this process."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from crewai_runner.core.logging import get_logger
from crewai_runner.db.snapshot_reader import SnapshotReader
from crewai_runner.domain.committed_events import CommittedEvents
from crewai_runner.domain.run import FINAL_STATES, RunState
from crewai_runner.features.events.frames import Frame
from crewai_runner.features.events.list_repository import EventListRepository, RunProgress
from crewai_runner.features.events.run_feed import FeedReader, RunFeed
from crewai_runner.stream.notifier import Notifier

log = get_logger(__name__)
POLL_SECONDS = 2.0
"""How often it is checked, with one query for all feeds, whether a notification was lost."""


class FeedRegistry:
    def __init__(self, reader: SnapshotReader, notifier: Notifier) -> None:
        self._reader, self._notifier = reader, notifier
        self._feeds: dict[str, RunFeed] = {}
        self._poller: asyncio.Task[None] | None = None

    def reader_count(self) -> int:
        """Return the number of open streams."""
        return sum(len(feed.readers) for feed in self._feeds.values())

    @contextmanager
    def join(self, run_id: str, ping_seconds: float) -> Iterator[tuple[RunFeed, FeedReader]]:
        """Receive the frames of a run until the end of the block."""
        feed = self._feeds.get(run_id) or self._open(run_id)
        reader = FeedReader(ping_seconds)
        feed.readers.add(reader)
        try:
            yield feed, reader
        finally:
            reader.close()
            feed.readers.discard(reader)
            if not feed.readers:
                self._close(run_id, feed)

    def on_commit(self, batch: Sequence[CommittedEvents]) -> None:
        """A `CommitListener`."""
        for committed in batch:
            feed = self._feeds.get(committed.run_id)
            if feed is not None:
                pairs = zip(committed.events, committed.frames, strict=True)
                feed.push_events([Frame(event.seq, event.type, text) for event, text in pairs])

    async def read_frames(self, run_id: str, after: int, limit: int) -> list[Frame]:
        """Return the stored events with a number above `after`, in order."""

        def read(connection: Connection) -> list[Frame]:
            rows = EventListRepository(connection).list_after(run_id, after, limit)
            return [Frame(row.seq, row.type, row.frame) for row in rows]

        return await self._reader.run(read)

    def _open(self, run_id: str) -> RunFeed:
        feed = self._feeds[run_id] = RunFeed(run_id, self.read_frames)
        self._notifier.attach(run_id, feed)
        if self._poller is None:
            self._poller = asyncio.create_task(self._poll(), name="run-feeds")
        return feed

    def _close(self, run_id: str, feed: RunFeed) -> None:
        self._notifier.detach(run_id, feed)
        feed.close()
        del self._feeds[run_id]
        if not self._feeds and self._poller is not None:
            self._poller.cancel()
            self._poller = None

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                await self._check_feeds()
            except SQLAlchemyError as error:
                log.warning("run_feeds.poll_failed", error=type(error).__name__)
            except Exception:
                log.exception("run_feeds.poll_failed")

    async def _check_feeds(self) -> None:
        ids = [run_id for run_id, feed in self._feeds.items() if feed.last_seq is not None]
        progress = await self._reader.run(lambda connection: EventListRepository(connection).progress_of(ids))
        for run_id in ids:
            if (feed := self._feeds.get(run_id)) is not None:
                _check(feed, progress.get(run_id))


def _check(feed: RunFeed, run: RunProgress | None) -> None:
    """Let the feed read what it has missed; end the streams of a run that has finished or was deleted."""
    if run is None:
        feed.end_readers()
    elif feed.last_seq is not None and run.last_seq > feed.last_seq:
        feed.request_read()
    elif RunState(run.state) in FINAL_STATES and run.last_seq == feed.last_seq:
        feed.end_readers()
