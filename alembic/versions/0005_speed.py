"""Speed: what a write, a tick and a new session's first call cost."""

from alembic import op

revision = "0005_speed"
down_revision = "0004_tick"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.frozen_sql("0005_speed/tables.sql")  # type: ignore[attr-defined]
    op.frozen_sql("0005_speed/upgrade.sql")  # type: ignore[attr-defined]
    op.frozen_sql("0002_backfill/upgrade.sql")  # type: ignore[attr-defined]


def downgrade() -> None:
    op.frozen_sql("0005_speed/old_tables.sql")  # type: ignore[attr-defined]
    op.frozen_sql("0005_speed/downgrade.sql")  # type: ignore[attr-defined]
