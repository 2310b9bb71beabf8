"""Chance that repeats: every throw is a hash of what it is thrown for, so threads and order change nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

from portal.policy.masks import literal


@dataclass(frozen=True, slots=True)
class Dice:
    """SQL for throws under one seed. A throw is named, and throws of different names are independent."""

    seed: int

    def throw(self, name: str, of: str = "i") -> str:
        """Return SQL for a number from 0 to below 1, the same for equal values of `of`."""
        # Hashed twice: DuckDB joins hashes by XOR, so two names would differ by one constant.
        return f"((hash(hash({of}, {self.seed}, {literal(name)})) >> 11)::DOUBLE / (1::BIGINT << 53))"


def pick(throw: str, weights: Mapping[str, float]) -> str:
    """Return SQL that turns a throw into one of the values, each as often as its weight says."""
    total, reached = sum(weights.values()), 0.0
    cases = []
    for value, weight in weights.items():
        if weight:
            reached += weight
            cases.append(f"WHEN {throw} < {reached / total!r} THEN {literal(value)}")
    return f"CASE {' '.join(cases)} END"


def shares(total: int, weights: list[int]) -> list[int]:
    """Divide a total in proportion to the weights, without losing or gaining one (largest remainder)."""
    exact = [total * weight / sum(weights) for weight in weights]
    parts = [int(part) for part in exact]
    by_remainder = sorted(range(len(exact)), key=lambda place: parts[place] - exact[place])
    for place in by_remainder[: total - sum(parts)]:
        parts[place] += 1
    return parts
