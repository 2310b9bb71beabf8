"""The first tables."""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Date, ForeignKey, String, Text

from portal.storage import append_only

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the ledger and the registry."""
    _make_ledger()
    _make_people_and_projects()
    _make_downloads()


def _make_ledger() -> None:
    op.create_table(
        "ledger_entries",
        Column("sequence", BigInteger, primary_key=True, autoincrement=False),
        Column("at", String(32), nullable=False),
        Column("actor", Text),
        Column("project", Text),
        Column("action", String(32), nullable=False),
        Column("subject", Text, nullable=False),
        Column("rows", BigInteger, nullable=False),
        Column("details", Text, nullable=False),
        Column("previous", String(64), nullable=False),
        Column("hash", String(64), nullable=False),
    )
    op.create_index("ledger_by_subject", "ledger_entries", ["subject"])
    op.create_index("ledger_by_time", "ledger_entries", ["at"])
    op.create_index("ledger_by_actor", "ledger_entries", ["actor", "sequence"])
    op.create_index("ledger_by_project", "ledger_entries", ["project", "action", "at"])
    op.create_table(
        "ledger_head",
        Column("only", BigInteger, primary_key=True, autoincrement=False),
        Column("sequence", BigInteger, nullable=False),
        Column("hash", String(64), nullable=False),
        Column("signature", String(64), nullable=False),
    )
    append_only(op.get_bind(), "ledger_entries", "sequence")


def _make_people_and_projects() -> None:
    op.create_table(
        "people",
        Column("id", Text, primary_key=True),
        Column("name", Text, nullable=False),
        Column("tier", Text, nullable=False),
        Column("active", Boolean, nullable=False),
    )
    op.create_table(
        "projects",
        Column("id", Text, primary_key=True),
        Column("title", Text, nullable=False),
        Column("purpose", Text, nullable=False),
        Column("starts", Date, nullable=False),
        Column("ends", Date, nullable=False),
        Column("member_states", Text, nullable=False),
        Column("undertakings", Text, nullable=False),
        Column("reasoned_request", Text),
    )
    op.create_table(
        "project_members",
        Column("project", Text, ForeignKey("projects.id"), primary_key=True),
        Column("person", Text, ForeignKey("people.id"), primary_key=True, index=True),
    )
    op.create_table(
        "grants",
        Column("number", BigInteger, primary_key=True, autoincrement=False),
        Column("dataset", Text, nullable=False),
        Column("project", Text, ForeignKey("projects.id"), nullable=False, index=True),
        Column("starts", Date, nullable=False),
        Column("ends", Date, nullable=False),
        Column("narrowing", Text, nullable=False),
        Column("revoked_at", String(32)),
    )
    op.create_table(
        "tokens",
        Column("id", Text, primary_key=True),
        Column("person", Text, ForeignKey("people.id"), nullable=False, index=True),
        Column("project", Text, ForeignKey("projects.id"), nullable=False),
        Column("name", Text, nullable=False),
        Column("secret_hash", Text, nullable=False),
        Column("created_at", String(32), nullable=False),
        Column("expires_at", String(32), nullable=False),
        Column("last_used_at", String(32)),
        Column("revoked_at", String(32)),
    )


def _make_downloads() -> None:
    op.create_table(
        "downloads",
        Column("id", Text, primary_key=True),
        Column("person", Text, ForeignKey("people.id"), nullable=False),
        Column("project", Text, ForeignKey("projects.id"), index=True),
        Column("receipt_id", Text, nullable=False),
        Column("receipt", Text, nullable=False),
        Column("format", Text, nullable=False),
        Column("rows", BigInteger, nullable=False),
        Column("bytes", BigInteger, nullable=False),
        Column("sha256", Text, nullable=False),
        Column("filename", Text, nullable=False),
        Column("path", Text, nullable=False),
        Column("created_at", String(32), nullable=False),
        Column("expires_at", String(32), nullable=False),
    )
