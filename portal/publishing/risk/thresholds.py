"""Holds a risk report against what the dataset declares."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from portal.catalogue.risk import Risk
from portal.errors import Fault
from portal.publishing.risk.report import NamedClass, RiskReport

_TOLERANCE = 1e-9
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Threshold:
    """One threshold: its words, whether a figure must be at least or at most it, and which classes decide."""

    words: str
    at_least: bool
    declared: Callable[[Risk], float]
    worst: Callable[[RiskReport], tuple[NamedClass, ...]]

    def met(self, figure: float, declared: float) -> bool:
        """Whether a measured figure is within what is declared, up to the rounding of sums."""
        excess = declared - figure if self.at_least else figure - declared
        return excess <= _TOLERANCE


def _smallest(report: RiskReport) -> tuple[NamedClass, ...]:
    return report.smallest[:_NAMED]


def _poorest(report: RiskReport) -> tuple[NamedClass, ...]:
    worst = min(report.sensitive.values(), key=lambda column: column.entropy_l)
    return (worst.poorest,)


def _furthest(report: RiskReport) -> tuple[NamedClass, ...]:
    return (max(report.sensitive.values(), key=lambda column: column.t).furthest,)


THRESHOLDS: Mapping[str, Threshold] = {
    "k": Threshold("k-anonymity", True, lambda risk: risk.k, _smallest),  # noqa: FBT003 - a row of a table
    "l": Threshold("entropy l-diversity", True, lambda risk: risk.least_values, _poorest),  # noqa: FBT003 - a row of a table
    "t": Threshold("t-closeness", False, lambda risk: risk.furthest, _furthest),  # noqa: FBT003 - a row of a table
    "highest_risk": Threshold("highest risk", False, lambda risk: risk.highest_risk, _smallest),  # noqa: FBT003 - a row of a table
    "average_risk": Threshold("average risk", False, lambda risk: risk.average_risk, _smallest),  # noqa: FBT003 - a row of a table
}


def missed(report: RiskReport) -> Iterator[Fault]:
    """Yield a fault for each threshold that the release misses, naming the worst classes in generalised values.

    Only who publishes meets these faults: a steward, who has the sources.
    """
    if report.declared is None or not report.units:
        return
    for name, threshold in THRESHOLDS.items():
        declared, figure = threshold.declared(report.declared), report.measured[name]
        if not threshold.met(figure, declared):
            worst = "; ".join(f"{one} ({_counted(one, report.unit)})" for one in threshold.worst(report))
            bound = "at least" if threshold.at_least else "at most"
            yield Fault(
                "RELEASE_AT_RISK",
                f"The {threshold.words} would be {figure:.4g}, and {bound} {declared:.4g} is declared. Worst: {worst}.",
                rule=f"risk.{name}: {declared:g}",
                fix="Coarsen these columns in the recipe, or leave the rows out; then publish again.",
                dataset=report.dataset,
            )


def _counted(one: NamedClass, unit: str) -> str:
    return f"{one.units:,} {unit}, {one.rows:,} rows" if one.units != one.rows else f"{one.rows:,} rows"
