"""The figures beside the simulation of statements of reasons: real counts of each month, and what is assumed."""

from collections.abc import Mapping

from portal.content import Content
from portal.simulation.files import read_figures


class Assumptions(Content):
    """What has no public source."""

    months_like_the_last: tuple[str, ...]
    platform_name: str
    listings_per_seller: int
    share_of_listings_with_ean: float
    share_of_notices_from_trusted_flaggers: float
    share_with_keyword: float
    keywords: dict[str, tuple[str, ...]]


class StatementFigures(Content):
    """For each field and value the real count of each month, and mean delays in days.

    A month is named by its place among the simulated ones; those after the last real one have its figures.
    """

    source: str
    licence: str
    months: tuple[str, ...]
    assumptions: Assumptions
    counts: dict[str, dict[str, tuple[int, ...]]]
    mean_days: dict[str, tuple[float, ...]]

    @property
    def simulated_months(self) -> tuple[str, ...]:
        """The months with real figures, and those that repeat the last of them."""
        return (*self.months, *self.assumptions.months_like_the_last)

    def weights(self, field: str, month: int) -> Mapping[str, int]:
        """Return how often each value of a field stands in the month."""
        return {value: counts[self._known(month)] for value, counts in self.counts[field].items()}

    def mean_delay(self, delay: str, month: int) -> float:
        """Return the mean of a delay in the month, in days."""
        return self.mean_days[delay][self._known(month)]

    def totals(self) -> list[int]:
        """Return the statements of each simulated month."""
        return [sum(self.weights("category", month).values()) for month in range(len(self.simulated_months))]

    def _known(self, month: int) -> int:
        return min(month, len(self.months) - 1)


def read_statement_figures() -> StatementFigures:
    """Read the figures."""
    return read_figures("moderation_statements.yaml", StatementFigures)
