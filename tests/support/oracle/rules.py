"""Policies of many kinds over the made-up data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st


@dataclass(frozen=True, slots=True)
class Rules:
    """What a policy says of released cells, in plain values."""

    entities: Mapping[str, int]
    period: str
    step: int
    prefix: int
    rounds: Mapping[str, float]
    counts: int
    p: float
    top: int
    share: float
    pairwise: bool
    span: bool

    def few(self, sizes: Mapping[str, int]) -> bool:
        """Whether there is somebody, of some type of entity, and fewer than its threshold."""
        return any(0 < size < self.entities[name] for name, size in sizes.items())

    def as_policy(self) -> Mapping[str, Any]:
        """Return the same as a policy file has it."""
        return {
            "entities": self.entities,
            "dimensions": {
                "country": "equal",
                "day": {"range": self.period},
                "age": {"range": self.step},
                "postcode": {"prefix": self.prefix},
            },
            "measures": {name: {"round": base} for name, base in self.rounds.items()},
            "dominance": {"p": self.p, "top": self.top, "share": self.share},
            "round_counts_to": self.counts,
            "public_joins": {"country": "places.code"},
            "history": {"pairwise": self.pairwise, "span": self.span},
        }


some_rules = st.builds(
    Rules,
    st.fixed_dictionaries({"person": st.integers(2, 4), "firm": st.integers(2, 3)}),
    st.sampled_from(["month", "quarter"]),
    st.sampled_from([5, 10]),
    st.integers(1, 2),
    st.fixed_dictionaries({"amount": st.sampled_from([0.5, 1, 10, 100]), "pieces": st.sampled_from([1, 5])}),
    st.sampled_from([1, 2, 5]),
    st.sampled_from([0.05, 0.1, 0.5]),
    st.integers(1, 3),
    st.sampled_from([0.75, 0.9, 1.0]),
    st.sampled_from([True, True, True, False]),
    st.sampled_from([True, True, True, False]),
)
