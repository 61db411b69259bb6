"""The tick: Postgres fires what it owns."""

from alembic import op

revision = "0004_tick"
down_revision = "0003_next_run"
branch_labels = None
depends_on = None


# Each way, the mirror is then written anew by the functions that are there: parity starts from the
# runs that Beat has saved; and Beat must fire again what Postgres owned.


def upgrade() -> None:
    op.frozen_sql("0004_tick/tables.sql")  # type: ignore[attr-defined]
    op.frozen_sql("0004_tick/upgrade.sql")  # type: ignore[attr-defined]
    op.frozen_sql("0004_tick/triggers.sql")  # type: ignore[attr-defined]
    op.frozen_sql("0002_backfill/upgrade.sql")  # type: ignore[attr-defined]


def downgrade() -> None:
    op.frozen_sql("0004_tick/release.sql")  # type: ignore[attr-defined]
    op.frozen_sql("0004_tick/downgrade.sql")  # type: ignore[attr-defined]
    op.frozen_sql("0004_tick/drop_tables.sql")  # type: ignore[attr-defined]
    op.frozen_sql("0002_backfill/upgrade.sql")  # type: ignore[attr-defined]
