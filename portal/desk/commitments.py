"""What of a decision's questions is open to whom, and what more would take. Nothing runs here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from portal.desk.access import decide_for, identify
from portal.desk.answers import Asker
from portal.desk.services import Services
from portal.ids import DatasetName, QueryName
from portal.policy.decision import Decision
from portal.policy.model import Access, Tier
from portal.site.commitments import Commitments, Part
from portal.site.queries import SavedQuery

RESEARCHERS = (Tier.PUBLIC, Tier.REGISTERED, Tier.VETTED)
"""The tiers of researchers, each of which sees more than the one before."""


@dataclass(frozen=True, slots=True)
class Bearing:
    """A saved query that bears on a part, as one person meets it.

    `access` is how far its datasets are open, the least of them; `needs` says what would open it, and is empty where
    it is open.
    """

    query: SavedQuery
    access: Access
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bearings:
    """The queries of one part: those that are open to a person, in the lawyers' order, and those that are not."""

    open: tuple[Bearing, ...]
    closed: tuple[Bearing, ...]


def bearings(services: Services, asker: Asker, commitments: Commitments) -> Mapping[str, Bearings]:
    """Return, for each part by its id, what bears on it.

    A query on a dataset that is not to be known is left out, and so is one for those alone who see less than the asker.
    """
    tier = identify(services, asker.person).tier
    decisions = decide_for(services, asker, services.site.datasets)
    return {part.id: _bearings_of(part, services.site.queries, decisions, tier) for part in commitments.parts}


def _bearings_of(
    part: Part, library: Mapping[QueryName, SavedQuery], decisions: Mapping[DatasetName, Decision], tier: Tier
) -> Bearings:
    less = RESEARCHERS[: RESEARCHERS.index(tier)] if tier in RESEARCHERS else ()
    queries = [query for name in part.queries if not set((query := library[QueryName(name)]).front.tiers) <= set(less)]
    found = [
        _bearing(query, [decisions[DatasetName(name)] for name in query.front.datasets], tier) for query in queries
    ]
    known = [bearing for bearing in found if bearing.access >= Access.CODEBOOK]
    return Bearings(
        tuple(bearing for bearing in known if not bearing.needs), tuple(bearing for bearing in known if bearing.needs)
    )


def _bearing(query: SavedQuery, decisions: Sequence[Decision], tier: Tier) -> Bearing:
    access = min(decision.access for decision in decisions)
    tiers = query.front.tiers
    needs = [] if tier in tiers else [f"It is written for {_in_words(tiers)} researchers."]
    for decision in decisions:
        if needs or decision.access < Access.AGGREGATES:
            needs += decision.next_steps
    if access < Access.AGGREGATES and not needs:
        needs.append("The data behind it is not open to you.")
    return Bearing(query, access, tuple(dict.fromkeys(needs)))


def _in_words(tiers: Sequence[Tier]) -> str:
    *first, last = (str(tier) for tier in tiers)
    return f"{', '.join(first)} and {last}" if first else last
