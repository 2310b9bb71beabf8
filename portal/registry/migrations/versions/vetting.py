"""Applications for access, and what the Digital Services Coordinator must be told of them."""

from alembic import op
from sqlalchemy import BigInteger, Column, Date, ForeignKey, Integer, String, Text

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables of vetting."""
    op.create_table(
        "applications",
        Column("id", Text, primary_key=True),
        Column("number", BigInteger, nullable=False),
        Column("way", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("version", Integer, nullable=False),
        Column("reference", Text, unique=True),
        Column("project", Text, unique=True),
        Column("document", Text, nullable=False),
    )
    op.create_table(
        "notices",
        Column("number", BigInteger, primary_key=True, autoincrement=False),
        Column("application", Text, ForeignKey("applications.id"), nullable=False),
        Column("event", Text, nullable=False),
        Column("text", Text, nullable=False),
        Column("drafted_at", String(32), nullable=False),
        Column("due", Date, nullable=False),
        Column("sent_at", String(32)),
        Column("sent_by", Text),
    )
