"""Reads files of a stored archive, and compares those of two. Pure, but slow: call it in a thread."""

import difflib
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

from crewai_runner.core.text import decode_text, replace_unstorable

MAX_TEXT_BYTES = 256 * 1024
MAX_DIFF_FILES = 100


@dataclass(frozen=True, slots=True)
class FileText:
    """The beginning of a file; `text` is None if it is not text."""

    text: str | None
    is_truncated: bool


def read_text(archive: bytes, path: str) -> FileText:
    """Return the beginning of a file. Raises KeyError for an unknown path."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return _read(opened, path)


def diff_texts(before: bytes, after: bytes, changes: Sequence[tuple[str, str]]) -> dict[str, str | None]:
    """Return a unified diff by path for the first changes, given as (path, kind)."""
    with (
        zipfile.ZipFile(io.BytesIO(before)) as old,
        zipfile.ZipFile(io.BytesIO(after)) as new,
    ):
        return {path: _diff(old, new, path, kind) for path, kind in changes[:MAX_DIFF_FILES]}


def _diff(old: zipfile.ZipFile, new: zipfile.ZipFile, path: str, kind: str) -> str | None:
    nothing = FileText("", is_truncated=False)
    left = nothing if kind == "added" else _read(old, path)
    right = nothing if kind == "removed" else _read(new, path)
    if left.text is None or right.text is None or left.text == right.text:
        return None
    if left.is_truncated or right.is_truncated:
        return None
    lines = difflib.unified_diff(
        left.text.splitlines(keepends=True), right.text.splitlines(keepends=True), f"a/{path}", f"b/{path}"
    )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _read(archive: zipfile.ZipFile, path: str) -> FileText:
    with archive.open(path) as packed:
        content = packed.read(MAX_TEXT_BYTES + 1)
    is_truncated = len(content) > MAX_TEXT_BYTES
    content = content[:MAX_TEXT_BYTES]
    if b"\x00" in content and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return FileText(None, is_truncated)
    try:
        text = decode_text(content)
    except UnicodeDecodeError as error:
        # The limit may have cut a character in two.
        if not is_truncated or error.start < MAX_TEXT_BYTES - 4:
            return FileText(None, is_truncated)
        text = content[: error.start].decode("utf-8-sig")
    return FileText(replace_unstorable(text), is_truncated)
