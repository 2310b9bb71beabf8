"""Queries that researchers keep for themselves and their projects."""

from alembic import op
from sqlalchemy import Column, Integer, String, Text

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table of own queries."""
    op.create_table(
        "own_queries",
        Column("id", Text, primary_key=True),
        Column("version", Integer, primary_key=True, autoincrement=False),
        Column("owner", Text, nullable=False),
        Column("author", Text, nullable=False),
        Column("project", Text),
        Column("seen_by", Text, nullable=False),
        Column("title", Text, nullable=False),
        Column("question", Text, nullable=False),
        Column("sql", Text, nullable=False),
        Column("parameters", Text, nullable=False),
        Column("origin", Text),
        Column("at", String(32), nullable=False),
    )
    op.create_index("ix_own_queries_owner", "own_queries", ["owner"])
    op.create_index("ix_own_queries_project", "own_queries", ["project"])
