"""Repository of rows with a unique name in a workspace: the base class for providers and models."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.core.errors import AppError
from crewai_runner.core.ids import Prefix, has_prefix
from crewai_runner.core.optimistic_lock import check_version
from crewai_runner.db.base import NamedRow
from crewai_runner.db.tables.workspaces import WorkspaceRow

RowT = TypeVar("RowT", bound=NamedRow)


class NamedRowRepository(Generic[RowT]):
    """`not_found` creates the error for an unknown id, `name_taken` the one for a name in use."""

    def __init__(
        self,
        session: AsyncSession,
        table: type[RowT],
        prefix: Prefix,
        *,
        not_found: Callable[[str], AppError],
        name_taken: Callable[[str], AppError],
    ) -> None:
        self._session = session
        self._table, self._prefix = table, prefix
        self._not_found, self._name_taken = not_found, name_taken

    async def add(self, row: RowT) -> None:
        """Insert a row. Raises the error of `name_taken`."""
        self._session.add(row)
        await self._flush(row)

    async def save(self, row: RowT) -> None:
        """Write the changes of a row as a new version. Raises the error of `name_taken`."""
        row.version += 1
        row.updated_at = now()
        await self._flush(row)

    async def delete(self, row: RowT) -> None:
        await self._session.delete(row)
        await self._session.flush()

    async def get(self, row_id: str, workspace_id: str) -> RowT:
        """Return a row. Raises the error of `not_found`."""
        return await self._get_one(row_id, self._select_by_id(row_id, workspace_id))

    async def get_for_update(self, row_id: str, workspace_id: str, expected: int | None = None) -> RowT:
        """Return a row and lock it until the transaction ends.

        Raises the error of `not_found`, and StaleVersion unless the row has the expected version.
        """
        query = self._select_by_id(row_id, workspace_id).with_for_update()
        row = await self._get_one(row_id, query.execution_options(populate_existing=True))
        check_version(row.version, expected)
        return row

    async def get_for_share(self, row_id: str, workspace_id: str) -> RowT:
        """Return a row and keep it from being deleted until the transaction ends. Raises like `get`."""
        query = self._select_by_id(row_id, workspace_id).with_for_update(read=True, key_share=True)
        return await self._get_one(row_id, query)

    async def list_by_ids(self, row_ids: Sequence[str], workspace_id: str) -> Sequence[RowT]:
        query = self._in_workspace(workspace_id).where(self._table.id.in_(row_ids))
        return (await self._session.scalars(query)).all()

    async def list_names(self, workspace_id: str) -> set[str]:
        query = select(self._table.name).where(self._table.workspace_id == workspace_id)
        return set(await self._session.scalars(query))

    async def lock_workspace(self, workspace_id: str) -> None:
        """Serialize changes to things that a workspace has only one of, such as its default model."""
        await lock_workspace(self._session, workspace_id)

    def _in_workspace(self, workspace_id: str) -> Select[RowT]:
        return select(self._table).where(self._table.workspace_id == workspace_id)

    def _select_by_id(self, row_id: str, workspace_id: str) -> Select[RowT]:
        return self._in_workspace(workspace_id).where(self._table.id == row_id)

    async def _get_one(self, row_id: str, query: Select[RowT]) -> RowT:
        row = await self._session.scalar(query) if has_prefix(row_id, self._prefix) else None
        if row is None:
            raise self._not_found(row_id)
        return row

    async def _flush(self, row: RowT) -> None:
        name = row.name  # the attribute cannot be read after a failed flush
        try:
            await self._session.flush()
        except IntegrityError:
            raise self._name_taken(name) from None


async def lock_workspace(session: AsyncSession, workspace_id: str) -> None:
    """Hold the lock until the transaction ends. Rows that refer to the workspace can be inserted meanwhile.

    On SQLite there is only one writing transaction at a time.
    """
    if session.get_bind().dialect.name == "sqlite":
        return
    query = select(WorkspaceRow.id).where(WorkspaceRow.id == workspace_id)
    await session.execute(query.with_for_update(key_share=True))
