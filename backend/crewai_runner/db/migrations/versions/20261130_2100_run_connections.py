"""run connections

The connections that runs made to other servers, with the events that follow them: storing them needs no
statement of its own.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(
    postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
)
HAS_CONNECTIONS = sa.text("connections IS NOT NULL")


def upgrade() -> None:
    op.add_column("run_events", sa.Column("connections", JSON, nullable=True))
    op.create_index(
        "ix_run_events_connections",
        "run_events",
        ["run_id", "seq"],
        sqlite_where=HAS_CONNECTIONS,
        postgresql_where=HAS_CONNECTIONS,
    )


def downgrade() -> None:
    op.drop_index("ix_run_events_connections", table_name="run_events")
    op.drop_column("run_events", "connections")
