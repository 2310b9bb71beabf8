"""A statement made ready: read, decided for each dataset, planned. Nothing has run yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from portal.catalogue.dataset import COARSENESS, Erratum
from portal.catalogue.period import ALL_TIME, Period
from portal.catalogue.release import Manifest
from portal.desk.access import decide_for, identify, project_of, workspace_of
from portal.desk.answers import Asker
from portal.desk.budget import rows_left
from portal.desk.services import Services
from portal.errors import Fault, PolicyRefusal, UsageError
from portal.ids import DatasetName, ProjectId
from portal.policy.decision import Decision, Deny, Permit
from portal.policy.model import Access, Limits
from portal.sql import labels_of, parse, plan
from portal.sql.periods import DateColumn, periods_of
from portal.sql.plan import Plan, Protected, Statement, TableSchema
from portal.workspaces.plan import governed_schema

_HUGEINT = 2**127
_LONGEST_TEXT = 100_000
_FIT = f"Give a truth value, a date, a number below 2^127, or a text of at most {_LONGEST_TEXT:,} characters."


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement that may run: its plan, the permits behind it, and whose workspace it reads.

    `periods` are the days that it can read of each dataset; `histories` says against whose release history the cells of
    a dataset are held.
    """

    statement: Statement
    plan: Plan
    tables: Mapping[DatasetName, TableSchema]
    protected: Mapping[DatasetName, Protected]
    permits: Mapping[DatasetName, Permit]
    manifests: Mapping[DatasetName, Manifest]
    periods: Mapping[DatasetName, Period]
    workspace: ProjectId
    histories: Mapping[DatasetName, ProjectId]
    limits: Limits
    rows_left: int

    def open_for(self, access: Access) -> tuple[DatasetName, ...]:
        """Return the datasets that are open this far, and no further."""
        return tuple(name for name, permit in self.permits.items() if permit.access is access)


def prepare(services: Services, asker: Asker, statement: Statement) -> Prepared:
    """Read, decide and plan. Raises `StatementRefusal`, `PolicyRefusal` or `UsageError`."""
    person, project = identify(services, asker.person), project_of(services, asker)
    parsed = parse(statement.text, statement.parameters)
    _check_parameters(parsed.parameters, statement)
    decisions = decide_for(services, asker, dict.fromkeys([*parsed.datasets, *labels_of(parsed)]))
    permits = permits_for({name: decision for name, decision in decisions.items() if name in parsed.datasets})
    schemas = {name: _schema(services, permit) for name, permit in permits.items()}
    rules = {name: permit.obligations.disclosure for name, permit in permits.items()}
    tables = {name: schema for name, schema in schemas.items() if rules[name] is None}
    protected = {name: Protected(schemas[name], each) for name, each in rules.items() if each is not None}
    known = [name for name, decision in decisions.items() if decision.access >= Access.CODEBOOK]
    planned = plan(parsed, tables, services.parser, protected, known)
    workspace = workspace_of(person, project)
    limits = strictest([permit.obligations.limits for permit in permits.values()])
    return Prepared(
        statement,
        planned,
        tables,
        protected,
        permits,
        {name: _published(services, name) for name in permits},
        periods_of(parsed, _date_columns(services, permits)),
        workspace,
        {name: _history_of(services, asker, name, workspace) for name, permit in permits.items()
         if permit.access is Access.AGGREGATES},
        limits,
        rows_left=rows_left(services, workspace, limits),
    )  # fmt: skip


def permits_for(decisions: Mapping[DatasetName, Decision]) -> Mapping[DatasetName, Permit]:
    """Return the permits to ask; refuse, with every reason, where only the codebook is open.

    A dataset that is closed altogether is left out: naming it reads as naming what does not exist.
    """
    permits = {name: decision for name, decision in decisions.items() if not isinstance(decision, Deny)}
    short = [_codebook_only(name, permit) for name, permit in permits.items() if permit.access < Access.AGGREGATES]
    if short:
        raise PolicyRefusal(*short)
    return permits


def errata_of(services: Services, prepared: Prepared) -> tuple[tuple[DatasetName, Erratum], ...]:
    """Return the errata of what a statement reads: those that concern a column of it in a period of it."""
    read = {
        name: {use.column for use in prepared.plan.columns if use.dataset == name} for name in prepared.plan.datasets
    }
    return tuple(
        (name, erratum)
        for name, columns in read.items()
        for erratum in services.site.datasets[name].errata
        if erratum.concerns(columns, prepared.periods.get(name, ALL_TIME))
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


def recordable(text: str) -> str:
    """Return of a text what a ledger can keep: not too much, and no halves of characters."""
    return text[:_LONGEST_TEXT].encode(errors="replace").decode()


def _date_columns(services: Services, permits: Mapping[DatasetName, Permit]) -> Mapping[DatasetName, DateColumn]:
    """Return the columns whose conditions tell days: those that obligations show, or truncate and no more."""
    found = {}
    for name, permit in permits.items():
        dataset = services.site.datasets[name]
        duty = permit.obligations.columns[dataset.date_column] if dataset.date_column else None
        if dataset.date_column and duty and (duty.show or duty.truncate):
            grid = max(dataset.date_grid, duty.truncate, key=COARSENESS.index)
            found[name] = DateColumn(dataset.date_column, grid)
    return found


def _schema(services: Services, permit: Permit) -> TableSchema:
    return governed_schema(services.site.datasets[permit.dataset], permit.obligations)


def _history_of(services: Services, asker: Asker, name: DatasetName, workspace: ProjectId) -> ProjectId:
    """Return whose history a dataset's cells are held against: the whole tier's, where no project is needed.

    Otherwise a person with two projects, or with one and none, would have as many histories of what anyone may ask.
    """
    alone = decide_for(services, replace(asker, project=None), [name])[name]
    return workspace if alone.access < Access.AGGREGATES else workspace_of(identify(services, asker.person), None)


def _codebook_only(name: DatasetName, permit: Permit) -> Fault:
    steps = " ".join(permit.next_steps) or "See the dataset's page for what is needed."
    message = f"Only the codebook of {name} is open to you."
    return Fault("CODEBOOK_ONLY", message, rule="access: codebook", dataset=name, fix=steps)


def _published(services: Services, name: DatasetName) -> Manifest:
    manifest = services.releases.latest(name)
    if manifest is None:
        raise PolicyRefusal(
            Fault("NOT_PUBLISHED", f"No release of {name} is published yet.", dataset=name, fix="Ask the data steward.")
        )
    return manifest


def _check_parameters(needed: Sequence[str], statement: Statement) -> None:
    missing = sorted(set(needed) - set(statement.parameters))
    unknown = sorted(set(statement.parameters) - set(needed))
    unfit = sorted(name for name in needed if not _is_fit(statement.parameters.get(name)))
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
            return len(value) <= _LONGEST_TEXT and recordable(value) == value
        case _:
            return False
