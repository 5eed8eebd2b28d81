"""run metadata

The metadata of runs by key and value, so that a filter finds its runs without reading the others. Triggers
keep it. Only the beginning of long keys and values is indexed; queries compare the whole value as well.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

LENGTH = 200
ENTRIES = {
    # As the filter compares: numbers as text, booleans as true and false, nothing for null.
    "sqlite": "SELECT {run}.id, {run}.workspace_id, substr(entry.key, 1, 200), substr(CASE WHEN entry.type IN"
    " ('true', 'false') THEN entry.type ELSE CAST(entry.value AS TEXT) END, 1, 200)"
    " FROM {source}json_each({run}.metadata) AS entry WHERE entry.value IS NOT NULL",
    "postgresql": "SELECT {run}.id, {run}.workspace_id, left(entry.key, 200), left(entry.value, 200)"
    " FROM {source}jsonb_each_text({run}.metadata) AS entry WHERE entry.value IS NOT NULL",
}
INSERT = {
    "sqlite": "INSERT OR IGNORE INTO run_metadata (run_id, workspace_id, key, value) {entries}",
    "postgresql": "INSERT INTO run_metadata (run_id, workspace_id, key, value) {entries}"
    " ON CONFLICT DO NOTHING",
}
"""Two long keys may have the same beginning."""


def upgrade() -> None:
    op.create_table(
        "run_metadata",
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("key", sa.String(LENGTH), nullable=False),
        sa.Column("value", sa.String(LENGTH), nullable=False),
        sa.Column("workspace_id", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "key", "value", name=op.f("pk_run_metadata")),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_run_metadata_run_id_runs"), ondelete="CASCADE"
        ),
    )
    op.create_index("ix_run_metadata_value", "run_metadata", ["workspace_id", "key", "value", "run_id"])
    dialect = op.get_bind().dialect.name
    if dialect == "sqlite":
        _create_sqlite_triggers()
    else:
        _create_postgresql_triggers()
    op.execute(_insert(dialect, "runs", "runs, "))


def _insert(dialect: str, run: str, source: str = "") -> str:
    return INSERT[dialect].format(entries=ENTRIES[dialect].format(run=run, source=source))


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER run_metadata_added")
        op.execute("DROP TRIGGER run_metadata_changed")
    else:
        op.execute("DROP TRIGGER run_metadata_changed ON runs")
        op.execute("DROP FUNCTION index_run_metadata()")
    op.drop_table("run_metadata")


def _create_sqlite_triggers() -> None:
    add = _insert("sqlite", "NEW")
    op.execute(f"CREATE TRIGGER run_metadata_added AFTER INSERT ON runs BEGIN {add}; END")
    op.execute(
        "CREATE TRIGGER run_metadata_changed AFTER UPDATE OF metadata, workspace_id ON runs BEGIN"  # noqa: S608
        f" DELETE FROM run_metadata WHERE run_id = NEW.id; {add}; END"
    )


def _create_postgresql_triggers() -> None:
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION index_run_metadata() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            DELETE FROM run_metadata WHERE run_id = NEW.id;
            {_insert("postgresql", "NEW")};
            RETURN NULL;
        END $$
        """  # noqa: S608
    )
    op.execute(
        "CREATE TRIGGER run_metadata_changed AFTER INSERT OR UPDATE OF metadata, workspace_id ON runs"
        " FOR EACH ROW EXECUTE FUNCTION index_run_metadata()"
    )
