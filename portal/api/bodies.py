"""What requests carry."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from portal.api.examples import SQL
from portal.desk.own_queries import LONGEST_SQL, LONGEST_TITLE

MOST_PARAMETERS = 200

Value = str | int | float | bool | None
Parameters = Annotated[
    dict[str, Value],
    Field(
        default_factory=dict, max_length=MOST_PARAMETERS, description="Values by name, without the $. Dates as text."
    ),
]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


_EXAMPLES = ConfigDict(
    extra="forbid", frozen=True, json_schema_extra={"examples": [{"sql": SQL, "parameters": {"field": "rows"}}]}
)


class StatementBody(_Body):
    """A statement: one SELECT in DuckDB's dialect."""

    model_config = _EXAMPLES

    sql: str = Field(max_length=LONGEST_SQL, examples=[SQL])
    parameters: Parameters
    project: str | None = Field(None, description="Left out: the token's project. Another one is refused.")


class DownloadBody(StatementBody):
    """A statement whose whole answer becomes a file."""

    format: Literal["parquet", "csv", "arrow"] = "parquet"


class ParametersBody(_Body):
    """Values for a saved query; what is left out has its default."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"parameters": {}}]})

    parameters: Parameters


class KeptBody(_Body):
    """A statement to keep, with the values that it is asked with unless others are given."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"title": "By platform", "sql": SQL}]}
    )

    title: str = Field(max_length=LONGEST_TITLE, examples=["By platform"])
    sql: str = Field(max_length=LONGEST_SQL, examples=[SQL])
    question: str = Field("", max_length=LONGEST_SQL)
    parameters: Parameters
    seen_by: Literal["owner", "project", "nobody"] = "owner"
