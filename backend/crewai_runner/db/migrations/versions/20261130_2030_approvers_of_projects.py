"""approvers of projects

Who is asked when the code of a project asks a person.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("projects", sa.Column("approver", sa.String(320), nullable=True))


def downgrade() -> None:
    op.drop_column("projects", "approver")
