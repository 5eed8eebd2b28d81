"""The index for searches of runs, which a database without its extension does not have."""

from sqlalchemy import Connection, NullPool, create_engine, text

from crewai_runner.db.migrate import sync_url

DROP = {
    "sqlite": ["DROP TRIGGER IF EXISTS run_search_index_" + event for event in ("insert", "update", "delete")]
    + ["DROP TABLE IF EXISTS run_search_index"],
    "postgresql": ["DROP INDEX IF EXISTS ix_run_search_text"],
}


def has_search_index(connection: Connection) -> bool:
    """Return whether searches read an index; SQLite for tests always has FTS5."""
    if connection.dialect.name == "sqlite":
        return True
    return connection.scalar(text("SELECT to_regclass('ix_run_search_text')")) is not None


def can_index_searches(database_url: str) -> bool:
    """Return whether the database can have the index."""
    if database_url.startswith("sqlite"):
        return True
    engine = create_engine(sync_url(database_url), poolclass=NullPool)
    with engine.connect() as connection:
        installed = text("SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'")
        return bool(connection.scalar(installed))


def drop_search_index(database_url: str) -> None:
    """Leave the database as one whose server has no extension for the index."""
    engine = create_engine(sync_url(database_url), poolclass=NullPool)
    with engine.begin() as connection:
        for statement in DROP[connection.dialect.name]:
            connection.execute(text(statement))
