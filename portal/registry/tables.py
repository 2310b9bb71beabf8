"""The registry's tables."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Column, Date, ForeignKey, Integer, MetaData, Named, Table, Text, TypedColumns

from portal.registry.records import JobState
from portal.registry.types import ErrorText, JsonText, ParametersText, StateText, StoredText, Utc

metadata = MetaData()


class PeopleColumns(TypedColumns):
    """Who may sign in."""

    id = Column(StoredText, primary_key=True)
    name: Named[str] = Column(StoredText)
    tier: Named[str] = Column(Text)
    active: Named[bool]


class ProjectColumns(TypedColumns):
    """Research projects."""

    id = Column(StoredText, primary_key=True)
    title: Named[str] = Column(StoredText)
    purpose: Named[str] = Column(StoredText)
    starts: Named[date] = Column(Date)
    ends: Named[date] = Column(Date)
    member_states = Column(JsonText, nullable=False)
    undertakings = Column(JsonText, nullable=False)
    reasoned_request: Named[str | None] = Column(StoredText)


class MemberColumns(TypedColumns):
    """Who is in which project."""

    project = Column(StoredText, ForeignKey("projects.id"), primary_key=True)
    person = Column(StoredText, ForeignKey("people.id"), primary_key=True, index=True)


class GrantColumns(TypedColumns):
    """Every grant ever given; `number` counts them in the order in which they were given."""

    number = Column(BigInteger, primary_key=True, autoincrement=False)
    dataset = Column(StoredText, nullable=False)
    project = Column(StoredText, ForeignKey("projects.id"), nullable=False, index=True)
    starts: Named[date] = Column(Date)
    ends: Named[date] = Column(Date)
    narrowing = Column(JsonText, nullable=False)
    revoked_at: Named[datetime | None] = Column(Utc)


class TokenColumns(TypedColumns):
    """Bearer tokens: only the hash of the secret is kept."""

    id = Column(Text, primary_key=True)
    person = Column(StoredText, ForeignKey("people.id"), nullable=False, index=True)
    project = Column(StoredText, ForeignKey("projects.id"), nullable=False)
    name: Named[str] = Column(StoredText)
    secret_hash: Named[str] = Column(Text)
    created_at: Named[datetime] = Column(Utc)
    expires_at: Named[datetime] = Column(Utc)
    last_used_at: Named[datetime | None] = Column(Utc)
    revoked_at: Named[datetime | None] = Column(Utc)


class DownloadColumns(TypedColumns):
    """Files that were made to leave the portal. The record outlives the file."""

    id = Column(StoredText, primary_key=True)
    person = Column(StoredText, ForeignKey("people.id"), nullable=False)
    project = Column(StoredText, ForeignKey("projects.id"), index=True)
    receipt_id = Column(StoredText, nullable=False)
    receipt = Column(JsonText, nullable=False)
    format: Named[str] = Column(Text)
    rows: Named[int] = Column(BigInteger)
    bytes: Named[int] = Column(BigInteger)
    sha256: Named[str] = Column(Text)
    filename: Named[str] = Column(StoredText)
    path: Named[str] = Column(StoredText)
    created_at: Named[datetime] = Column(Utc)
    expires_at: Named[datetime] = Column(Utc)


class DownloadJobColumns(TypedColumns):
    """Downloads that were asked for and are not yet files; `number` counts them as they came."""

    id = Column(StoredText, primary_key=True)
    number = Column(BigInteger, nullable=False)
    person: Named[str] = Column(StoredText)
    project: Named[str | None] = Column(StoredText)
    statement: Named[str] = Column(StoredText)
    parameters = Column(ParametersText, nullable=False)
    format: Named[str] = Column(StoredText)
    created_at: Named[datetime] = Column(Utc)
    state: Named[JobState] = Column(StateText)
    owner: Named[str | None] = Column(Text)
    beat_at: Named[datetime | None] = Column(Utc)
    attempts: Named[int]
    share: Named[float]
    words: Named[str] = Column(StoredText)
    cancelled: Named[bool]
    error = Column(ErrorText, nullable=True)
    ended_at: Named[datetime | None] = Column(Utc)


class ApplicationColumns(TypedColumns):
    """Applications for access: the document whole, and beside it what is asked by; `number` counts them."""

    id = Column(StoredText, primary_key=True)
    number = Column(BigInteger, nullable=False)
    way: Named[str] = Column(Text)
    state: Named[str] = Column(Text)
    version: Named[int]
    reference = Column(StoredText, unique=True, nullable=True)
    project = Column(StoredText, unique=True, nullable=True)
    document = Column(JsonText, nullable=False)


class NoticeColumns(TypedColumns):
    """What the Digital Services Coordinator must be told; `number` counts them."""

    number = Column(BigInteger, primary_key=True, autoincrement=False)
    application = Column(StoredText, ForeignKey("applications.id"), nullable=False)
    event: Named[str] = Column(Text)
    text: Named[str] = Column(StoredText)
    drafted_at: Named[datetime] = Column(Utc)
    due: Named[date] = Column(Date)
    sent_at: Named[datetime | None] = Column(Utc)
    sent_by: Named[str | None] = Column(StoredText)


class OwnQueryColumns(TypedColumns):
    """Queries that researchers keep: a row for each version, and none ever changes."""

    id = Column(StoredText, primary_key=True)
    version = Column(Integer, primary_key=True, autoincrement=False)
    owner = Column(StoredText, nullable=False, index=True)
    author: Named[str] = Column(StoredText)
    project = Column(StoredText, index=True, nullable=True)
    seen_by: Named[str] = Column(Text)
    title: Named[str] = Column(StoredText)
    question: Named[str] = Column(StoredText)
    sql: Named[str] = Column(StoredText)
    parameters = Column(ParametersText, nullable=False)
    origin: Named[str | None] = Column(StoredText)
    at: Named[datetime] = Column(Utc)


people = Table("people", metadata, PeopleColumns)
projects = Table("projects", metadata, ProjectColumns)
members = Table("project_members", metadata, MemberColumns)
grants = Table("grants", metadata, GrantColumns)
tokens = Table("tokens", metadata, TokenColumns)
downloads = Table("downloads", metadata, DownloadColumns)
download_jobs = Table("download_jobs", metadata, DownloadJobColumns)
applications = Table("applications", metadata, ApplicationColumns)
notices = Table("notices", metadata, NoticeColumns)
own_queries = Table("own_queries", metadata, OwnQueryColumns)
