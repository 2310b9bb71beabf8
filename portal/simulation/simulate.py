"""The datasets that can be simulated, and the one way to do it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from portal.errors import Fault, UsageError
from portal.simulation.ad_targeting import simulate_ad_targeting
from portal.simulation.advertisements import simulate_ad_reach, simulate_ad_repository
from portal.simulation.complaints import simulate_complaints
from portal.simulation.listing_reappearance import simulate_listing_reappearance
from portal.simulation.moderation_statements import simulate_moderation_statements
from portal.simulation.notices import simulate_notices
from portal.simulation.recommender_source_code import simulate_recommender_source_code
from portal.simulation.recommenders import simulate_recommender_exposure, simulate_recommender_parameters
from portal.simulation.trader_penalties import simulate_trader_penalties
from portal.simulation.traders import simulate_traders

Simulator = Callable[[Path, float, int], list[Path]]
"""Target folder, scale and seed to the files written there."""

SIMULATORS: Mapping[str, Simulator] = MappingProxyType(
    {
        "ad_reach": simulate_ad_reach,
        "ad_repository": simulate_ad_repository,
        "ad_targeting": simulate_ad_targeting,
        "complaints": simulate_complaints,
        "listing_reappearance": simulate_listing_reappearance,
        "moderation_statements": simulate_moderation_statements,
        "notices": simulate_notices,
        "recommender_exposure": simulate_recommender_exposure,
        "recommender_parameters": simulate_recommender_parameters,
        "recommender_source_code": simulate_recommender_source_code,
        "trader_penalties": simulate_trader_penalties,
        "traders": simulate_traders,
    }
)


def simulate(dataset_name: str, target_dir: Path, scale: float = 1.0, seed: int = 2026) -> list[Path]:
    """Write the synthetic sources of a dataset and return their files, ready to be published.

    The same scale and seed give the same files. `scale` 1 is the demonstration's size, and rows grow with it.
    Raises `UsageError` where the dataset has no simulator or the scale is not above zero.
    """
    simulator = SIMULATORS.get(dataset_name)
    if simulator is None:
        raise UsageError(_unknown(dataset_name))
    if scale <= 0:
        raise UsageError(Fault("SCALE_NOT_POSITIVE", "The scale must be above zero.", fix="Give a scale such as 1."))
    target_dir.mkdir(parents=True, exist_ok=True)
    return simulator(target_dir, scale, seed)


def _unknown(dataset_name: str) -> Fault:
    return Fault(
        "NO_SIMULATOR",
        f"There is no simulation of {dataset_name!r}.",
        fix=f"Simulate one of {', '.join(SIMULATORS)}.",
        dataset=dataset_name,
    )
