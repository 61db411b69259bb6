"""Everything: until 1.0 assembled from sql/ when it runs."""

from alembic import op

revision = "0001_initial"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.run_revision(revision)  # type: ignore[attr-defined]


def downgrade() -> None:
    op.run_revision(revision, back=True)  # type: ignore[attr-defined]
