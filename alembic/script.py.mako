"""${message}"""

from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.run_revision(revision)  # type: ignore[attr-defined]


def downgrade() -> None:
    op.run_revision(revision, back=True)  # type: ignore[attr-defined]
