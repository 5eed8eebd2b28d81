"""API schemas of memories."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.text import StorableText


class MemoryRead(ApiModel):
    """Something that the crew of a workflow remembers."""

    id: str
    content: str
    scope: str = Field(description="Where the crew has put it, such as `/crew/research`.")
    categories: list[str]
    importance: float = Field(description="From 0 to 1, as the crew has judged it.")
    run_id: str | None = Field(description="The run that saved it last.")
    created_at: datetime
    accessed_at: datetime


class MemoryPage(ApiModel):
    memories: list[MemoryRead]
    total: int = Field(description="Of all memories that match, on all pages.")
    next_cursor: str | None


class MemoryDelete(ApiModel):
    """The memories to delete."""

    ids: list[Annotated[StorableText, Field(max_length=64)]] = Field(min_length=1, max_length=500)


class MemoriesDeleted(ApiModel):
    deleted: int
