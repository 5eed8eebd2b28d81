"""The declarative base, and column types that behave the same on SQLite and PostgreSQL."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import JSON, DateTime, ForeignKey, MetaData, String, Table, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeEngine

from crewai_runner.core.clock import now
from crewai_runner.core.roles import SERVER_KEY, SERVER_KEY_NAME


class Timestamp(TypeDecorator[datetime]):
    """A timezone-aware UTC timestamp. SQLite drops the time zone, so it is restored on read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class JsonTimestamp(TypeDecorator[Any]):
    """A timestamp in a form whose JSON is that of the API, for `type_coerce` in lists.

    SQLite stores nearly this text: parsing all timestamps of a list takes longer than its query.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(String() if dialect.name == "sqlite" else DateTime(timezone=True))

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:  # noqa: ARG002
        return _to_json_text if dialect.name == "sqlite" else _to_utc


def _to_json_text(stored: str | None) -> str | None:
    """Return `2026-01-31T12:00:00Z` for `2026-01-31 12:00:00.000000`; a fraction keeps its six digits."""
    if stored is None:
        return None
    return f"{stored[:10]}T{stored[11:].removesuffix('.000000')}Z"


def _to_utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)


Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
Id = String(64)


class AuditedColumns(NamedTuple):
    """What the audit log shows of a table's rows: no other column is ever shown.

    Of `secrets` it shows only that they changed. `names` has the names of columns that are shown as another.
    """

    kind: str
    columns: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    names: Mapping[str, str] = MappingProxyType({})


class Base(DeclarativeBase):
    audited: ClassVar[AuditedColumns | None] = None
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: Timestamp, dict[str, Any]: Json, list[Any]: Json}  # noqa: RUF012


class ShowsSubject:
    """Rows that show who did something, by name: see `db.subject_name_repository`."""

    SUBJECT: ClassVar[str] = "created_by"

    def get_subject(self) -> str | None:
        """Return the id of who did it."""
        subject: str | None = getattr(self, self.SUBJECT)
        return subject

    def set_subject_name(self, name: str | None) -> None:
        self.__dict__["_subject_name"] = name

    def get_subject_name(self) -> str | None:
        """Return the name that was read; without one, the subject itself."""
        subject = self.get_subject()
        name: str | None = self.__dict__.get("_subject_name")
        return name or (SERVER_KEY_NAME if subject == SERVER_KEY else subject)

    @property
    def created_by_name(self) -> str | None:
        return self.get_subject_name()


class NamedRow(Base):
    """Base of tables whose rows belong to a workspace and have a name that is unique in it.

    `version` counts the changes of a row, for optimistic locking.
    """

    __abstract__ = True

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    name: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)
    version: Mapped[int] = mapped_column(default=1)


def table_of(entity: type[Base]) -> Table:
    """Return the table of an entity, for statements on columns."""
    table = entity.__table__
    assert isinstance(table, Table)  # noqa: S101 - entities are not mapped to joins or aliases
    return table
