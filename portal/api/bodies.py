"""What requests carry."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from portal.api.examples import SQL

LONGEST_SQL = 100_000
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
