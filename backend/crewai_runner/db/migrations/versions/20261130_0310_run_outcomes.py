"""run outcomes

Counts and sums of finished runs for the statistics. Triggers add an entry whenever a run ends, and one that
takes it back when the run is resumed or deleted or when what counts of it changes, whoever writes it and in
the same transaction. Entries are only inserted, so that writers do not wait for each other's rows; a periodic
task folds them into totals. The entries of the stored runs are added here, and an index of unfinished runs.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0014"
branch_labels = None
depends_on = None

COUNTS = (
    "completed",
    "failed",
    "stopped",
    "crashed",
    "unknown_tokens",
    "unknown_costs",
    "known_costs",
    "tokens",
    "cost_units",
    "cost_fraction",
)
COLUMNS = "id, workspace_id, workflow_key, at, currency, " + ", ".join(COUNTS)
COUNTED = (
    "state, finished_at, workspace_id, workflow_id, workflow_name, created_at, total_tokens, cost_amount,"
    " cost_currency, calls_without_usage, calls_without_cost"
)
"""The columns of `runs` that an entry depends on."""
STATES = ("completed", "failed", "stopped", "crashed")
ENTRY_ID = {"sqlite": "lower(hex(randomblob(16)))", "postgresql": "gen_random_uuid()::text"}
AT = {
    "sqlite": "substr({run}.created_at, 1, 14)"
    " || printf('%02d:00.000000', CAST(substr({run}.created_at, 15, 2) AS INTEGER) / 15 * 15)",
    "postgresql": "to_timestamp(floor(extract(epoch FROM {run}.created_at) / 900) * 900)",
}
"""The quarter of an hour in which the run was created."""
COST = {
    "sqlite": (
        "CAST({run}.cost_amount AS INTEGER)",
        "CAST(round(({run}.cost_amount - CAST({run}.cost_amount AS INTEGER)) * 10000000000) AS INTEGER)",
    ),
    "postgresql": (
        "trunc({run}.cost_amount)::bigint",
        "(({run}.cost_amount - trunc({run}.cost_amount)) * 10000000000)::bigint",
    ),
}
"""Units of the currency, and 10^-10 of one: sums of whole numbers are exact on SQLite too."""


def upgrade() -> None:
    op.create_table(
        "run_outcomes",
        sa.Column("id", sa.String(36), nullable=False),
        *_columns(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_outcomes")),
    )
    op.create_table(
        "run_outcome_totals",
        sa.Column("kind", sa.String(16), nullable=False),
        *_columns(),
        sa.PrimaryKeyConstraint(
            "workspace_id", "kind", "at", "workflow_key", "currency", name=op.f("pk_run_outcome_totals")
        ),
        sqlite_with_rowid=False,
    )
    unfinished = sa.text("finished_at IS NULL")
    op.create_index(
        "ix_runs_unfinished",
        "runs",
        ["workspace_id", "state", "created_at"],
        sqlite_where=unfinished,
        postgresql_where=unfinished,
    )
    dialect = op.get_bind().dialect.name
    if dialect == "sqlite":
        _create_sqlite_triggers()
    else:
        _create_postgresql_triggers()
    op.execute(f"{_insert_entry(dialect, 'runs', 1)} FROM runs WHERE {_counts('runs')}")


def _columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("workspace_id", sa.String(64), nullable=False),
        sa.Column("workflow_key", sa.String(201), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in COUNTS),
    ]


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name in ("ended", "changed", "changed_after", "deleted"):
            op.execute(f"DROP TRIGGER run_outcome_{name}")
    else:
        op.execute("DROP TRIGGER run_outcome_changed ON runs")
        op.execute("DROP FUNCTION count_run_outcome()")
    op.drop_index("ix_runs_unfinished", "runs")
    op.drop_table("run_outcome_totals")
    op.drop_table("run_outcomes")


def _counts(run: str) -> str:
    """Return the condition that a run counts: it has finished."""
    return f"{run}.finished_at IS NOT NULL AND {run}.state IN {STATES}"


def _insert_entry(dialect: str, run: str, sign: int) -> str:
    """Return the INSERT of one entry per run, without its FROM and WHERE; `sign` is 1 or -1."""
    unknown_tokens = f"{run}.total_tokens IS NULL OR {run}.calls_without_usage > 0"
    # A run without tokens has no cost, so its cost is not unknown.
    unknown_cost = (
        f"{run}.cost_amount IS NULL AND ({run}.total_tokens IS NULL OR {run}.total_tokens <> 0)"
        f" OR {run}.calls_without_cost > 0"
    )
    known_cost = f"{run}.cost_amount IS NOT NULL"
    conditions = [*(f"{run}.state = '{state}'" for state in STATES), unknown_tokens, unknown_cost, known_cost]
    values = [
        *(f"CASE WHEN {condition} THEN {sign} ELSE 0 END" for condition in conditions),
        f"{sign} * coalesce({run}.total_tokens, 0)",
        *(f"{sign} * coalesce({part.format(run=run)}, 0)" for part in COST[dialect]),
    ]
    return (
        f"INSERT INTO run_outcomes ({COLUMNS}) SELECT {ENTRY_ID[dialect]}, {run}.workspace_id,"
        f" coalesce({run}.workflow_id, '=' || {run}.workflow_name), {AT[dialect].format(run=run)},"
        f" coalesce({run}.cost_currency, ''), {', '.join(values)}"
    )


def _create_sqlite_triggers() -> None:
    add, take_back = _insert_entry("sqlite", "NEW", 1), _insert_entry("sqlite", "OLD", -1)
    triggers = {
        "ended": (f"INSERT ON runs WHEN {_counts('NEW')}", add),
        "changed": (f"UPDATE OF {COUNTED} ON runs WHEN {_counts('OLD')}", take_back),
        "changed_after": (f"UPDATE OF {COUNTED} ON runs WHEN {_counts('NEW')}", add),
        "deleted": (f"DELETE ON runs WHEN {_counts('OLD')}", take_back),
    }
    for name, (event, statement) in triggers.items():
        op.execute(f"CREATE TRIGGER run_outcome_{name} AFTER {event} BEGIN {statement}; END")


def _create_postgresql_triggers() -> None:
    add, take_back = _insert_entry("postgresql", "NEW", 1), _insert_entry("postgresql", "OLD", -1)
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION count_run_outcome() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP <> 'INSERT' AND {_counts("OLD")} THEN {take_back}; END IF;
            IF TG_OP <> 'DELETE' AND {_counts("NEW")} THEN {add}; END IF;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        f"CREATE TRIGGER run_outcome_changed AFTER INSERT OR DELETE OR UPDATE OF {COUNTED} ON runs"
        " FOR EACH ROW EXECUTE FUNCTION count_run_outcome()"
    )
