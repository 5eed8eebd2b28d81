"""Pieces of the files that a crew may search."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class KnowledgeChunk:
    """A piece of a file. `vector` has 32-bit floats; None if another model than the embedder computed it."""

    file: str
    text: str
    vector: bytes | None = field(default=None, repr=False)
