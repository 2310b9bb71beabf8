"""Two protected datasets that share an entity, and blocks over one or both of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from support.aggregates import QuickEngine, a_manifest, some_atoms
from support.factories import a_dataset

from portal.desk.bases import Protected
from portal.desk.release import Releasing, release_blocks
from portal.disclosure.release import Withheld
from portal.disclosure.subject import Subject
from portal.engines.port import TrustedEngine
from portal.ids import DatasetName, Fingerprint, ProjectId
from portal.policy.decision import Obligations, RowRule
from portal.policy.model import Access, Disclosure, Limits, Obligation
from portal.sql.blocks import Aggregate, Block, EntityJoin, Grouping, PublicJoin
from portal.workspaces.base_store import FileBaseStore
from portal.workspaces.history_store import FileHistoryStore

ADS, CASES = DatasetName("ads"), DatasetName("cases")
TYPES: Mapping[DatasetName, Mapping[str, str]] = {
    ADS: {"trader": "VARCHAR", "person": "VARCHAR", "country": "VARCHAR", "month": "DATE", "spend": "DOUBLE"},
    CASES: {"trader_ref": "VARCHAR", "judge": "VARCHAR", "kind": "VARCHAR", "hours": "DOUBLE"},
}
RULES: Mapping[DatasetName, Mapping[str, Any]] = {
    ADS: {
        "entities": {"trader": 10},
        "dimensions": {"country": "equal", "month": {"range": "month"}},
        "measures": {"spend": {"round": 1}},
        "round_counts_to": 1,
        "public_joins": {"country": "dim_country.code"},
        "entity_joins": {"trader": "cases.trader_ref"},
    },
    CASES: {
        "entities": {"trader_ref": 10},
        "dimensions": {"kind": "equal"},
        "measures": {"hours": {"round": 1}},
        "round_counts_to": 1,
        "entity_joins": {"trader_ref": "ads.trader"},
    },
}
_ARROW = {"VARCHAR": pa.string(), "DATE": pa.date32(), "DOUBLE": pa.float64()}
_OWN = {ADS: "trader", CASES: "trader_ref"}
COUNT = Aggregate("n", "count_rows", None, ())
Row = Mapping[str, Any]


def a_side(name: DatasetName, rows: tuple[RowRule, ...] = (), **changes: Any) -> Subject:
    dataset = a_dataset(name, columns={c: {"type": t, "meaning": c} for c, t in TYPES[name].items()}, date_column=None)
    show = dict.fromkeys(TYPES[name], Obligation(show=True))
    rules = Disclosure.model_validate({**RULES[name], **changes})
    return Subject(dataset, Obligations(Access.AGGREGATES, show, rows, None, Limits(), rules, Fingerprint("p")), b"k")


def alone(name: DatasetName, *figures: Aggregate, by: Sequence[str] = (), **atoms: Any) -> Block:
    made = tuple(atom for column, value in atoms.items() for atom in some_atoms(column, value))
    return Block("b", name, keys(by), figures or (COUNT,), made, (), 1, 1)


def joined(*figures: Aggregate, first: DatasetName = ADS, by: Sequence[str] = (), **atoms: Any) -> Block:
    """A block over both; columns of the second are written `cases__kind` among the conditions."""
    second = CASES if first == ADS else ADS
    spelled = {column.replace("__", "."): value for column, value in atoms.items()}
    return replace(alone(first, *figures, by=by, **spelled), entity_join=EntityJoin(_OWN[first], second, _OWN[second]))


def with_country(block: Block) -> Block:
    own = "country" if block.dataset == ADS else "ads.country"
    return replace(block, joins=(PublicJoin(own, DatasetName("dim_country"), "code"),))


def keys(by: Sequence[str]) -> tuple[Grouping, ...]:
    return tuple(
        Grouping(f"key{i}", column, *(("trunc", "month") if column.endswith("month") else ("value", None)))
        for i, column in enumerate(by)
    )


@dataclass
class PairWorld:
    """Both datasets published, a project and its histories; `owners` has those whose history is another project's."""

    home: Path
    subjects: Mapping[DatasetName, Subject]
    withheld: list[Withheld] = field(default_factory=list)
    engine: TrustedEngine = field(default_factory=QuickEngine)
    owners: Mapping[DatasetName, ProjectId] = field(default_factory=dict)

    def ask(self, *blocks: Block, project: str = "p1") -> list[pa.Table]:
        named = [replace(block, relation=f"b{i}") for i, block in enumerate(blocks)]
        public = {DatasetName("dim_country"): [self.home / "dim_country.parquet"]}
        stores = FileHistoryStore(self.home / "history"), FileBaseStore(self.home / "bases")
        releasing = Releasing(ProjectId(project), self.engine, *stores, public, self.withheld.extend)
        released = release_blocks(named, self.protected(ProjectId(project)), releasing)
        return [released[block.relation] for block in named]

    def protected(self, project: ProjectId) -> dict[DatasetName, Protected]:
        return {
            name: Protected(
                subject,
                a_manifest().model_copy(update={"dataset": name}),
                [self.home / f"{name}.parquet"],
                self.owners.get(name, project),
            )
            for name, subject in self.subjects.items()
        }

    def figure(self, block: Block, **how: Any) -> Any:
        """The one figure of a block without groups."""
        [table] = self.ask(block, **how)
        return table.column(block.aggregates[0].name).to_pylist()[0]

    def figures(self, block: Block, **how: Any) -> dict[Any, Any]:
        """The first figure by the first key."""
        [table] = self.ask(block, **how)
        return dict(zip(table.column(0).to_pylist(), table.column(block.aggregates[0].name).to_pylist(), strict=True))

    def reasons(self) -> set[str]:
        return {each.reason for each in self.withheld}


def a_pair_world(home: Path, ads: Sequence[Row], cases: Sequence[Row], *subjects: Subject) -> PairWorld:
    home.mkdir(parents=True, exist_ok=True)
    given = {subject.dataset.name: subject for subject in subjects}
    for name, rows in ((ADS, ads), (CASES, cases)):
        schema = pa.schema([(column, _ARROW[type_]) for column, type_ in TYPES[name].items()])
        table = pa.Table.from_pylist([{c: row.get(c) for c in TYPES[name]} for row in rows], schema)
        pq.write_table(table, home / f"{name}.parquet")
    pq.write_table(pa.table({"code": ["FR", "DE"], "size": [1, 9]}), home / "dim_country.parquet")
    return PairWorld(home, {name: given.get(name) or a_side(name) for name in (ADS, CASES)})


def ad(trader: object, country: str = "FR", **changes: Any) -> dict[str, Any]:
    name = None if trader is None else f"T{trader}"
    return {"trader": name, "person": f"P{trader}", "country": country, "spend": 10.0} | changes


def case(trader: object, kind: str = "fraud", **changes: Any) -> dict[str, Any]:
    name = None if trader is None else f"T{trader}"
    return {"trader_ref": name, "judge": f"J{trader}", "kind": kind, "hours": 2.0} | changes
