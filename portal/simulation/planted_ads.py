"""What the simulations of advertising and recommenders hide, for saved queries to find; shown to no researcher."""

from datetime import date

from portal.content import Content
from portal.simulation.files import read_figures


class Exclusion(Content):
    """A group that is kept out of a share of a category's advertisements."""

    group: str
    share: float


class ParameterChange(Content):
    """A parameter that counts for more from a week on, and what that does to exposure to illegal listings."""

    surface: str
    parameter: str
    since: date
    weight_times: float
    reason: str
    times: float


class OptionChange(Content):
    """From which week on the option without profiling is used so much more."""

    since: date
    times: float


class PlantedAds(Content):
    """Each is explained in the file."""

    share_aimed_at_young_adults: dict[str, float]
    share_aimed_otherwise: float
    exclusions: dict[str, Exclusion]
    share_excluded_otherwise: float
    share_by_repeat_offenders: float
    mean_days_to_removal: dict[str, float]
    amplified_by_profiling: dict[str, float]
    change: ParameterChange
    option: OptionChange


def read_planted_ads() -> PlantedAds:
    """Read what is hidden."""
    return read_figures("planted_ads.yaml", PlantedAds)
