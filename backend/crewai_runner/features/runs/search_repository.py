"""How a search finds runs by a part of their text, which the list of runs adds to its query.

The table classes do not contain the full-text table of SQLite: it exists only where SQLite has FTS5.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Join,
    Select,
    column,
    func,
    literal,
    select,
    table,
    text,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from crewai_runner.db.base import table_of
from crewai_runner.db.tables.run_search import FULL_TEXT_TABLE, INDEX, RunSearchRow
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.features.runs.schemas import SelectedRow

TRIGRAM = 3
"""A shorter text is in no index."""
MANY_MATCHES = 2000
"""With more matches, reading the runs of another filter finds a page sooner than reading all matches."""
RECENT_RUNS = 2000
_RUNS, _SEARCH = table_of(RunRow), table_of(RunSearchRow)
_FULL_TEXT = table(FULL_TEXT_TABLE, column("rowid", Integer), column(FULL_TEXT_TABLE))
_SCHEMA = table("sqlite_master", column("name"))
_POSITION = _FULL_TEXT.c.rowid
_ONLY_BITMAPS = text(
    "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', 'off', true)"
)
"""Until the end of the transaction. What the trigram index finds is read as a bitmap."""


class RunSearch:
    """The search for one text in the runs of a workspace, without distinction of case."""

    def __init__(self, connection: Connection, workspace_id: str, text: str) -> None:
        self._connection, self._workspace_id, self._text = connection, workspace_id, text
        self._is_sqlite = connection.dialect.name == "sqlite"

    def list_page(
        self, query: Select[Any], before: str | None, limit: int, *, is_filtered: bool
    ) -> Sequence[SelectedRow]:
        """Return the rows of a query of runs that have the text, newest first, for one page.

        `before` is the id of the last run of the page before; `is_filtered` means that the query has other
        conditions than the workspace.
        """
        if self._has_index():
            if not self._is_sqlite and not is_filtered:
                return self._list_with_trigrams(query, before, limit)
            if self._is_sqlite and not (is_filtered and self._has_many_matches()):
                return self._list_matches(query, before, limit)
        query = query.join(_SEARCH, _SEARCH.c.run_id == _RUNS.c.id).where(self._contains_text())
        return self._list_newest(query, before, limit)

    def _has_index(self) -> bool:
        exists = select(_SCHEMA.c.name).where(_SCHEMA.c.name == FULL_TEXT_TABLE)
        if not self._is_sqlite:
            exists = select(func.to_regclass(INDEX))
        return len(self._text) >= TRIGRAM and self._connection.scalar(exists) is not None

    def _has_many_matches(self) -> bool:
        """Return whether many runs match, for texts of which LIKE knows the upper and lower case."""
        matches = select(_POSITION).where(self._matches()).limit(MANY_MATCHES + 1).subquery()
        count = select(func.count()).select_from(matches)
        return self._text.isascii() and self._connection.scalar(count) == MANY_MATCHES + 1

    def _list_matches(self, query: Select[Any], before: str | None, limit: int) -> Sequence[SelectedRow]:
        """Read the full-text table backwards, and the runs of its matches until the page is full."""
        texts = _OrderedJoin(_FULL_TEXT, _SEARCH, _SEARCH.c.position == _POSITION)
        query = query.select_from(_OrderedJoin(texts, _RUNS, _RUNS.c.id == _SEARCH.c.run_id))
        if before is not None:
            query = query.where(_find_position(before) > _POSITION)
        query = query.where(self._matches()).order_by(_POSITION.desc()).limit(limit)
        rows: Sequence[SelectedRow] = self._connection.execute(query).all()
        return rows

    def _list_with_trigrams(
        self, query: Select[Any], before: str | None, limit: int
    ) -> Sequence[SelectedRow]:
        """Look at the most recent runs first; if the page is not full, read all matches from the index.

        The planner takes the matches for evenly distributed: it would read all runs to find old ones.
        """
        in_workspace = _SEARCH.c.workspace_id == self._workspace_id
        ids = select(_SEARCH.c.run_id).where(in_workspace).order_by(_SEARCH.c.run_id.desc())
        if before is not None:
            ids = ids.where(_SEARCH.c.run_id < before)
        oldest = func.coalesce(ids.limit(1).offset(RECENT_RUNS).scalar_subquery(), "")
        matches = ids.where(self._contains_text()).limit(limit)
        found = self._connection.scalars(matches.where(_SEARCH.c.run_id >= oldest)).all()
        if len(found) < limit:
            self._connection.execute(_ONLY_BITMAPS)
            found = self._connection.scalars(matches).all()
        return self._list_newest(query.where(_RUNS.c.id.in_(found)), None, limit)

    def _list_newest(self, query: Select[Any], before: str | None, limit: int) -> Sequence[SelectedRow]:
        if before is not None:
            query = query.where(_RUNS.c.id < before)
        query = query.order_by(_RUNS.c.id.desc()).limit(limit)
        rows: Sequence[SelectedRow] = self._connection.execute(query).all()
        return rows

    def _matches(self) -> ColumnElement[bool]:
        phrase = '"' + self._text.replace('"', '""') + '"'
        return _FULL_TEXT.c[FULL_TEXT_TABLE].bool_op("MATCH")(phrase)

    def _contains_text(self) -> ColumnElement[bool]:
        pattern = "%" + self._text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        # LIKE is not case-sensitive on SQLite.
        like = _SEARCH.c.text.like if self._is_sqlite else _SEARCH.c.text.ilike
        return like(pattern, escape="\\")


class _OrderedJoin(Join):
    """A join whose tables SQLite reads in the given order."""

    inherit_cache = True


@compiles(_OrderedJoin)
def _compile(join: _OrderedJoin, compiler: SQLCompiler, *, asfrom: bool, **options: object) -> str:
    condition = join.onclause
    assert condition is not None  # noqa: S101 - each of them has one
    left, right = (compiler.process(side, asfrom=asfrom, **options) for side in (join.left, join.right))
    return f"{left} CROSS JOIN {right} ON {compiler.process(condition, **options)}"


def _find_position(before: str) -> ColumnElement[int]:
    """Return the position after which a page begins; the run that ended the page before may be deleted."""
    exact = select(_SEARCH.c.position).where(_SEARCH.c.run_id == before).scalar_subquery()
    older = select(_SEARCH.c.position + 1).where(_SEARCH.c.run_id < before)
    newest_older = older.order_by(_SEARCH.c.run_id.desc()).limit(1).scalar_subquery()
    return func.coalesce(exact, newest_older, literal(0))
