"""tool call approvals

Approval requests for calls of tools have the arguments that an agent chose, the schema that they must match,
and the arguments of a person.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(
    postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
)


def upgrade() -> None:
    op.add_column("approvals", sa.Column("tool", sa.String(200), nullable=True))
    op.add_column("approvals", sa.Column("arguments", JSON, nullable=True))
    op.add_column("approvals", sa.Column("parameters", JSON, nullable=True))
    op.add_column("approvals", sa.Column("edited_arguments", JSON, nullable=True))
    op.add_column("approvals", sa.Column("for_run", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    for column in ("for_run", "edited_arguments", "parameters", "arguments", "tool"):
        op.drop_column("approvals", column)
