"""A decision on a platform, part by part: what was promised or found, and which saved queries bear on it.

The content of `queries/commitments.yaml`, which lawyers edit. A site without that file has no such page.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from portal.catalogue.dataset import Identifier
from portal.content import Content

QueryPath = Annotated[str, StringConstraints(pattern=r"^[a-z]+/[a-z][a-z0-9_]{0,62}$")]
"""A saved query, as `topic/name`."""


class Source(Content):
    """Where the words of the decision can be read."""

    title: str
    url: str


class SideBySide(Content):
    """Which query of a part sets two official sources beside each other, and one sentence on why they may differ."""

    query: QueryPath
    definitions: str


class Part(Content):
    """One commitment or one finding: what was said, in our words, and what is asked of the data.

    The first of `queries` that is open to a person is the one drawn for them; the others stand below it.
    """

    id: Identifier
    title: str
    said: str
    question: str
    articles: tuple[str, ...] = ()
    queries: tuple[QueryPath, ...] = Field(min_length=1)
    side_by_side: SideBySide | None = None
    caveats: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _compares_by_a_query_of_its_own(self) -> "Part":
        if self.side_by_side and self.side_by_side.query not in self.queries:
            raise ValueError("side_by_side.query: name one of the part's queries")
        return self


class Commitments(Content):
    """A decision: what a platform committed to, and what was found, if only in a preliminary way."""

    title: str
    date: date
    said: str
    standing: str = Field(description="How the parts must be read: what binds, and what is not decided yet.")
    sources: tuple[Source, ...] = Field(min_length=1)
    commitments: tuple[Part, ...] = Field(min_length=1)
    findings: tuple[Part, ...] = ()

    @property
    def parts(self) -> tuple[Part, ...]:
        """Every part, commitments first."""
        return self.commitments + self.findings

    @property
    def named_queries(self) -> Iterator[tuple[str, tuple[str | int, ...]]]:
        """Every saved query that is named, with the place where it is."""
        for field, parts in (("commitments", self.commitments), ("findings", self.findings)):
            for number, part in enumerate(parts):
                yield from ((name, (field, number, "queries", place)) for place, name in enumerate(part.queries))

    @model_validator(mode="after")
    def _each_part_has_its_own_id(self) -> "Commitments":
        twice = sorted(name for name, times in Counter(part.id for part in self.parts).items() if times > 1)
        if twice:
            raise ValueError(f"two parts have the id {', '.join(twice)}")
        return self
