"""The mirror, its triggers and functions."""

from alembic import op

revision = "0001_mirror"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.frozen_sql("0001_mirror/upgrade.sql")  # type: ignore[attr-defined]


def downgrade() -> None:
    op.frozen_sql("0001_mirror/downgrade.sql")  # type: ignore[attr-defined]
