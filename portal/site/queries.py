"""A saved query: SQL in `queries/<topic>/<name>.sql` under a front matter that says what it asks and how to read it.

The front matter is YAML in the leading comment, between `/*---` and `---*/`.
"""

from datetime import date
from typing import Literal

from pydantic import Field

from portal.catalogue.dataset import Identifier
from portal.content import Content
from portal.ids import QueryName
from portal.policy.model import Tier

OPENING, CLOSING = "/*---", "---*/"

Topic = Literal["moderation", "advertising", "recommenders", "traders", "complaints", "capacity"]


class QueryParameter(Content):
    """One `$name` of the query; `values` lists the choices where there are few."""

    type: Literal["text", "integer", "number", "date", "boolean"]
    label: str
    default: str | int | float | bool | date
    values: tuple[str | int | float, ...] | None = None


class Chart(Content):
    """How the answer is best drawn; every name is a column of the answer."""

    kind: Literal["bar", "line", "heatmap"]
    x: str
    y: str
    colour: str | None = None


class FrontMatter(Content):
    """What a saved query says of itself."""

    title: str
    question: str
    why: str
    reading: str
    caveats: tuple[str, ...] = ()
    datasets: tuple[Identifier, ...] = Field(min_length=1)
    tiers: tuple[Tier, ...] = Field(min_length=1)
    parameters: dict[Identifier, QueryParameter] = Field(default_factory=dict)
    chart: Chart | None = None


class SavedQuery(Content):
    """A query of the library. `sql` is the text below the front matter; `first_line` is where it starts in its file."""

    topic: Topic
    slug: Identifier
    front: FrontMatter
    sql: str
    first_line: int

    @property
    def name(self) -> QueryName:
        """`topic/slug`, as the command line and the API name it."""
        return QueryName(f"{self.topic}/{self.slug}")
