"""stored bytes

What each run stores, for the limits of runs and workspaces, and an index that sums it for finished runs
without reading them. Existing runs are measured once; later their transactions add to it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0011"
branch_labels = None
depends_on = None

INDEX = "ix_runs_stored"
# The columns that store a run's texts and documents, by table; the size of a file is stored.
TEXTS = {"run_events": ["frame"], "run_tasks": ["result"], "messages": ["text", "answer"]}
DOCUMENTS = ["definition", "inputs", "metadata", "result"]


def upgrade() -> None:
    op.add_column("runs", sa.Column("stored_bytes", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute(_measure_existing(is_sqlite=op.get_bind().dialect.name == "sqlite"))
    is_finished = sa.text("finished_at IS NOT NULL")
    columns = ["workspace_id", "stored_bytes", "finished_at"]
    op.create_index(INDEX, "runs", columns, sqlite_where=is_finished, postgresql_where=is_finished)


def downgrade() -> None:
    op.drop_index(INDEX, "runs")
    op.drop_column("runs", "stored_bytes")


def _measure_existing(*, is_sqlite: bool) -> str:
    # SQLite counts the characters of text, and the bytes of a blob.
    size = "length(CAST({} AS BLOB))" if is_sqlite else "octet_length(CAST({} AS TEXT))"

    def measure(columns: list[str]) -> str:
        return " + ".join(f"coalesce({size.format(name)}, 0)" for name in columns)

    parts = {table: measure(columns) for table, columns in TEXTS.items()} | {"artifacts": "size"}
    sums = [
        f"(SELECT coalesce(sum({part}), 0) FROM {table} WHERE run_id = runs.id)"  # noqa: S608 - constants
        for table, part in parts.items()
    ]
    return f"UPDATE runs SET stored_bytes = {' + '.join([measure(DOCUMENTS), *sums])}"  # noqa: S608
