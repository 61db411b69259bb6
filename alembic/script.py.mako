"""${message}"""

from alembic import op

from pg_periodic_schedule import by_alembic

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    by_alembic.upgrade(op, revision)


def downgrade() -> None:
    by_alembic.downgrade(op, revision)
