"""run search

The searchable text of each run, and an index of its trigrams, which finds parts of words in any script: FTS5
on SQLite, pg_trgm on PostgreSQL. Triggers keep both. Without FTS5, or where the user may not create the
extension, there is no index, and a search reads the texts.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0013"
branch_labels = None
depends_on = None

LENGTH = 4000
"""In characters. Of long inputs only the beginning is searchable: the index is larger than the text."""
LEAVES = {
    "sqlite": "(SELECT group_concat(atom, char(10)) FROM json_tree({run}.{column})"
    " WHERE type IN ('text', 'integer', 'real'))",
    "postgresql": "(SELECT string_agg(leaf #>> '{{}}', E'\\n')"
    " FROM jsonb_path_query({run}.{column}, 'strict $.**') AS leaf"
    " WHERE jsonb_typeof(leaf) IN ('string', 'number'))",
}
"""The texts and numbers in a JSON value at any depth."""
DOCUMENTS = ("metadata", "error", "inputs")
TEXTS = "workflow_name, metadata, error, inputs"
"""The columns of `runs` that the text depends on."""
PARTS = {"sqlite": ("char(10)", "substr"), "postgresql": ("E'\\n'", "left")}


def upgrade() -> None:
    op.create_table(
        "run_search",
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("workspace_id", sa.String(64), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_run_search")),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_run_search_run_id_runs"), ondelete="CASCADE"
        ),
    )
    if op.get_bind().dialect.name == "sqlite":
        _upgrade_sqlite()
    else:
        _upgrade_postgresql()


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER run_search_added")
        op.execute("DROP TRIGGER run_search_changed")
        op.execute("DROP TABLE IF EXISTS run_search_index")
    else:
        op.execute("DROP TRIGGER run_search_changed ON runs")
        op.execute("DROP FUNCTION index_run_text()")
    op.drop_table("run_search")


def _text_of(dialect: str, run: str) -> str:
    """Return the expression of a run's text."""
    newline, cut = PARTS[dialect]
    documents = (LEAVES[dialect].format(run=run, column=column) for column in DOCUMENTS)
    lines = [f"{run}.id", f"{run}.workflow_name", *(f"coalesce({one}, '')" for one in documents)]
    start = ", 1" if cut == "substr" else ""
    return f"{cut}({f' || {newline} || '.join(lines)}{start}, {LENGTH})"


def _upgrade_sqlite() -> None:
    op.execute(
        "INSERT INTO run_search (run_id, workspace_id, position, text)"  # noqa: S608 - constants
        f" SELECT id, workspace_id, row_number() OVER (ORDER BY id), {_text_of('sqlite', 'runs')}"
        " FROM runs ORDER BY id"
    )
    op.create_index("ix_run_search_position", "run_search", ["position"], unique=True)
    position = "(SELECT coalesce(max(position), 0) + 1 FROM run_search)"
    op.execute(
        "CREATE TRIGGER run_search_added AFTER INSERT ON runs BEGIN"  # noqa: S608 - constants
        " INSERT INTO run_search (run_id, workspace_id, position, text)"
        f" VALUES (NEW.id, NEW.workspace_id, {position}, {_text_of('sqlite', 'NEW')}); END"
    )
    is_changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in TEXTS.split(", "))
    op.execute(
        f"CREATE TRIGGER run_search_changed AFTER UPDATE OF {TEXTS} ON runs WHEN {is_changed} BEGIN"  # noqa: S608
        f" UPDATE run_search SET text = {_text_of('sqlite', 'NEW')} WHERE run_id = NEW.id; END"
    )
    modules = "SELECT count(*) FROM pragma_module_list WHERE name = 'fts5'"
    if op.get_bind().execute(sa.text(modules)).scalar():
        _create_full_text_table()


def _create_full_text_table() -> None:
    """The text itself stays in `run_search`; FTS5 needs the old one to remove its trigrams."""
    op.execute(
        "CREATE VIRTUAL TABLE run_search_index USING fts5"
        "(text, content='run_search', content_rowid='position', tokenize='trigram')"
    )
    op.execute("INSERT INTO run_search_index (rowid, text) SELECT position, text FROM run_search")
    add = "INSERT INTO run_search_index (rowid, text) VALUES (NEW.position, NEW.text);"
    remove = (
        "INSERT INTO run_search_index (run_search_index, rowid, text)"
        " VALUES ('delete', OLD.position, OLD.text);"
    )
    for event, statements in {"INSERT": add, "UPDATE": f"{remove} {add}", "DELETE": remove}.items():
        op.execute(
            f"CREATE TRIGGER run_search_index_{event.lower()} AFTER {event} ON run_search"
            f" BEGIN {statements} END"
        )


def _upgrade_postgresql() -> None:
    op.execute(
        "INSERT INTO run_search (run_id, workspace_id, text)"  # noqa: S608 - constants
        f" SELECT id, workspace_id, {_text_of('postgresql', 'runs')} FROM runs"
    )
    op.create_index(
        "ix_run_search_position",
        "run_search",
        ["position"],
        unique=True,
        postgresql_where=sa.text("position IS NOT NULL"),
    )
    is_changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in TEXTS.split(", "))
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION index_run_text() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'INSERT' THEN
                INSERT INTO run_search (run_id, workspace_id, text)
                VALUES (NEW.id, NEW.workspace_id, {_text_of("postgresql", "NEW")});
            ELSIF {is_changed} THEN
                UPDATE run_search SET text = {_text_of("postgresql", "NEW")} WHERE run_id = NEW.id;
            END IF;
            RETURN NULL;
        END $$
        """  # noqa: S608
    )
    op.execute(
        f"CREATE TRIGGER run_search_changed AFTER INSERT OR UPDATE OF {TEXTS} ON runs"
        " FOR EACH ROW EXECUTE FUNCTION index_run_text()"
    )
    _create_trigram_index()


def _create_trigram_index() -> None:
    """Create the index, unless the server has no `pg_trgm` or the user may not create it."""
    connection = op.get_bind()
    try:
        with connection.begin_nested():
            connection.execute(sa.text("CREATE EXTENSION IF NOT EXISTS pg_trgm"))
            connection.execute(
                sa.text("CREATE INDEX ix_run_search_text ON run_search USING gin (text gin_trgm_ops)")
            )
    except sa.exc.DBAPIError as error:
        if error.connection_invalidated:
            raise
