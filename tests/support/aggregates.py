"""A small protected world, and blocks over it, built by hand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from support.factories import NOW, a_dataset

from portal.catalogue.release import Manifest
from portal.desk.bases import Protected
from portal.desk.release import Releasing, release_blocks
from portal.disclosure.release import Withheld
from portal.disclosure.subject import Subject
from portal.engines.port import TrustedEngine, WrittenFile
from portal.ids import DatasetName, Fingerprint, ProjectId
from portal.policy.decision import Obligations, RowRule
from portal.policy.model import Access, Disclosure, Limits, Obligation
from portal.sql.blocks import Aggregate, Atom, Block, Grouping, PublicJoin
from portal.workspaces.base_store import FileBaseStore
from portal.workspaces.history_store import FileHistoryStore

ADS = DatasetName("ads")
TYPES: Mapping[str, str] = {
    "advertiser_id": "VARCHAR",
    "user_id": "VARCHAR",
    "country": "VARCHAR",
    "placement": "VARCHAR",
    "campaign_date": "DATE",
    "spend_eur": "DOUBLE",
    "impressions": "BIGINT",
}
_ARROW = {"VARCHAR": pa.string(), "DATE": pa.date32(), "DOUBLE": pa.float64(), "BIGINT": pa.int64()}
COUNT = Aggregate("n", "count_rows", None, ())
SPEND = Aggregate("spend", "sum", "spend_eur", ())


def a_disclosure(**changes: Any) -> Disclosure:
    return Disclosure.model_validate(
        {
            "entities": {"advertiser_id": 10},
            "dimensions": {"country": "equal", "placement": "equal", "campaign_date": {"range": "month"}},
            "measures": {"spend_eur": {"round": 100}, "impressions": {"round": 1000}},
            "public_joins": {"country": "dim_country.code"},
        }
        | changes
    )


def a_subject(disclosure: Disclosure | None = None, rows: tuple[RowRule, ...] = ()) -> Subject:
    dataset = a_dataset(
        "ads",
        entities=["advertiser_id"],
        date_column="campaign_date",
        columns={name: {"type": type_, "meaning": name} for name, type_ in TYPES.items()},
    )
    show = dict.fromkeys(TYPES, Obligation(show=True))
    obligations = Obligations(
        Access.AGGREGATES, show, rows, None, Limits(), disclosure or a_disclosure(), Fingerprint("policy")
    )
    return Subject(dataset, obligations, b"k" * 32)


def a_block(*aggregates: Aggregate, by: Sequence[str] = (), relation: str = "b", **atoms: Any) -> Block:
    """A block: `country=["FR"]` filters by equality, `campaign_date=(first, bound)` by range."""
    groupings = [Grouping("month", name, "trunc", "month") if name == "campaign_date" else
                 Grouping(name.replace(".", "_"), name, "value", None) for name in by]  # fmt: skip
    joins = (PublicJoin("country", DatasetName("dim_country"), "code"),) if any("." in name for name in by) else ()
    made = tuple(atom for name, value in atoms.items() for atom in some_atoms(name, value))
    return Block(relation, ADS, tuple(groupings), aggregates or (COUNT,), made, joins, 1, 1)


def some_atoms(name: str, value: Any) -> tuple[Atom, ...]:
    if isinstance(value, tuple):
        bounds = zip((">=", "<"), value, strict=True)
        return tuple(Atom(name, op, (bound,)) for op, bound in bounds if bound is not None)  # type: ignore[arg-type]
    if value is None:
        return (Atom(name, "is null", ()),)
    values = [value] if isinstance(value, str) else list(value)
    return (Atom(name, "in" if len(values) > 1 else "=", tuple(values)),)


class QuickEngine:
    """DuckDB without hardening: as many examples as possible in little time."""

    def fetch(self, select: str, tables: Mapping[str, Sequence[Path]]) -> pa.Table:
        with duckdb.connect(config={"threads": "1"}) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            for name, files in tables.items():
                connection.execute(f'CREATE VIEW "{name}" AS SELECT * FROM read_parquet({[*map(str, files)]})')
            relation = connection.sql(select)
            assert relation is not None
            return relation.to_arrow_table()

    def copy(
        self,
        select: str,
        tables: Mapping[str, Sequence[Path]],
        target: Path,
        metadata: Mapping[str, str] | None = None,
    ) -> WrittenFile:
        del metadata
        table = self.fetch(select, tables)
        pq.write_table(table, target)
        return WrittenFile(target, table.num_rows)

    def heeding(self, heed: Callable[[], object]) -> "QuickEngine":
        del heed
        return self


@dataclass
class World:
    """A published table of ads, a project and its history; counts the questions that were asked."""

    home: Path
    subject: Subject
    project: str = "p1"
    asked: int = 0
    withheld: list[Withheld] = field(default_factory=list)

    engine: TrustedEngine = field(default_factory=QuickEngine)

    def ask(self, *blocks: Block, project: str | None = None, subject: Subject | None = None) -> list[pa.Table]:
        named = [replace(block, relation=f"b{i}") for i, block in enumerate(blocks)]
        self.asked += 1
        asking = ProjectId(project or self.project)
        releasing = Releasing(
            asking,
            self.engine,
            FileHistoryStore(self.home / "history"),
            FileBaseStore(self.home / "bases"),
            {DatasetName("dim_country"): [self.home / "dim_country.parquet"]},
            self.withheld.extend,
        )
        protected = {ADS: Protected(subject or self.subject, a_manifest(), [self.home / "ads.parquet"], asking)}
        released = release_blocks(named, protected, releasing)
        return [released[block.relation] for block in named]

    def figure(self, block: Block, **how: Any) -> Any:
        """The one figure of a block without groups."""
        [table] = self.ask(block, **how)
        return table.column(block.aggregates[0].name).to_pylist()[0]

    def figures(self, block: Block, **how: Any) -> dict[Any, Any]:
        """The first figure by the first key."""
        [table] = self.ask(block, **how)
        return dict(zip(table.column(0).to_pylist(), table.column(block.aggregates[0].name).to_pylist(), strict=True))


def a_world(home: Path, rows: Sequence[Mapping[str, Any]], subject: Subject | None = None) -> World:
    home.mkdir(parents=True, exist_ok=True)
    schema = pa.schema([(name, _ARROW[type_]) for name, type_ in TYPES.items()])
    pq.write_table(pa.Table.from_pylist([{n: row.get(n) for n in TYPES} for row in rows], schema), home / "ads.parquet")
    codes = sorted({row["country"] for row in rows if row.get("country")})
    pq.write_table(
        pa.table({"code": codes, "size": ["small" if code in ("LU", "MT", "BE") else "large" for code in codes]}),
        home / "dim_country.parquet",
    )
    return World(home, subject or a_subject())


def ad(advertiser: object, country: str = "FR", **changes: Any) -> dict[str, Any]:
    """One row. An advertiser's number is enough."""
    return {
        "advertiser_id": None if advertiser is None else f"A{advertiser}",
        "user_id": f"U{advertiser}",
        "country": country,
        "placement": "feed",
        "campaign_date": date(2026, 1, 10),
        "spend_eur": 100.0,
        "impressions": 1000,
    } | changes


def the_demo_world(home: Path, script: str) -> World:
    """The world of the attack samples, from its own script."""
    with duckdb.connect() as connection:
        connection.execute(script)
        rows = connection.sql(f"SELECT {', '.join(TYPES)} FROM ads").to_arrow_table().to_pylist()
    return a_world(home, rows)


def a_manifest() -> Manifest:
    return Manifest(
        dataset="ads", number=1, created_at=NOW, tool_version="0", synthetic=True, columns={}, rows=0, rejected_rows=0,
        recipe_sha256="", sources=(), files=(),
    )  # fmt: skip
