"""API schemas of knowledge files."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pydantic import Field

from crewai_runner.core.api_model import ApiModel


class KnowledgeState(StrEnum):
    """What has been done with a file."""

    QUEUED = "queued"
    EMBEDDING = "embedding"
    READY = "ready"
    FAILED = "failed"


class KnowledgeFileRead(ApiModel):
    id: str
    name: str
    media_type: str
    size: int = Field(description="Bytes.")
    sha256: str
    state: KnowledgeState
    error: str | None = Field(description="Why the file could not be embedded.")
    chunks: int = Field(description="Pieces that the text was split into.")
    embedded_chunks: int
    is_outdated: bool = Field(
        description="Whether another model than the workflow's embedder has embedded it. "
        "The next run embeds it again."
    )
    created_by: str
    created_by_name: str
    created_at: datetime
    updated_at: datetime


class KnowledgeEmbedder(ApiModel):
    """The model that embeds the files of a workflow and what is searched for."""

    name: str
    is_built_in: bool


class KnowledgeLimits(ApiModel):
    max_file_bytes: int
    max_files: int
    max_bytes: int = Field(description="Of all files of the workflow.")
    used_bytes: int


class KnowledgeFileList(ApiModel):
    files: list[KnowledgeFileRead]
    embedder: KnowledgeEmbedder | None = Field(description="Null if there is none.")
    limits: KnowledgeLimits


class KnowledgeUploaded(ApiModel):
    files: list[KnowledgeFileRead] = Field(description="The files of the request, in its order.")
    duplicates: list[str] = Field(
        description="Names in the request whose content the workflow had already; nothing was added for them."
    )


class KnowledgeFileAnswer(ApiModel):
    file: KnowledgeFileRead


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file of an upload; its name and size are checked."""

    name: str
    content: bytes = field(repr=False)
