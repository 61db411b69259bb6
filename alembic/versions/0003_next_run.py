"""Next runs to the microsecond, right through clock changes; validate, describe, preview."""

from alembic import op

revision = "0003_next_run"
down_revision = "0002_backfill"
branch_labels = None
depends_on = None


# Each way, the mirror is then written anew by the functions that are there: next runs differ.


def upgrade() -> None:
    op.frozen_sql("0003_next_run/upgrade.sql")  # type: ignore[attr-defined]
    op.frozen_sql("0002_backfill/upgrade.sql")  # type: ignore[attr-defined]


def downgrade() -> None:
    op.frozen_sql("0003_next_run/downgrade.sql")  # type: ignore[attr-defined]
    op.frozen_sql("0002_backfill/upgrade.sql")  # type: ignore[attr-defined]
