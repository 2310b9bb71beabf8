"""Downloads that are asked for and not yet files. Databases without marks may have the table already."""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Double, Integer, String, Text

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the queue."""
    op.create_table(
        "download_jobs",
        Column("id", Text, primary_key=True),
        Column("number", BigInteger, nullable=False),
        Column("person", Text, nullable=False),
        Column("project", Text),
        Column("statement", Text, nullable=False),
        Column("parameters", Text, nullable=False),
        Column("format", Text, nullable=False),
        Column("created_at", String(32), nullable=False),
        Column("state", Text, nullable=False),
        Column("owner", Text),
        Column("beat_at", String(32)),
        Column("attempts", Integer, nullable=False),
        Column("share", Double, nullable=False),
        Column("words", Text, nullable=False),
        Column("cancelled", Boolean, nullable=False),
        Column("error", Text),
        Column("ended_at", String(32)),
        if_not_exists=True,
    )
