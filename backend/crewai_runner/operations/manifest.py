"""The manifest of a backup: `manifest.json`, its first member."""

from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, ValidationError, model_validator

from crewai_runner.operations.errors import OperationError

FORMAT_VERSION = 1
SQLITE_MEMBER = "database/crewai-runner.db"
Dialect = Literal["sqlite", "postgresql"]


class TableCopy(BaseModel):
    """A table and its number of rows; `place` is its database schema.

    On PostgreSQL `member` is the file with the rows in COPY text format and `columns` their order. On SQLite
    both are empty, because the database is one file.
    """

    place: str = ""
    name: str
    rows: int
    columns: list[str] = []
    member: str | None = None


class Contents(BaseModel):
    """A snapshot of a database; `queue_version` is the queue's schema version, if there is a queue."""

    dialect: Dialect
    revision: str
    queue_version: int | None
    tables: list[TableCopy]


class Member(BaseModel):
    """One file of the backup; `size` in bytes, `sha256` in hex."""

    name: str
    size: int
    sha256: str


class EncryptedCounts(BaseModel):
    """Number of stored secrets by key fingerprint; `unreadable`: of those that no available key decrypts."""

    by_key: dict[str, int] = {}
    unreadable: int = 0


class Manifest(BaseModel):
    format: Literal["crewai-runner-backup"] = "crewai-runner-backup"
    format_version: int = FORMAT_VERSION
    product_version: str
    created_at: datetime
    database: Contents
    seals: EncryptedCounts
    members: list[Member] = []

    @model_validator(mode="after")
    def _check_complete(self) -> Self:
        """Require that every table has its file in the backup."""
        sqlite = self.database.dialect == "sqlite"
        needed = {SQLITE_MEMBER} if sqlite else {table.member for table in self.database.tables}
        if not needed <= {member.name for member in self.members}:
            raise ValueError("a table without a file")
        return self

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.database.tables)


class _Header(BaseModel):
    """The fields common to all versions of the format."""

    format: Literal["crewai-runner-backup"]
    format_version: int


def parse(text: bytes) -> Manifest:
    """Parse a manifest. Raises OperationError when it is invalid or has a newer format."""
    try:
        header = _Header.model_validate_json(text)
        if header.format_version != FORMAT_VERSION:
            raise OperationError(
                f"The backup has format {header.format_version}, this version reads format {FORMAT_VERSION}. "
                "Restore it with the version that wrote it or a newer one."
            )
        return Manifest.model_validate_json(text)
    except ValidationError:
        raise OperationError("This is not a backup of CrewAI Runner: its manifest cannot be read.") from None
