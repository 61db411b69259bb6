"""Rows for the schedules that are there already, in a transaction without table locks."""

from alembic import op

revision = "0002_backfill"
down_revision = "0001_initial"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.run_sql(  # type: ignore[attr-defined]
        "SELECT count(*) AS done FROM periodic_schedule.attach();"
    )


def downgrade() -> None:
    """Nothing: what the backfill wrote goes with the mirror."""
