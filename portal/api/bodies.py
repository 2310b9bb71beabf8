"""What requests carry."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

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


class StatementBody(_Body):
    """A statement: one SELECT in DuckDB's dialect."""

    sql: str = Field(
        max_length=LONGEST_SQL, examples=["SELECT platform, count(*) AS rows FROM dsa_transparency_daily GROUP BY ALL"]
    )
    parameters: Parameters
    project: str | None = Field(None, description="Left out: the token's project. Another one is refused.")


class DownloadBody(StatementBody):
    """A statement whose whole answer becomes a file."""

    format: Literal["parquet", "csv", "arrow"] = "parquet"


class ParametersBody(_Body):
    """Values for a saved query; what is left out has its default."""

    parameters: Parameters
