"""What the simulations about traders hide, for saved queries to find: read by simulators and tests, shown to nobody."""

from datetime import date

from portal.content import Content
from portal.simulation.files import read_figures


class HiddenLinks(Content):
    """How often listings hide links, and which way of hiding grows how much, from which day on."""

    share: float
    growing: str
    since: date
    times: float


class PlantedTruths(Content):
    """Each is explained in the file."""

    share_of_repeat_offenders: dict[str, float]
    share_closed_when_due: dict[str, float]
    share_returned: float
    months_to_return: int
    share_of_returns_noticed: float
    affiliates_give_less: float
    share_as_ruled: dict[str, float]
    share_listings_back: dict[str, float]
    days_to_return: float
    share_of_returns_in_entity: float
    hidden_links: HiddenLinks
    found_by: dict[str, dict[str, float]]
    mean_hours_live: dict[str, float]
    share_of_messenger_in_hidden_links: float


def read_planted_truths() -> PlantedTruths:
    """Read what is hidden."""
    return read_figures("planted_traders.yaml", PlantedTruths)
