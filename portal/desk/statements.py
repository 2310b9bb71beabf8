"""The way of a statement. Grid, chart, download, API and saved query all come this way."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from portal.catalogue.dataset import Erratum
from portal.catalogue.release import Manifest
from portal.desk.access import decide_for, identify, project_of, workspace_of
from portal.desk.answers import Answer, Asker, Explanation, Receipt, SourceUse
from portal.desk.services import Services
from portal.engines.port import CancelSignal, Progress, ReadJob, ReadLimits
from portal.errors import Fault, LimitReached, PolicyRefusal, PortalError, StatementRefusal, UsageError
from portal.fingerprints import fingerprint
from portal.ids import DatasetName, Fingerprint, ProjectId, ReceiptId
from portal.ledger import Action
from portal.policy.decision import Decision, Deny, Obligations, Permit
from portal.policy.explain import explain, obligation_in_words
from portal.policy.model import Access, Limits
from portal.sql import parse, plan
from portal.sql.plan import Plan, Statement
from portal.workspaces.plan import governed_schema
from portal.workspaces.spool import Spooled
from portal.workspaces.store import GovernedCopy

BUDGET_DAYS = 7
_HUGEINT = 2**127
_LONGEST_TEXT = 100_000
_FIT = f"Give a truth value, a date, a number below 2^127, or a text of at most {_LONGEST_TEXT:,} characters."


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A statement that may run: its plan, the permits behind it, and whose workspace it reads."""

    statement: Statement
    plan: Plan
    permits: Mapping[DatasetName, Permit]
    manifests: Mapping[DatasetName, Manifest]
    workspace: ProjectId
    limits: Limits
    rows_left: int


@dataclass(frozen=True, slots=True)
class Running:
    """How a run is watched and bounded. `result_rows` can lower the policy's own limit of rows, never raise it."""

    result_rows: int | None = None
    cancel: CancelSignal | None = None
    progress: Progress | None = None


UNWATCHED = Running()


def run_statement(services: Services, asker: Asker, statement: Statement, running: Running = UNWATCHED) -> Answer:
    """Answer a statement, or refuse it with reasons; either way the ledger knows. Charged on success only.

    Raises any error of the closed family.
    """
    try:
        return _run(services, asker, _prepare(services, asker, statement), running)
    except PortalError as error:
        _record_failure(services, asker, statement, error)
        raise


def explain_statement(services: Services, asker: Asker, statement: Statement) -> Explanation:
    """Say what would happen to a statement, or refuse it just as running would."""
    prepared = _prepare(services, asker, statement)
    return Explanation(
        sql=prepared.plan.sql,
        parameters=prepared.plan.parameters,
        decisions={name: explain(permit) for name, permit in prepared.permits.items()},
        limits=prepared.limits,
        rows_left_this_week=prepared.rows_left,
        errata=errata_of(services, prepared.plan),
    )


def permits_for(decisions: Mapping[DatasetName, Decision]) -> Mapping[DatasetName, Permit]:
    """Return the permits for rows; refuse, with every reason, where one is short of that.

    A dataset that is closed altogether is left out: naming it reads as naming what does not exist.
    """
    faults = [fault for name, decision in decisions.items() for fault in _short_of_rows(name, decision)]
    if faults:
        raise PolicyRefusal(*faults)
    return {name: decision for name, decision in decisions.items() if isinstance(decision, Permit)}


def errata_of(services: Services, planned: Plan) -> tuple[tuple[DatasetName, Erratum], ...]:
    """Return the errata of the columns that a plan reads; one that names no column stands for all of them."""
    used = {name: {use.column for use in planned.columns if use.dataset == name} for name in planned.datasets}
    return tuple(
        (name, erratum)
        for name, columns in used.items()
        for erratum in services.site.datasets[name].errata
        if not erratum.columns or columns & set(erratum.columns)
    )


def _prepare(services: Services, asker: Asker, statement: Statement) -> _Prepared:
    person, project = identify(services, asker.person), project_of(services, asker)
    parsed = parse(statement.text)
    permits = permits_for(decide_for(services, asker, parsed.datasets))
    schemas = {
        name: governed_schema(services.site.datasets[name], permit.obligations) for name, permit in permits.items()
    }
    planned = plan(parsed, schemas, services.parser)
    _check_parameters(planned, statement)
    workspace = workspace_of(person, project)
    limits = strictest([permit.obligations.limits for permit in permits.values()])
    return _Prepared(
        statement,
        planned,
        permits,
        {name: _published(services, name) for name in permits},
        workspace,
        limits,
        rows_left=_rows_left(services, workspace, limits),
    )


def _rows_left(services: Services, workspace: ProjectId, limits: Limits) -> int:
    since = services.clock() - timedelta(days=BUDGET_DAYS)
    return limits.rows_per_week - services.ledger.rows_charged(workspace, since)


def _run(services: Services, asker: Asker, prepared: _Prepared, running: Running) -> Answer:
    _check_budget(prepared.limits, prepared.rows_left, rows=1)
    copies = {name: _governed_copy(services, prepared, name, running.progress) for name in prepared.permits}
    started, receipt_id = services.clock(), ReceiptId(secrets.token_hex(16))
    with services.sandbox.read(_job(prepared, copies, running.result_rows), running.cancel) as stream:
        spooled = services.spool.write(prepared.workspace, receipt_id, stream)
    finished = services.clock()
    receipt = Receipt(
        id=receipt_id,
        person=asker.person,
        project=asker.project,
        statement=prepared.statement.text,
        parameters=dict(prepared.statement.parameters),
        sources=tuple(_source_use(prepared, copy) for copy in copies.values()),
        rows=spooled.rows,
        complete=spooled.complete,
        fingerprint=_question(prepared, copies),
        at=finished,
        seconds=(finished - started).total_seconds(),
        rows_left_this_week=prepared.rows_left - spooled.rows,
    )
    return Answer(_charge(services, prepared, receipt, spooled), errata_of(services, prepared.plan), spooled.path)


def _charge(services: Services, prepared: _Prepared, receipt: Receipt, spooled: Spooled) -> Receipt:
    """Charge the answer's rows, one answer of a project at a time: others may have spent what was left meanwhile."""
    try:
        with services.spool.alone(prepared.workspace):
            left = _rows_left(services, prepared.workspace, prepared.limits)
            _check_budget(prepared.limits, left, rows=receipt.rows)
            receipt = replace(receipt, rows_left_this_week=left - receipt.rows)
            services.ledger.record(
                Action.STATEMENT_RAN,
                actor=receipt.person,
                project=prepared.workspace,
                subject=receipt.id,
                details=receipt.as_record(),
                rows=receipt.rows,
            )
    except PortalError:
        spooled.path.unlink(missing_ok=True)
        raise
    return receipt


def _check_budget(limits: Limits, rows_left: int, *, rows: int) -> None:
    if rows > rows_left:
        raise LimitReached(
            Fault(
                "WEEKLY_BUDGET",
                f"The project has used its {limits.rows_per_week:,} rows of the last seven days, or too many of them "
                "for this answer.",
                rule="limits.rows_per_week",
                fix="Wait until earlier answers are seven days old, or aggregate in SQL: only rows handed out count.",
            )
        )


def _question(prepared: _Prepared, copies: Mapping[DatasetName, GovernedCopy]) -> Fingerprint:
    """Name the question: the same SQL and parameters over the same governed files."""
    return fingerprint(
        {
            "sql": prepared.plan.sql,
            "parameters": dict(prepared.statement.parameters),
            "sources": {name: copy.fingerprint for name, copy in copies.items()},
        }
    )


def strictest(limits: Sequence[Limits]) -> Limits:
    """Return the strictest of each limit; several policies meet in one statement."""
    if not limits:
        return Limits()
    return Limits(
        rows_per_week=min(limit.rows_per_week for limit in limits),
        seconds=min(limit.seconds for limit in limits),
        memory=min((limit.memory for limit in limits), key=lambda memory: Limits(memory=memory).memory_bytes),
        result_rows=min(limit.result_rows for limit in limits),
    )


def _short_of_rows(name: DatasetName, decision: Decision) -> Sequence[Fault]:
    match decision:
        case Deny():
            return ()
        case Permit(access=Access.ROWS):
            return ()
        case Permit(access=Access.AGGREGATES):
            return (
                Fault(
                    "AGGREGATES_NOT_YET",
                    f"{name} is open to you for statistics only, which this portal cannot answer yet; so it refuses.",
                    rule="access: aggregates",
                    dataset=name,
                    fix="Ask for row access, or wait for a version with statistics.",
                ),
            )
        case _:
            steps = " ".join(decision.next_steps) or "See the dataset's page for what is needed."
            message = f"Only the codebook of {name} is open to you."
            return (Fault("CODEBOOK_ONLY", message, rule="access: codebook", dataset=name, fix=steps),)


def _published(services: Services, name: DatasetName) -> Manifest:
    manifest = services.releases.latest(name)
    if manifest is None:
        raise PolicyRefusal(
            Fault("NOT_PUBLISHED", f"No release of {name} is published yet.", dataset=name, fix="Ask the data steward.")
        )
    return manifest


def _check_parameters(planned: Plan, statement: Statement) -> None:
    missing = sorted(set(planned.parameters) - set(statement.parameters))
    unknown = sorted(set(statement.parameters) - set(planned.parameters))
    unfit = sorted(name for name in planned.parameters if not _is_fit(statement.parameters.get(name)))
    if missing or unknown or unfit:
        raise UsageError(
            *(Fault("PARAMETER_MISSING", f"No value was given for ${name}.", fix="Give it.") for name in missing),
            *(Fault("PARAMETER_UNKNOWN", f"The statement has no ${name}.", fix="Leave it out.") for name in unknown),
            *(Fault("PARAMETER_VALUE", f"The value of ${name} is not one that SQL takes.", fix=_FIT) for name in unfit),
        )


def _is_fit(value: object) -> bool:
    """Whether a value is of a kind that a statement can be given, and of a size that a ledger can keep."""
    match value:
        case None | bool() | float() | date():
            return True
        case int():
            return abs(value) < _HUGEINT
        case str():
            return len(value) <= _LONGEST_TEXT and _as_text(value) == value
        case _:
            return False


def _as_text(text: str) -> str:
    """Return the text without what no file could hold: halves of characters."""
    return text.encode(errors="replace").decode()


def _governed_copy(
    services: Services, prepared: _Prepared, name: DatasetName, progress: Progress | None
) -> GovernedCopy:
    return services.workspaces.ensure(
        prepared.workspace,
        services.site.datasets[name],
        prepared.manifests[name],
        prepared.permits[name].obligations,
        progress,
    )


def _job(prepared: _Prepared, copies: Mapping[DatasetName, GovernedCopy], result_rows: int | None) -> ReadJob:
    limits = prepared.limits
    rows = min(limits.result_rows, prepared.rows_left, *([] if result_rows is None else [result_rows]))
    return ReadJob(
        sql=prepared.plan.sql,
        parameters=prepared.statement.parameters,
        tables={name: copy.files for name, copy in copies.items()},
        limits=ReadLimits(seconds=limits.seconds, memory_bytes=limits.memory_bytes, result_rows=rows),
    )


def _source_use(prepared: _Prepared, copy: GovernedCopy) -> SourceUse:
    obligations = prepared.permits[copy.dataset].obligations
    return SourceUse(
        dataset=copy.dataset,
        release=copy.release,
        policy=obligations.policy,
        synthetic=prepared.manifests[copy.dataset].synthetic,
        obligations=duties_in_words(obligations),
    )


def duties_in_words(obligations: Obligations) -> tuple[str, ...]:
    """Return what was done to rows and columns, as a receipt has it."""
    return (
        *(f"rows: {rule.words}" for rule in obligations.rows),
        *(f"{name}: {obligation_in_words(duty)}" for name, duty in obligations.columns.items() if not duty.show),
    )


def _record_failure(services: Services, asker: Asker, statement: Statement, error: PortalError) -> None:
    refused = isinstance(error, StatementRefusal | PolicyRefusal | UsageError)
    text = _as_text(statement.text[:_LONGEST_TEXT])
    services.ledger.record(
        Action.STATEMENT_REFUSED if refused else Action.STATEMENT_FAILED,
        actor=asker.person,
        project=asker.project,
        subject=str(fingerprint(text)),
        details={"statement": text, "codes": [fault.code for fault in error.faults]},
    )
