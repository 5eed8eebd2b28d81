"""Encrypted values: every column whose name starts with `sealed_`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Column, Table, inspect, select, tuple_, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncSession

import crewai_runner.db.tables  # noqa: F401  # registers every table
from crewai_runner.db.base import Base

ENCRYPTED_PREFIX = "sealed_"
Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class EncryptedValue:
    """One encrypted value; `owner` names its row in messages, for example `providers: OpenAI`."""

    table: Table
    column: str
    key: Key
    owner: str
    ciphertext: str


def encrypted_columns() -> Iterator[tuple[Table, Column[str]]]:
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if column.name.startswith(ENCRYPTED_PREFIX):
                yield table, column


class EncryptedValueRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def tables(self) -> set[str]:
        """Return the names of the existing tables; an older schema may lack some."""
        connection = await self._session.connection()
        return await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))

    async def after(
        self, table: Table, column: Column[str], key: Key | None, limit: int
    ) -> Sequence[EncryptedValue]:
        """Return the next values in primary key order."""
        keys = list(table.primary_key.columns)
        name = table.columns.get("name", keys[0])
        query = select(*keys, name.label("owner_name"), column).where(column.is_not(None))
        if key is not None:
            query = query.where(tuple_(*keys) > tuple_(*key) if len(keys) > 1 else keys[0] > key[0])
        rows = (await self._session.execute(query.order_by(*keys).limit(limit))).all()
        return [
            EncryptedValue(table, column.name, tuple(row[: len(keys)]), f"{table.name}: {row[-2]}", row[-1])
            for row in rows
        ]

    async def replace(self, value: EncryptedValue, ciphertext: str) -> bool:
        """Store the new ciphertext unless the value has changed; return whether it was stored."""
        column, keys = value.table.columns[value.column], value.table.primary_key.columns
        same = [key == found for key, found in zip(keys, value.key, strict=True)]
        change = update(value.table).where(*same, column == value.ciphertext).values({column: ciphertext})
        result = await self._session.execute(change)
        return isinstance(result, CursorResult) and result.rowcount == 1
