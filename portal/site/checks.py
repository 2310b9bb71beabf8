"""Holds datasets, policies and saved queries against each other: what no single file can know to be wrong."""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from portal.catalogue.dataset import ColumnType, Dataset
from portal.errors import StatementRefusal
from portal.ids import DatasetName
from portal.policy.masks import NUMBERS, TEXTS, TIMES, masked_type, misapplied
from portal.policy.model import Access, DimensionUse, Disclosure, Obligation, Policy, Rule, Tier
from portal.policy.predicates import PredicateError, check_predicate
from portal.site.queries import SavedQuery
from portal.site.reading import Reading
from portal.site.site import Site
from portal.site.yaml_files import KeyPath, Positions, SiteFault
from portal.sql import parse, plan
from portal.sql.plan import Protected, StatementParser, TableSchema

Finding = tuple[str, KeyPath]
Types = Mapping[str, ColumnType]


def check_site(reading: Reading, parser: StatementParser) -> tuple[SiteFault, ...]:
    """Return every fault of the site: those of reading it, and those between its files."""
    site = reading.site
    found = list(reading.faults)
    unreadable = {_dataset_of(fault.file) for fault in found if not fault.file.startswith("queries/")}
    found += [
        positions.fault(f"dataset {name!r} has no policy, so nobody gets in; write access_policies/{name}.yaml")
        for name, positions in reading.datasets.items()
        if name not in site.policies and name not in unreadable
    ]
    for name, policy in site.policies.items():
        positions = reading.policies[name]
        if name in site.datasets:
            found += [positions.fault(message, path) for message, path in _check_policy(policy, name, site)]
        elif name not in unreadable:
            found.append(positions.fault(f"no dataset is named {name!r}", ("dataset",)))
    for query_name, query in site.queries.items():
        if not unreadable & set(query.front.datasets):
            found += _check_query(query, site, reading.queries[query_name], parser)
    found += _check_commitments(reading)
    return tuple(sorted(set(found)))


def _dataset_of(file: str) -> str:
    """Name the dataset that a file of datasets or policies is about, so that one fault in it is not said again."""
    path = PurePosixPath(file)
    return path.parent.name if path.parts[0] == "datasets" else path.stem


def _check_commitments(reading: Reading) -> Iterator[SiteFault]:
    """Check that each query named is there; one that cannot be read has its own fault already."""
    commitments, positions = reading.site.commitments, reading.commitments
    if commitments is None or positions is None:
        return
    unreadable = {fault.file for fault in reading.faults}
    for name, path in commitments.named_queries:
        if name not in reading.site.queries and f"queries/{name}.sql" not in unreadable:
            where = ".".join(str(step) for step in path)
            yield positions.fault(f"{where}: there is no saved query {name!r}", path)


def _check_policy(policy: Policy, name: DatasetName, site: Site) -> Iterator[Finding]:
    dataset = site.datasets[name]
    for number, rule in enumerate(policy.rules):
        for message, path in _check_rule(rule, dataset, site):
            yield message, ("rules", number, *path)


def _check_rule(rule: Rule, dataset: Dataset, site: Site) -> Iterator[Finding]:
    for column, obligation in rule.columns.items():
        if column not in dataset.columns:
            yield f"columns: unknown column {column!r}", ("columns", column)
        elif message := misapplied(dataset.columns[column].type, obligation):
            yield f"columns.{column}: {message}", ("columns", column)
    if rule.rows is not None:
        try:
            check_predicate(rule.rows, dataset.columns)
        except PredicateError as error:
            yield f"rows: {error}", ("rows",)
    yield from _check_days(rule, dataset)
    if rule.disclosure is not None:
        yield from _check_classes(rule.disclosure, _published(dataset), _shown(rule, dataset))
        yield from _check_joins(rule.disclosure, dataset, _shown(rule, dataset), site)


def _check_days(rule: Rule, dataset: Dataset) -> Iterator[Finding]:
    """Check embargo and retention, by which rows come and go from one day to the next."""
    if rule.embargo is not None:
        yield from _check_column(rule.embargo.column, _published(dataset), TIMES, ("embargo", "column"))
    if rule.embargo is not None and rule.disclosure is not None:
        use = rule.disclosure.dimensions.get(rule.embargo.column)
        if use is None or use.range is None:
            message = "is no dimension with a range, so a day's rows would show from one day to the next"
            yield f"embargo.column: {rule.embargo.column!r} {message}", ("embargo", "column")
    if rule.retention is not None:
        yield from _check_column(rule.retention, _published(dataset), TIMES, ("retention",))
    if rule.retention is not None and rule.disclosure is not None:
        message = "stands with access to rows only; figures would tell what left from one day to the next"
        yield f"retention: {message}", ("retention",)


def _published(dataset: Dataset) -> Types:
    return {name: column.type for name, column in dataset.columns.items()}


def _shown(rule: Rule, dataset: Dataset) -> Types:
    """Return the types of the columns as the rule's obligations leave them."""
    show = Obligation(show=True)
    return {name: masked_type(type_, rule.columns.get(name, show)) for name, type_ in _published(dataset).items()}


def _check_classes(disclosure: Disclosure, published: Types, shown: Types) -> Iterator[Finding]:
    """Check entities, which are counted as published, and dimensions and measures, which are used as shown."""
    here = "disclosure"
    for entity in disclosure.entities:
        yield from _check_column(entity, published, None, (here, "entities", entity))
    for name, use in disclosure.dimensions.items():
        yield from _check_column(name, shown, _types_for(use), (here, "dimensions", name))
    for name in disclosure.measures:
        yield from _check_column(name, shown, NUMBERS, (here, "measures", name))


def _types_for(use: DimensionUse) -> frozenset[ColumnType] | None:
    if use.step is not None:
        return NUMBERS
    if use.prefix is not None:
        return TEXTS
    return TIMES if use.period else None


def _check_joins(disclosure: Disclosure, dataset: Dataset, shown: Types, site: Site) -> Iterator[Finding]:
    for own, target in disclosure.public_joins.items():
        path = ("disclosure", "public_joins", own)
        yield from _check_target(own, target, shown, site, path)
        if disclosure.dimensions[own].period and shown.get(own) == "TIMESTAMP":
            yield f"public_joins.{own}: a join tells the times of a day apart, and {own!r} is used by whole days", path
    for own, target in disclosure.entity_joins.items():
        path = ("disclosure", "entity_joins", own)
        yield from _check_target(own, target, _published(dataset), site, path)
        other, _, column = target.partition(".")
        policy, back = site.policies.get(DatasetName(other)), f"{dataset.name}.{own}"
        said = [rule.disclosure.entity_joins.get(column) for rule in policy.rules if rule.disclosure] if policy else []
        if policy is not None and back not in said:
            yield f"entity_joins.{own}: the policy of {other} does not say the same back, {column}: {back}", path


def _check_target(own: str, target: str, types: Types, site: Site, path: KeyPath) -> Iterator[Finding]:
    name, _, column = target.partition(".")
    other = site.datasets.get(DatasetName(name))
    where = f"{path[1]}.{own}"
    if other is None or column not in other.columns:
        yield f"{where}: there is no column {target!r}", path
    elif own in types and len(pair := {types[own], other.columns[column].type}) > 1 and not pair <= NUMBERS:
        yield f"{where}: {own!r} and {target!r} have different types, {' and '.join(sorted(pair))}", path


def _check_column(name: str, columns: Types, types: frozenset[ColumnType] | None, path: KeyPath) -> Iterator[Finding]:
    where = ".".join(str(step) for step in path)
    if name not in columns:
        yield f"{where}: unknown column {name!r}", path
    elif types is not None and (found := columns[name]) not in types:
        yield f"{where}: {name!r} has type {found}, which does not fit here", path


def _check_query(query: SavedQuery, site: Site, positions: Positions, parser: StatementParser) -> Iterator[SiteFault]:
    unknown = [name for name in query.front.datasets if name not in site.datasets]
    if unknown:
        yield positions.fault(f"datasets: no dataset is named {', '.join(unknown)}", ("datasets",))
        return
    for tier in query.front.tiers:
        yield from _check_query_for(tier, query, site, positions, parser)


def _check_query_for(
    tier: Tier, query: SavedQuery, site: Site, positions: Positions, parser: StatementParser
) -> Iterator[SiteFault]:
    rules = {DatasetName(name): _rule_for(tier, site.policies.get(DatasetName(name))) for name in query.front.datasets}
    closed = [name for name, rule in rules.items() if rule is None or rule.access < Access.AGGREGATES]
    if closed:
        yield positions.fault(f"tiers: the tier {tier} has no access to {', '.join(closed)}", ("tiers",))
        return
    open_ = {name: rule for name, rule in rules.items() if rule is not None}
    schemas = {name: _schema_for(rule, site.datasets[name]) for name, rule in open_.items()}
    tables = {name: schemas[name] for name, rule in open_.items() if rule.disclosure is None}
    protected = {name: Protected(schemas[name], rule.disclosure) for name, rule in open_.items() if rule.disclosure}
    defaults = {name: parameter.default for name, parameter in query.front.parameters.items()}
    try:
        planned = plan(parse(query.sql, defaults), tables, parser, protected, list(site.datasets))
    except StatementRefusal as refusal:
        for fault in refusal.faults:
            line = query.first_line + (fault.line or 1) - 1
            yield SiteFault(positions.file, line, f"for the tier {tier}: {fault.message}")
        return
    hidden = sorted(
        f"{use.dataset}.{use.column}"
        for use in planned.columns
        if (rule := rules[use.dataset]) is not None and rule.columns.get(use.column, Obligation(show=True)).hide
    )
    if hidden:
        yield SiteFault(positions.file, query.first_line, f"for the tier {tier}: hidden columns {', '.join(hidden)}")
    undeclared = sorted(set(planned.parameters) ^ set(query.front.parameters))
    if undeclared:
        message = f"parameters: {', '.join(undeclared)} stand only in the SQL or only in the front matter"
        yield positions.fault(message, ("parameters",))


def _rule_for(tier: Tier, policy: Policy | None) -> Rule | None:
    return next((rule for rule in policy.rules if rule.audience.tier is tier), None) if policy else None


def _schema_for(rule: Rule, dataset: Dataset) -> TableSchema:
    return TableSchema(dataset.name, _shown(rule, dataset))
