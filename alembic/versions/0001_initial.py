"""Everything: until 1.0 assembled from sql/ when it runs."""

from alembic import op
from pg_periodic_schedule import by_alembic

revision = "pgps_0001_initial"  # no other project's
down_revision = None
branch_labels = ("pg_periodic_schedule",)
depends_on = None


def upgrade() -> None:
    by_alembic.upgrade(op, revision)


def downgrade() -> None:
    by_alembic.downgrade(op, revision)
