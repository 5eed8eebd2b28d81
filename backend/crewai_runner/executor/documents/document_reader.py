"""Reads the text of a document, and rows of a table, in a child process with limits."""

import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from crewai_runner.core.text import replace_unstorable

MAX_SECONDS = 60.0
"""How long one file may take, however busy the machine is; the CPU time is limited to less."""
MAX_PARSERS = 2
"""How many files are read at the same time in a process."""
SELECT_CPU_SECONDS = 5
_CHILD = Path(__file__).with_name("child_main.py")
_places = threading.BoundedSemaphore(MAX_PARSERS)


class DocumentKind(StrEnum):
    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    PDF = "pdf"
    XLSX = "xlsx"
    HTML = "html"
    """A web page; its main text is returned as Markdown."""
    YAML = "yaml"
    """Returned as JSON."""


_KINDS = {
    ".txt": DocumentKind.TEXT,
    ".md": DocumentKind.TEXT,
    ".markdown": DocumentKind.TEXT,
    ".json": DocumentKind.JSON,
    ".csv": DocumentKind.CSV,
    ".pdf": DocumentKind.PDF,
    ".xlsx": DocumentKind.XLSX,
}


class DocumentUnreadable(Exception):
    """A file cannot be read; the text says why, for a person."""


@dataclass(frozen=True, slots=True)
class DocumentText:
    """`is_cut`: the file has more text than was asked for."""

    text: str
    is_cut: bool


@dataclass(frozen=True, slots=True)
class TableRows:
    """Some rows of a table; `sheets` are the names of a workbook's sheets."""

    rows: list[list[str]]
    sheets: list[str]
    has_more: bool


def find_kind(name: str) -> DocumentKind | None:
    """Return the kind of a file by the end of its name; None for a kind that cannot be read."""
    return _KINDS.get(Path(name).suffix.lower())


async def read_text(
    content: bytes, kind: DocumentKind, max_characters: int, cpu_seconds: int | None = None
) -> DocumentText:
    """Return the text of a document, not of a workbook. Raises DocumentUnreadable.

    `cpu_seconds` lowers the limit of 30 seconds.
    """
    request = {
        "operation": "text",
        "kind": kind,
        "maxCharacters": max_characters,
        "cpuSeconds": cpu_seconds,
    }
    answer = await _parse(request, content)
    return DocumentText(replace_unstorable(answer["text"]), answer["isCut"])


async def read_table(
    content: bytes, kind: DocumentKind, *, sheet: str | None, offset: int, max_rows: int
) -> TableRows:
    """Return rows of a CSV file or of a workbook's sheet, the first by default. Raises DocumentUnreadable."""
    request = {"operation": "table", "kind": kind, "sheet": sheet, "offset": offset, "maxRows": max_rows}
    answer = await _parse(request, content)
    rows = [[replace_unstorable(cell) for cell in row] for row in answer["rows"]]
    return TableRows(rows, [replace_unstorable(name) for name in answer["sheets"]], answer["hasMore"])


async def select_json(content: bytes, path: str) -> str:
    """Return what a JSONPath (RFC 9535) finds in a JSON text, as JSON. Raises DocumentUnreadable."""
    answer = await _parse({"operation": "select", "path": path, "cpuSeconds": SELECT_CPU_SECONDS}, content)
    return replace_unstorable(answer["text"])


async def _parse(request: dict[str, Any], content: bytes) -> dict[str, Any]:
    parser = _Parser()
    try:
        output = await asyncio.to_thread(parser.run, json.dumps(request).encode() + b"\n" + content)
    finally:
        parser.stop()
    try:
        answer: dict[str, Any] = json.loads(output)
    except ValueError:
        raise DocumentUnreadable("Reading the file takes too much time or memory.") from None
    if "error" in answer:
        raise DocumentUnreadable(replace_unstorable(str(answer["error"])))
    return answer


class _Parser:
    """One child process. `stop` may be called at any time, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_stopped = False

    def run(self, payload: bytes) -> bytes:
        """Return what the process printed; nothing if it was stopped or took too long. Blocks."""
        with _places, tempfile.TemporaryFile() as output:
            with self._lock:
                if self._is_stopped:
                    return b""
                self._process = subprocess.Popen(  # noqa: S603 - a constant command
                    [sys.executable, "-I", str(_CHILD)],
                    stdin=subprocess.PIPE,
                    # A file: the limit of the size of files also limits the output.
                    stdout=output,
                    stderr=subprocess.DEVNULL,
                    env={"LANG": "C.UTF-8"},
                    cwd="/",
                )
            try:
                self._process.communicate(payload, timeout=MAX_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
                return b""
            finally:
                if self._process.stdin is not None:
                    with contextlib.suppress(OSError):  # the process is gone
                        self._process.stdin.close()
            output.seek(0)
            return output.read()

    def stop(self) -> None:
        with self._lock:
            self._is_stopped = True
            process = self._process
        if process is not None and process.returncode is None:
            process.kill()
