"""What a backup says about itself: the file `manifest.json`, the first one in it."""

from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, ValidationError, model_validator

from crewai_runner.operations.refusal import Refused

FORMAT_VERSION = 1
SQLITE_MEMBER = "database/crewai-runner.db"
Dialect = Literal["sqlite", "postgresql"]


class TableCopy(BaseModel):
    """A table and how many rows of it are in the backup.

    On PostgreSQL `member` holds them in COPY's text format, `columns` in that order. On SQLite both are
    empty: the database is one file.
    """

    place: str = ""
    name: str
    rows: int
    columns: list[str] = []
    member: str | None = None


class Contents(BaseModel):
    """What a database holds, seen at one moment. `queue_version`: of the queue's own schema, None without."""

    dialect: Dialect
    revision: str
    queue_version: int | None
    tables: list[TableCopy]


class Member(BaseModel):
    """One file of the backup; `sha256` in hex, `size` in bytes."""

    name: str
    size: int
    sha256: str


class Seals(BaseModel):
    """Which keys seal the stored secrets: how many by fingerprint, and how many no key at hand opened."""

    by_key: dict[str, int] = {}
    unreadable: int = 0


class Manifest(BaseModel):
    format: Literal["crewai-runner-backup"] = "crewai-runner-backup"
    format_version: int = FORMAT_VERSION
    product_version: str
    created_at: datetime
    database: Contents
    seals: Seals
    members: list[Member] = []

    @model_validator(mode="after")
    def _complete(self) -> Self:
        """Every row is in a file that the backup holds, so none is looked for elsewhere."""
        sqlite = self.database.dialect == "sqlite"
        needed = {SQLITE_MEMBER} if sqlite else {table.member for table in self.database.tables}
        if not needed <= {member.name for member in self.members}:
            raise ValueError("a table without a file")
        return self

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.database.tables)


class _Heading(BaseModel):
    """The part that every version of the format has."""

    format: Literal["crewai-runner-backup"]
    format_version: int


def parse(text: bytes) -> Manifest:
    """Raises Refused for what is no manifest, or one of a newer format."""
    try:
        heading = _Heading.model_validate_json(text)
        if heading.format_version != FORMAT_VERSION:
            raise Refused(
                f"The backup has format {heading.format_version}, this build reads format {FORMAT_VERSION}. "
                "Restore it with the build that made it, or with a newer one."
            )
        return Manifest.model_validate_json(text)
    except ValidationError:
        raise Refused("This is no backup of CrewAI Runner: its manifest cannot be read.") from None
