"""Names and limits of knowledge files, and how their text is split. Pure."""

from collections.abc import Iterator

from crewai_runner.core.ids import Prefix, has_prefix
from crewai_runner.domain.output_files import find_path_problem

MEGABYTE = 1024 * 1024
MAX_FILE_BYTES = 10 * MEGABYTE
MAX_FILES = 100
"""Of one workflow."""
MAX_WORKFLOW_BYTES = 50 * MEGABYTE
MAX_UPLOADED_FILES = 20
"""In one request."""
MAX_CHARACTERS = 1_000_000
"""Of the text of one file."""
MEDIA_TYPES = {
    ".txt": "text/plain",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".pdf": "application/pdf",
    ".csv": "text/csv",
    ".json": "application/json",
}
"""The files that can be knowledge, by the end of their names."""
CHUNK_CHARACTERS = 1_000
"""The built-in embedder reads about this much of a text."""
OVERLAP_CHARACTERS = 150
"""What a chunk repeats of the one before, so that a sentence is complete in one of them."""
_BREAKS = ("\n\n", "\n", ". ", " ")


def find_media_type(name: str) -> str | None:
    """Return the media type of a file by the end of its name; None if it cannot be knowledge."""
    dot = name.rfind(".")
    return MEDIA_TYPES.get(name[dot:].lower()) if dot > 0 else None


def find_name_problem(name: str) -> str | None:
    """Return why a file cannot have this name, to follow the name in a message."""
    if "/" in name or "\\" in name:
        return "contains a folder; send the name of the file only"
    if (problem := find_path_problem(name)) is not None:
        return problem
    if find_media_type(name) is None:
        return f"is of no kind that can be searched; these can: {', '.join(sorted(MEDIA_TYPES))}"
    return None


def is_embedding_job(job: str) -> bool:
    """Return whether a job of the queue embeds a file: it has the file's id."""
    return has_prefix(job, Prefix.KNOWLEDGE_FILE)


def split_text(text: str) -> Iterator[str]:
    """Yield pieces of at most `CHUNK_CHARACTERS`, which end where a paragraph or sentence does."""
    start, length = 0, len(text)
    while start < length:
        end = min(start + CHUNK_CHARACTERS, length)
        if end < length:
            end = _find_break(text, start + CHUNK_CHARACTERS // 2, end)
        if piece := text[start:end].strip():
            yield piece
        start = end if end == length else max(end - OVERLAP_CHARACTERS, start + 1)


def _find_break(text: str, earliest: int, latest: int) -> int:
    for mark in _BREAKS:
        found = text.rfind(mark, earliest, latest)
        if found >= 0:
            return found + len(mark)
    return latest
