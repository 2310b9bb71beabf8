"""The ledger's tables. Times and details are text exactly as hashed, so that verifying reads what was written.

The database itself refuses to change or remove an entry: triggers, made with the tables (`portal.registry.migrations`).
"""

from sqlalchemy import BigInteger, Column, Index, MetaData, Named, String, Table, Text, TypedColumns

metadata = MetaData()


class EntryColumns(TypedColumns):
    """One entry a row."""

    sequence = Column(BigInteger, primary_key=True, autoincrement=False)
    at: Named[str] = Column(String(32))
    actor: Named[str | None] = Column(Text)
    project: Named[str | None] = Column(Text)
    action: Named[str] = Column(String(32))
    subject: Named[str] = Column(Text)
    rows: Named[int] = Column(BigInteger)
    details: Named[str] = Column(Text)
    previous: Named[str] = Column(String(64))
    hash: Named[str] = Column(String(64))


class HeadColumns(TypedColumns):
    """The one row that says, signed, where the chain ends."""

    only = Column(BigInteger, primary_key=True, autoincrement=False)
    sequence: Named[int] = Column(BigInteger)
    hash: Named[str] = Column(String(64))
    signature: Named[str] = Column(String(64))


entries = Table("ledger_entries", metadata, EntryColumns)
heads = Table("ledger_head", metadata, HeadColumns)

Index("ledger_by_subject", entries.c.subject)
Index("ledger_by_time", entries.c.at)
Index("ledger_by_actor", entries.c.actor, entries.c.sequence)
Index("ledger_by_project", entries.c.project, entries.c.action, entries.c.at)
