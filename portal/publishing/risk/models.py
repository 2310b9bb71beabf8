"""How likely an attacker is to be right, under the three models that ARX and sdcMicro use.

- The *prosecutor* knows that somebody is in the release: the probability is 1/f in a class of f units.
- The *journalist* looks for anyone who is in the population, of which the release may be a sample: the probability is
  the mean of 1/F, F being how many of the population are like the f in the release.
- The *marketer* looks for as many as possible, and counts the share that he gets right: the mean over all units.

Literature: K. El Emam, "Guide to the De-Identification of Personal Health Information", CRC Press 2013 (the three
models); F. Prasser, J. Eicher, H. Spengler, R. Bild, K. Kuhn, "Flexible data anonymization using ARX", Software:
Practice and Experience 50, 2020 (how ARX reports them); R. Benedetti, L. Franconi, "Statistical and technological
solutions for controlled data dissemination", NTTS 1998, and M. Templ, A. Kowarik, B. Meindl, "Statistical disclosure
control for micro-data using the R package sdcMicro", J. Statistical Software 67(4), 2015 (the mean of 1/F: F is
negative binomial where each of the population came into the release with the same probability).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from portal.publishing.risk.classes import Size

Floats = npt.NDArray[np.float64]
_NEGLIGIBLE = 1e-12


@dataclass(frozen=True, slots=True)
class Attack:
    """What one attacker gets: the highest and the mean probability, and the share of units above the threshold."""

    highest: float
    average: float
    above: float


@dataclass(frozen=True, slots=True)
class Attacks:
    """The three attackers. The marketer has one figure only: the share of units that he is expected to find again."""

    prosecutor: Attack
    journalist: Attack
    marketer: float


def attack(sizes: Sequence[Size], sampled: float, threshold: float) -> Attacks:
    """Return the three attackers' chances; `sampled` is the share of the population that is in the release."""
    units = np.array([size.units for size in sizes], dtype=np.float64)
    held = units * np.array([size.classes for size in sizes], dtype=np.float64)
    prosecutor = _attack(1 / units, held, threshold)
    journalist = _attack(in_population(units, sampled), held, threshold)
    return Attacks(prosecutor, journalist, journalist.average)


def in_population(units: Floats, sampled: float) -> Floats:
    """Return the mean of 1/F for classes of these sizes, p being `sampled` and q the rest.

    It is the sum over j of p q^j B(f, j+1), with B the beta function: all terms are positive, so none cancel.
    """
    term = sampled / units
    total = term.copy()
    step = 0.0
    while np.max(term, initial=0) > _NEGLIGIBLE * sampled * (1 - sampled):
        step += 1
        term = term * (1 - sampled) * step / (units + step)
        total += term
    return total


def _attack(risks: Floats, held: Floats, threshold: float) -> Attack:
    everyone = float(held.sum())
    if not everyone:
        return Attack(0.0, 0.0, 0.0)
    return Attack(
        highest=float(risks.max()),
        average=float(risks @ held) / everyone,
        above=float(held[risks > threshold + _NEGLIGIBLE].sum()) / everyone,
    )
