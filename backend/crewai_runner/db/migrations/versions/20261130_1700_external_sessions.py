"""external sessions

What the issuer of a sign-in decides: sessions of browsers with its tokens, and memberships that groups give.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "external_sessions",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("issuer", sa.String(300), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("sid", sa.String(255), nullable=True),
        sa.Column("sealed_refresh_token", sa.Text(), nullable=True),
        sa.Column("sealed_id_token", sa.Text(), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_external_sessions")),
        sa.ForeignKeyConstraint(
            ["token_hash"],
            ["browser_sessions.token_hash"],
            name=op.f("fk_external_sessions_token_hash_browser_sessions"),
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_external_sessions_identity", "external_sessions", ["issuer", "subject"])
    op.add_column("memberships", sa.Column("managed_by", sa.String(300), nullable=True))
    label = sa.Column("label", sa.String(320), nullable=False, server_default="")
    op.add_column("external_identities", label)
    checked_at = sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True)
    op.add_column("external_identities", checked_at)


def downgrade() -> None:
    # The version before would keep these without ever asking the issuer again.
    op.execute("DELETE FROM browser_sessions WHERE token_hash IN (SELECT token_hash FROM external_sessions)")
    op.execute("DELETE FROM memberships WHERE managed_by IS NOT NULL")
    op.drop_column("external_identities", "checked_at")
    op.drop_column("external_identities", "label")
    op.drop_column("memberships", "managed_by")
    op.drop_table("external_sessions")
