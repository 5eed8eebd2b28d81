"""Splits the output of a project's process into `log.line` events.

The sandbox captures the output, so that the prints of every process and library are included.
"""

import codecs
import re

from crewai_runner.domain.run_event_payloads import LogLineData, WarningRaisedData
from crewai_runner.domain.run_events import LogLine, WarningRaised
from crewai_runner.executor.port import EventSink
from crewai_runner.executor.projects.sandbox.port import OutputStream

MAX_LINE_LENGTH = 4000
MAX_LINES = 5000
MAX_CHARACTERS = 2_000_000
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f]")


class LogLines:
    """Emits the lines of one attempt of a run, up to a limit of lines and of characters."""

    def __init__(
        self,
        run_id: str,
        sink: EventSink,
        max_lines: int = MAX_LINES,
        max_characters: int = MAX_CHARACTERS,
    ) -> None:
        self._run_id, self._sink = run_id, sink
        self._lines_left, self._characters_left = max_lines, max_characters
        self._decoders = {stream: codecs.getincrementaldecoder("utf-8")("replace") for stream in OutputStream}
        self._partial = dict.fromkeys(OutputStream, "")
        self._is_full = False
        self.last_line = ""
        """The last line of standard output, complete or not."""

    def feed(self, stream: OutputStream, chunk: bytes) -> None:
        """Add output in any pieces; complete lines are emitted. Output beyond the limits is dropped."""
        if self._is_full:
            return
        text = self._partial[stream] + self._decoders[stream].decode(chunk)
        *lines, rest = text.split("\n")
        for line in lines:
            self._emit(stream, line)
        if stream is OutputStream.STDOUT:
            shown = next((line for line in (rest, *reversed(lines)) if line.strip()), "")
            self.last_line = _make_visible(shown[: 2 * MAX_LINE_LENGTH]) or self.last_line
        # The rest of a line that is too long is dropped with its next pieces.
        self._partial[stream] = rest[: 2 * MAX_LINE_LENGTH]

    def close(self) -> None:
        """Emit the unfinished lines."""
        for stream in OutputStream:
            if self._partial[stream]:
                self._emit(stream, self._partial[stream])
                self._partial[stream] = ""

    def _emit(self, stream: OutputStream, line: str) -> None:
        visible = _make_visible(line)
        if not visible or self._is_full:
            return
        if len(visible) > MAX_LINE_LENGTH:
            visible = visible[: MAX_LINE_LENGTH - 1] + "…"
        if self._lines_left <= 0 or self._characters_left < len(visible):
            self._is_full = True
            self._sink(WarningRaised(run_id=self._run_id, data=_TRUNCATED))
            return
        self._lines_left -= 1
        self._characters_left -= len(visible)
        self._sink(LogLine(run_id=self._run_id, data=LogLineData(stream=stream.value, text=visible)))


def _make_visible(line: str) -> str:
    """Return a line as a terminal shows it, without what a carriage return overwrites: a progress bar."""
    return _CONTROL.sub("", line.rstrip("\r").rsplit("\r", 1)[-1]).rstrip()


_TRUNCATED = WarningRaisedData(
    code="log-truncated",
    message="The project printed more than a run's log keeps; its further output is not shown.",
)
