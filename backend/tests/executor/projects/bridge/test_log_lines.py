"""The output of a project's process as events."""

from hypothesis import given
from hypothesis import strategies as st

from crewai_runner.domain.run_events import RunEvent
from crewai_runner.executor.projects.bridge.log_lines import MAX_LINE_LENGTH, LogLines
from crewai_runner.executor.projects.sandbox.port import OutputStream


def split(chunks: list[bytes], **limits: int) -> list[RunEvent]:
    events: list[RunEvent] = []
    lines = LogLines("run-1", events.append, **limits)
    for chunk in chunks:
        lines.feed(OutputStream.STDOUT, chunk)
    lines.close()
    return events


def texts(events: list[RunEvent]) -> list[str]:
    return [event.data.text for event in events if event.type == "log.line"]


class TestLogLines:
    def test_lines_in_pieces(self) -> None:
        assert texts(split([b"one\ntw", b"o\n\nthr", "é".encode()[:1], "é".encode()[1:]])) == [
            "one",
            "two",
            "thré",
        ]

    def test_streams_are_kept_apart(self) -> None:
        events: list[RunEvent] = []
        lines = LogLines("run-1", events.append)
        lines.feed(OutputStream.STDOUT, b"out ")
        lines.feed(OutputStream.STDERR, b"error\n")
        lines.feed(OutputStream.STDOUT, b"line\n")

        assert [(event.data.stream, event.data.text) for event in events if event.type == "log.line"] == [
            ("stderr", "error"),
            ("stdout", "out line"),
        ]

    def test_terminal_control_sequences(self) -> None:
        assert texts(split([b"\x1b[1m\x1b[95mAgent\x1b[00m\x07\n10%\r50%\r100%\r\n"])) == ["Agent", "100%"]

    def test_a_line_without_end(self) -> None:
        (text,) = texts(split([b"x" * 1000] * 2000))

        assert len(text) == MAX_LINE_LENGTH

    def test_the_log_of_a_run_is_bounded(self) -> None:
        events = split([b"line\n" * 100] * 100, max_lines=10)

        assert texts(events) == ["line"] * 10
        assert [event.data.code for event in events if event.type == "warning.raised"] == ["log-truncated"]

    def test_its_characters_are_bounded(self) -> None:
        events = split([b"x" * 60 + b"\n"] * 3, max_characters=100)

        assert [event.type for event in events] == ["log.line", "warning.raised"]

    @given(st.lists(st.binary(max_size=50), max_size=20))
    def test_any_bytes(self, chunks: list[bytes]) -> None:
        together = split([b"".join(chunks)])

        assert texts(split(chunks)) == texts(together)
        assert all(len(text) <= MAX_LINE_LENGTH and "\x1b" not in text for text in texts(together))
