"""A decision over the small portal: one part that rows answer, and one for statistics that names a closed table."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from portal.desk.services import Services
from portal.ids import QueryName
from portal.policy.model import Tier
from portal.site.commitments import Commitments, Part, SideBySide, Source
from portal.site.queries import FrontMatter, SavedQuery

BY_COUNTRY, HOLIDAYS, COUNTS, PAY, FIRST = (
    QueryName(f"traders/{name}") for name in ("sales_by_country", "holidays", "counts", "pay", "first_holiday")
)


def a_part(name: str, *queries: str, side_by_side: SideBySide | None = None) -> Part:
    return Part(
        id=name,
        title=f"Part {name}",
        said="It was said.",
        question="How many?",
        queries=queries,
        side_by_side=side_by_side,
        caveats=("Mind the `sales`.",),
    )


def a_decision() -> Commitments:
    apart = SideBySide(query=HOLIDAYS, definitions="Days of rest are counted otherwise.")
    return Commitments(
        title="A decision",
        date=date(2026, 1, 1),
        said="Something was promised.",
        standing="Nothing is decided.",
        sources=(Source(title="A source", url="https://example.org/decision"),),
        commitments=(a_part("rows", BY_COUNTRY, COUNTS, HOLIDAYS, side_by_side=apart),),
        findings=(a_part("statistics", COUNTS, PAY, FIRST),),
    )


def with_decision(services: Services) -> Services:
    return replace(services, site=replace(services.site, commitments=a_decision(), queries=_library(services)))


def _library(services: Services) -> Mapping[QueryName, SavedQuery]:
    tiers = (Tier.REGISTERED, Tier.VETTED)
    new = (
        _query(HOLIDAYS, "holidays", "SELECT name FROM holidays ORDER BY day", tiers),
        _query(COUNTS, "traders", "SELECT country, count(*) AS n FROM traders GROUP BY country", (Tier.VETTED,)),
        _query(FIRST, "holidays", "SELECT min(day) AS first FROM holidays", (Tier.VETTED,)),
        _query(PAY, "salaries", "SELECT pay FROM salaries", tiers),
    )
    return {**services.site.queries, **{query.name: query for query in new}}


def _query(name: QueryName, dataset: str, sql: str, tiers: tuple[Tier, ...]) -> SavedQuery:
    topic, _, slug = name.partition("/")
    front = FrontMatter(
        title=slug.title(), question="Which?", why="To know.", reading="As rows.", datasets=(dataset,), tiers=tiers
    )
    return SavedQuery(topic=topic, slug=slug, front=front, sql=sql, first_line=1)
