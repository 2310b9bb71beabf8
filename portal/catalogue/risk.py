"""What a release may at most risk: the thresholds that a steward declares in `dataset.yaml`, under `risk`."""

from pydantic import Field

from portal.content import Content


class Risk(Content):
    """The thresholds of a dataset's releases, and why they are these. A release that misses one is refused.

    They are held against the columns whose role is `quasi_identifier` and, for `l` and `t`, each whose role is
    `sensitive`. What they mean and where they come from is in `portal.publishing.risk`.
    """

    unit: str | None = Field(
        None, description="The entity that equivalence classes count; left out: the first of `entities`, else rows."
    )
    k: int = Field(1, ge=1, description="At least this many units share each combination of quasi-identifiers.")
    least_values: float = Field(
        1, ge=1, alias="l", description="Each class holds at least this many well-represented sensitive values."
    )
    furthest: float = Field(
        1, ge=0, le=1, alias="t", description="No class's spread of sensitive values is further from the whole's."
    )
    highest_risk: float = Field(1, gt=0, le=1, description="No unit is found again with a higher probability.")
    average_risk: float = Field(1, gt=0, le=1, description="No larger share of units is expected to be found again.")
    sampled: float = Field(
        1, ge=0.001, le=1, description="The share of the population that is in the release; 1: everyone is."
    )
    because: str = Field(min_length=40, description="Why these thresholds protect those whom the data is about.")
