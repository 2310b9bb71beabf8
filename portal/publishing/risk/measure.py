"""From a release's files to its risk report: each measure once, over one DuckDB connection in bounded memory."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from portal.catalogue.dataset import Dataset, Role
from portal.catalogue.release import Manifest
from portal.policy.masks import literal
from portal.publishing.instance import bounded_instance
from portal.publishing.risk.classes import Described, find_classes
from portal.publishing.risk.diversity import Diversity, measure_diversity
from portal.publishing.risk.loss import Loss, Removal
from portal.publishing.risk.models import Attack, attack
from portal.publishing.risk.report import (
    ROWS,
    Attacker,
    ColumnLoss,
    NamedClass,
    RiskReport,
    SensitiveColumn,
    SizeCount,
)


def measure(dataset: Dataset, manifest: Manifest, files: Sequence[Path], removal: Removal) -> RiskReport:
    """Measure the rows of a release's files against what somebody else may know."""
    with published(files) as connection:
        classes = find_classes(dataset, connection)
        found = [measure_diversity(classes, column) for column in dataset.of_role(Role.SENSITIVE) if classes.sizes]
        smallest = classes.smallest()
        named = classes.describe([*smallest, *(name for one in found for name in (one.poorest, one.furthest))])
    sampled, threshold = (dataset.risk.sampled, dataset.risk.highest_risk) if dataset.risk else (1.0, 1.0)
    attacks = attack(classes.sizes, sampled, threshold)
    return RiskReport(
        dataset=dataset.dataset,
        release=manifest.number,
        created_at=manifest.created_at,
        synthetic=manifest.synthetic,
        unit=dataset.unit or ROWS,
        rows=manifest.rows,
        rejected_rows=manifest.rejected_rows,
        quasi_identifiers=dataset.of_role(Role.QUASI_IDENTIFIER),
        k=min((size.units for size in classes.sizes), default=0),
        classes=sum(size.classes for size in classes.sizes),
        units=sum(size.units * size.classes for size in classes.sizes),
        alone=classes.alone,
        sizes=tuple(SizeCount(units=size.units, classes=size.classes, rows=size.rows) for size in classes.sizes),
        smallest=tuple(_named(named[name]) for name in smallest),
        sensitive={one.column: _sensitive(one, named) for one in found},
        prosecutor=_attacker(attacks.prosecutor),
        journalist=_attacker(attacks.journalist),
        marketer=attacks.marketer,
        pseudonymised=tuple(dict.fromkeys(name for _, name, one in dataset.recipe.derivations if one.pseudonymise)),
        dropped=removal.dropped,
        losses=tuple(map(_lost, removal.losses)),
        declared=dataset.risk,
    )


@contextmanager
def published(files: Sequence[Path]) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection in which `published` is all rows of the files."""
    with TemporaryDirectory() as folder, bounded_instance(Path(folder)) as connection:
        connection.execute("SET preserve_insertion_order = false")
        listed = ", ".join(literal(str(file)) for file in files)
        connection.execute(f"CREATE TEMP VIEW published AS FROM read_parquet([{listed}], hive_partitioning=false)")
        yield connection


def _named(described: Described) -> NamedClass:
    return NamedClass(values=dict(described.values), units=described.units, rows=described.rows)


def _sensitive(found: Diversity, named: Mapping[int, Described]) -> SensitiveColumn:
    return SensitiveColumn(
        ordered=found.ordered,
        values=found.values,
        distinct_l=found.distinct,
        entropy_l=found.entropy,
        recursive_c=found.recursive_c,
        t=found.closeness,
        poorest=_named(named[found.poorest]),
        furthest=_named(named[found.furthest]),
    )


def _attacker(found: Attack) -> Attacker:
    return Attacker(highest=found.highest, average=found.average, above_threshold=found.above)


def _lost(found: Loss) -> ColumnLoss:
    return ColumnLoss(
        source_column=found.origin,
        column=found.column,
        rows=found.rows,
        bits=found.bits_before / found.rows if found.rows else 0.0,
        bits_lost=found.bits_lost / found.rows if found.rows else 0.0,
        emptied=found.emptied,
    )
