"""The way of a statement. Grid, chart, download, API and saved query all come this way."""

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from portal.desk.answers import Answer, Asker, Explanation, Receipt, SourceUse
from portal.desk.budget import check_budget, rows_left
from portal.desk.cells import release_cells
from portal.desk.ending import refuse_withdrawn
from portal.desk.preparing import Prepared, errata_of, prepare, recordable
from portal.desk.services import Services
from portal.desk.standing import duties_in_words, refuse_ended
from portal.engines.port import RESULT_BYTES, CancelSignal, Progress, ReadJob, ReadLimits
from portal.errors import PolicyRefusal, PortalError, StatementRefusal, UsageError
from portal.fingerprints import fingerprint
from portal.ids import DatasetName, Fingerprint, ReceiptId
from portal.ledger import Action
from portal.policy.explain import explain
from portal.policy.model import Access
from portal.policy.uses import uses_of
from portal.sql.describe import block_in_words
from portal.sql.plan import Statement
from portal.workspaces.spool import Spooled
from portal.workspaces.store import GovernedCopy


@dataclass(frozen=True, slots=True)
class Running:
    """How a run is watched and bounded. `result_rows` can lower the policy's own limit of rows, never raise it.

    `result_bytes` is how large the answer may be on disk: more for a file to take away than for one to look at.
    """

    result_rows: int | None = None
    cancel: CancelSignal | None = None
    progress: Progress | None = None
    result_bytes: int = RESULT_BYTES


UNWATCHED = Running()
WITHHELD = "withheld"
"""The note with an answer of released cells: whether a figure of them is withheld."""
_YES, _NO = "yes", "no"


def run_statement(services: Services, asker: Asker, statement: Statement, running: Running = UNWATCHED) -> Answer:
    """Answer a statement, or refuse it with reasons; either way the ledger knows. Charged on success only.

    Raises any error of the closed family.
    """
    try:
        return _run(services, asker, prepare(services, asker, statement), running)
    except PortalError as error:
        _record_failure(services, asker, statement, error)
        raise


def explain_statement(services: Services, asker: Asker, statement: Statement) -> Explanation:
    """Say what would happen to a statement, or refuse it just as running would."""
    prepared = prepare(services, asker, statement)
    return Explanation(
        sql=prepared.plan.sql,
        parameters=prepared.plan.parameters,
        decisions={name: explain(permit) for name, permit in prepared.permits.items()},
        releases=tuple(block_in_words(block) for block in prepared.plan.blocks),
        columns={name: uses_of(permit.obligations) for name, permit in prepared.permits.items()},
        limits=prepared.limits,
        rows_left_this_week=prepared.rows_left,
        errata=errata_of(services, prepared),
    )


def _run(services: Services, asker: Asker, prepared: Prepared, running: Running) -> Answer:
    started, receipt_id = services.clock(), ReceiptId(secrets.token_hex(16))
    copies = {name: _governed_copy(services, prepared, name, running) for name in prepared.open_for(Access.ROWS)}
    question, job = _question(prepared, copies), _job(prepared, copies, running)
    reasons: Mapping[str, int] | None = None
    found = services.spool.find(prepared.workspace, question) if prepared.plan.repeatable else None
    if found is not None and found.rows <= job.limits.result_rows:
        spooled, charged = found, 0
    else:
        check_budget(prepared.limits, prepared.rows_left, rows=1)
        job = job.with_rows(prepared.rows_left)
        with services.admission.admitted(asker.person, job.limits.memory_bytes, running.cancel, running.progress):
            spooled, reasons = _compute(services, prepared, job, receipt_id, running)
        charged = spooled.rows
    _refuse_withdrawn_meanwhile(services, prepared, spooled)
    finished, errata = services.clock(), errata_of(services, prepared)
    receipt = Receipt(
        id=receipt_id,
        person=asker.person,
        project=asker.project,
        statement=prepared.statement.text,
        parameters=dict(prepared.statement.parameters),
        sources=tuple(_source_use(prepared, name) for name in prepared.permits),
        errata=tuple(f"{name}/{erratum.id}" for name, erratum in errata),
        rows=spooled.rows,
        complete=spooled.complete,
        withheld=spooled.notes[WITHHELD] == _YES if WITHHELD in spooled.notes else None,
        fingerprint=question,
        at=finished,
        seconds=(finished - started).total_seconds(),
        rows_left_this_week=prepared.rows_left,
    )
    receipt = _charge(services, prepared, receipt, spooled, started, rows=charged)
    _tell_steward(services, receipt, reasons)
    if spooled is not found and prepared.plan.repeatable and spooled.complete:
        services.spool.keep(spooled, question)
    return Answer(receipt, errata, spooled.path, prepared.limits)


def _compute(
    services: Services, prepared: Prepared, job: ReadJob, receipt: ReceiptId, running: Running
) -> tuple[Spooled, Mapping[str, int] | None]:
    """Release the cells, run the statement, and keep its answer; and return why cells, if it has any, were withheld."""
    cells = release_cells(services, prepared, job.tables, running.cancel)
    notes = {WITHHELD: _YES if cells.shows_withheld else _NO} if cells.relations else {}
    with services.sandbox.read(replace(job, cells=cells.relations), running.cancel) as stream:
        return services.spool.write(prepared.workspace, receipt, stream, notes), cells.withheld if notes else None


def _refuse_withdrawn_meanwhile(services: Services, prepared: Prepared, spooled: Spooled) -> None:
    """Keep back an answer whose release was withdrawn while it was made; a withdrawal removes all others itself."""
    try:
        refuse_withdrawn(services, ((name, manifest.number) for name, manifest in prepared.manifests.items()))
    except PolicyRefusal:
        spooled.path.unlink(missing_ok=True)
        raise


def _governed_copy(services: Services, prepared: Prepared, name: DatasetName, running: Running) -> GovernedCopy:
    return services.workspaces.ensure(
        prepared.workspace,
        services.site.datasets[name],
        prepared.manifests[name],
        prepared.permits[name].obligations,
        running.progress,
    )


def _job(prepared: Prepared, copies: Mapping[DatasetName, GovernedCopy], running: Running) -> ReadJob:
    limits, lowered = prepared.limits, running.result_rows
    rows = limits.result_rows if lowered is None else min(limits.result_rows, lowered)
    return ReadJob(
        sql=prepared.plan.sql,
        parameters={name: prepared.statement.parameters[name] for name in prepared.plan.open_parameters},
        tables={name: copy.files for name, copy in copies.items()},
        limits=ReadLimits(limits.seconds, limits.memory_bytes, rows, running.result_bytes),
    )


def _charge(  # noqa: PLR0913 - one for each fact of the charge
    services: Services, prepared: Prepared, receipt: Receipt, spooled: Spooled, started: datetime, *, rows: int
) -> Receipt:
    """Charge so many rows, one answer of a project at a time: others may have spent what was left meanwhile.

    What the project was given before, and still has, costs nothing when it is asked for again. An access that ended
    meanwhile gives nothing.
    """
    try:
        with services.spool.alone(prepared.workspace):
            refuse_ended(services, receipt, started)
            left = rows_left(services, prepared.workspace, prepared.limits)
            check_budget(prepared.limits, left, rows=rows)
            receipt = replace(receipt, rows_left_this_week=left - rows)
            services.ledger.record(
                Action.STATEMENT_RAN,
                actor=receipt.person,
                project=prepared.workspace,
                subject=receipt.id,
                details=receipt.as_record(),
                rows=rows,
            )
    except PortalError:
        spooled.path.unlink(missing_ok=True)
        raise
    return receipt


def _tell_steward(services: Services, receipt: Receipt, reasons: Mapping[str, int] | None) -> None:
    """Write down why cells were withheld, apart from the receipt: the reasons depend on data, so no asker reads them.

    The entry is the portal's own, and in no list of the asker's. It is there where nothing was withheld, too: else the
    numbers of the asker's own entries, and the time that an answer takes, would tell few from none.
    """
    if reasons is not None:
        services.ledger.record(
            Action.CELLS_WITHHELD,
            actor=None,
            project=receipt.project,
            subject=receipt.id,
            details={"cells": dict(reasons)},
        )


def _question(prepared: Prepared, copies: Mapping[DatasetName, GovernedCopy]) -> Fingerprint:
    """Name the question: the same SQL, blocks and parameters over the same governed files and releases."""
    released = {name: _released_from(prepared, name) for name in prepared.open_for(Access.AGGREGATES)}
    return fingerprint(
        {
            "sql": prepared.plan.sql,
            "blocks": [asdict(replace(block, line=0, column=0)) for block in prepared.plan.blocks],
            "parameters": dict(prepared.statement.parameters),
            "sources": {**{name: copy.fingerprint for name, copy in copies.items()}, **released},
        }
    )


def _released_from(prepared: Prepared, name: DatasetName) -> Fingerprint:
    """Name what cells are made from: the release, and every rule as it is in force for this project now."""
    obligations = prepared.permits[name].obligations
    return fingerprint(
        {
            "release": prepared.manifests[name].fingerprint,
            "rows": [rule.predicate for rule in obligations.rows],
            "columns": {column: duty.model_dump() for column, duty in obligations.columns.items()},
            "disclosure": obligations.disclosure and obligations.disclosure.model_dump(),
        }
    )


def _source_use(prepared: Prepared, name: DatasetName) -> SourceUse:
    obligations = prepared.permits[name].obligations
    return SourceUse(
        dataset=name,
        release=prepared.manifests[name].number,
        policy=obligations.policy,
        synthetic=prepared.manifests[name].synthetic,
        obligations=duties_in_words(obligations),
    )


def _record_failure(services: Services, asker: Asker, statement: Statement, error: PortalError) -> None:
    refused = isinstance(error, StatementRefusal | PolicyRefusal | UsageError)
    text = recordable(statement.text)
    services.ledger.record(
        Action.STATEMENT_REFUSED if refused else Action.STATEMENT_FAILED,
        actor=asker.person,
        project=asker.project,
        subject=str(fingerprint(text)),
        details={"statement": text, "codes": [fault.code for fault in error.faults]},
    )
