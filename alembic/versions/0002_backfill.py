"""Rows for the schedules that are there already, in a transaction without table locks."""

from alembic import op

revision = "0002_backfill"
down_revision = "0001_mirror"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.frozen_sql("0002_backfill/upgrade.sql")  # type: ignore[attr-defined]


def downgrade() -> None:
    op.frozen_sql("0002_backfill/downgrade.sql")  # type: ignore[attr-defined]
