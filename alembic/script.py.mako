"""${message}"""

from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.frozen_sql("${up_revision}/upgrade.sql")  # type: ignore[attr-defined]


def downgrade() -> None:
    op.frozen_sql("${up_revision}/downgrade.sql")  # type: ignore[attr-defined]
