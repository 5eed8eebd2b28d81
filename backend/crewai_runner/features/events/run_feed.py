"""The new frames of one run, passed to all its readers in this process.

Events committed here come from memory. When another process has stored events, one query reads them for all
readers. Readers read rows themselves only for what happened before they came, or what they missed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from crewai_runner.core.logging import get_logger
from crewai_runner.db.session import retry_while_unavailable
from crewai_runner.features.events.frames import Frame, merge_by_sequence
from crewai_runner.stream.notifier import MAX_PENDING_CHUNKS, Chunk

log = get_logger(__name__)
PAGE_SIZE = 500
MAX_QUEUED_FRAMES = 1000
MAX_QUEUED_LENGTH = 4_000_000
"""Characters of text that a reader may leave waiting."""

ReadFrames = Callable[[str, int, int], Awaitable[list[Frame]]]
"""Reads the stored events of a run after a number, up to a limit."""


class FeedReader:
    """The frames that wait for one reader. One that is too slow loses them all and has to read rows."""

    def __init__(self, ping_seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._ping_seconds, self._sent_at = ping_seconds, self._loop.time()
        self._frames: list[Frame] = []
        self._length = 0
        self._changed = asyncio.Event()
        self.has_missed = False
        """Whether frames were lost since the reader last took what waits."""
        self.is_over = False
        """Whether the run has finished and has no other event."""
        self._timer = self._loop.call_later(ping_seconds, self._wake_if_idle)

    @property
    def has_frames(self) -> bool:
        return bool(self._frames) or self.has_missed

    def push(self, frames: Sequence[Frame]) -> None:
        length = self._length + sum(len(frame.text) for frame in frames)
        count = len(self._frames) + len(frames)
        if self._frames and (count > MAX_QUEUED_FRAMES or length > MAX_QUEUED_LENGTH):
            self._frames, self._length, self.has_missed = [], 0, True
        elif not self.has_missed:
            self._frames.extend(frames)
            self._length = length
        self.is_over = False
        self._changed.set()

    def pop(self) -> list[Frame]:
        """Take the frames that wait. After `has_missed` there are none, and rows must be read."""
        frames, self._frames, self._length = self._frames, [], 0
        self.has_missed = False
        self._changed.clear()
        return frames

    def end(self) -> None:
        self.is_over = True
        self._changed.set()

    async def wait(self) -> bool:
        """Wait for a change; return False if nothing was sent for `ping_seconds`."""
        await self._changed.wait()
        return self.has_frames or self.is_over or not self._is_idle()

    def note_sent(self) -> None:
        """Begin to count the time without frames."""
        self._sent_at = self._loop.time()

    def close(self) -> None:
        self._timer.cancel()

    def _is_idle(self) -> bool:
        return self._loop.time() - self._sent_at >= self._ping_seconds

    def _wake_if_idle(self) -> None:
        # One timer per reader and interval: a timer per frame would cost more than the frame.
        if self._is_idle():
            self._changed.set()
        wait = max(self._sent_at + self._ping_seconds - self._loop.time(), self._ping_seconds / 10)
        self._timer = self._loop.call_later(wait, self._wake_if_idle)


class RunFeed:
    """A subscriber of one run's topic. Passes each frame on once, in order and without gaps."""

    def __init__(self, run_id: str, read: ReadFrames) -> None:
        self._run_id, self._read = run_id, read
        self.readers: set[FeedReader] = set()
        self.last_seq: int | None = None
        """The number of the last event passed on; None until it is known where the feed begins."""
        self._held: list[Frame] = []
        """Live frames of events that were not passed on yet."""
        self._must_read = False
        self._reading: asyncio.Task[None] | None = None

    def start_after(self, seq: int) -> None:
        """Begin after an event, unless the feed has begun: a reader has read everything up to it."""
        if self.last_seq is None:
            self.last_seq = seq
            self._send(self._take_due(seq))
        if self._must_read:
            self.request_read()

    def push_events(self, events: Sequence[Frame]) -> None:
        """Pass on events that this process has committed; those that were passed on already are left out."""
        if self.last_seq is not None:
            last = self.last_seq
            events = [event for event in events if (event.seq or 0) > last]
            if events and events[0].seq != last + 1:  # another process stored those before
                self.request_read()
                return
        self._pass_on(events)

    def end_readers(self) -> None:
        """End the streams: the run has finished or was deleted."""
        for reader in self.readers:
            reader.end()

    def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()

    # Subscriber

    def notify(self, *, is_local: bool) -> None:
        """Read the rows that another process has announced; those of this one were pushed before."""
        if not is_local:
            self.request_read()

    def push_chunk(self, chunk: Chunk) -> None:
        frame = Frame.of_chunk(chunk)
        if self.last_seq is not None and chunk.after <= self.last_seq:
            self._send([frame])
            return
        if len(self._held) >= MAX_PENDING_CHUNKS:
            del self._held[: MAX_PENDING_CHUNKS // 2]
        self._held.append(frame)

    def request_read(self) -> None:
        """Read the rows after the last event, once for all requests that come before the query."""
        self._must_read = True
        if self._reading is None and self.last_seq is not None:
            self._reading = asyncio.create_task(self._read_new(), name="run-feed")

    async def _read_new(self) -> None:
        try:
            while self._must_read and self.last_seq is not None:
                self._must_read = False
                read = partial(self._read_after, self.last_seq)
                rows = await retry_while_unavailable(read)
                self._must_read = self._must_read or len(rows) == PAGE_SIZE
                self._pass_on([row for row in rows if (row.seq or 0) > self.last_seq])
        except Exception:
            log.exception("run_feed.read_failed", run_id=self._run_id)  # the poll tries again
        finally:
            self._reading = None

    async def _read_after(self, seq: int) -> list[Frame]:
        return await self._read(self._run_id, seq, PAGE_SIZE)

    def _pass_on(self, events: Sequence[Frame]) -> None:
        if not events:
            return
        last = self.last_seq = events[-1].seq or 0
        self._send(merge_by_sequence(events, self._take_due(last)) if self._held else events)

    def _take_due(self, seq: int) -> list[Frame]:
        """Take the live frames that were held for events up to a number."""
        due = [frame for frame in self._held if frame.after <= seq]
        self._held = [frame for frame in self._held if frame.after > seq]
        return due

    def _send(self, frames: Sequence[Frame]) -> None:
        if not frames:
            return
        for reader in self.readers:
            reader.push(frames)
