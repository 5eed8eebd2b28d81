"""audit log

Rows about changes and refused attempts, chained by hashes; the heads of the chains; what has been sent.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("chain", sa.String(64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.String(20), nullable=False),
        sa.Column("actor_id", sa.String(200), nullable=True),
        sa.Column("person_id", sa.String(64), nullable=True),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("operation", sa.String(100), nullable=False),
        sa.Column("target_kind", sa.String(40), nullable=True),
        sa.Column("target_id", sa.String(200), nullable=True),
        sa.Column("result", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(80), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.String(128), nullable=False),
        sa.Column("changes", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.Column("previous_hash", sa.String(64), nullable=True),
        sa.Column("hash", sa.String(64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    op.create_index("uq_audit_log_seq", "audit_log", ["chain", "seq"], unique=True)
    op.create_index("ix_audit_log_newest", "audit_log", ["chain", "id"])
    for column in ("actor", "person", "target"):
        op.create_index(f"ix_audit_log_{column}", "audit_log", ["chain", f"{column}_id", "id"])
    op.create_index("ix_audit_log_kind", "audit_log", ["chain", "actor_kind", "id"])
    op.create_index("ix_audit_log_operation", "audit_log", ["chain", "operation", "id"])
    for name, condition in (("refused", "result = 'refused'"), ("unsealed", "seq IS NULL")):
        op.create_index(
            f"ix_audit_log_{name}",
            "audit_log",
            ["chain", "id"],
            sqlite_where=sa.text(condition),
            postgresql_where=sa.text(condition),
        )
    _create_chains()


def downgrade() -> None:
    for table in ("audit_deliveries", "audit_chains", "audit_log"):
        op.drop_table(table)


def _create_chains() -> None:
    op.create_table(
        "audit_chains",
        sa.Column("chain", sa.String(64), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("last_hash", sa.String(64), nullable=False),
        sa.Column("pruned_seq", sa.Integer(), nullable=False),
        sa.Column("pruned_hash", sa.String(64), nullable=False),
        sa.Column("sealed_state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("chain", name=op.f("pk_audit_chains")),
    )
    op.create_table(
        "audit_deliveries",
        sa.Column("receiver", sa.String(16), nullable=False),
        sa.Column("chain", sa.String(64), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("receiver", "chain", name=op.f("pk_audit_deliveries")),
    )
