"""A decision in sentences, for the person it is about."""

from collections.abc import Callable, Mapping
from typing import Any

from portal.policy.decision import Decision, Deny, Permit
from portal.policy.model import Access, DimensionUse, Disclosure, Obligation

ACCESS_WORDS: Mapping[Access, str] = {
    Access.NONE: "Nothing of this dataset is open to you.",
    Access.CODEBOOK: "You may read the codebook; the data itself is not open to you.",
    Access.AGGREGATES: "You may ask for statistics; single rows are never shown.",
    Access.ROWS: "You may query row by row.",
}

OBLIGATION_WORDS: Mapping[str, Callable[[Any], str]] = {
    "show": lambda _: "shown as published",
    "hide": lambda _: "hidden: every value reads NULL",
    "pseudonym": lambda _: "replaced by a pseudonym of this project",
    "truncate": lambda grid: f"cut to the {grid}",
    "band": lambda edges: f"shown in bands with the edges {', '.join(f'{edge:g}' for edge in edges)}",
    "round": lambda step: f"rounded to multiples of {step:g}",
    "top_code": lambda top: f"values above {top:g} shown as {top:g}",
    "map": lambda groups: f"grouped into {', '.join(sorted(set(groups.values())))}; all else reads 'other'",
    "constant": lambda value: f"every value reads {value!r}",
}


def obligation_in_words(obligation: Obligation) -> str:
    """Say what happens to a column's values."""
    return OBLIGATION_WORDS[obligation.kind](getattr(obligation, obligation.kind))


def use_in_words(name: str, use: DimensionUse) -> str:
    """Say how a dimension may be grouped and filtered."""
    if use.step is not None:
        return f"{name} (in steps of {use.step})"
    if use.prefix is not None:
        return f"{name} (by its first {use.prefix} character{'s' if use.prefix > 1 else ''})"
    return f"{name} (by {use.period})" if use.period else name


def explain(decision: Decision) -> tuple[str, ...]:
    """Return the decision as sentences: what may be done, under what, why, and what to do next."""
    return _explain_denial(decision) if isinstance(decision, Deny) else _explain_permit(decision)


def _explain_denial(deny: Deny) -> tuple[str, ...]:
    return (ACCESS_WORDS[Access.NONE], *deny.reasons, *(f"Next step: {step}" for step in deny.next_steps))


def _explain_permit(permit: Permit) -> tuple[str, ...]:
    duties = permit.obligations
    sentences = [ACCESS_WORDS[permit.access], *(f"Why: {reason}" for reason in permit.reasons)]
    if permit.until:
        sentences.append(f"Access ends after {permit.until}.")
    if permit.access is Access.ROWS:
        sentences += [f"Only rows where {rule.words}." for rule in duties.rows]
        sentences += [
            f"Column {name} is {obligation_in_words(duty)}." for name, duty in duties.columns.items() if not duty.show
        ]
    if duties.disclosure:
        sentences += disclosure_in_words(duties.disclosure)
    if permit.access >= Access.AGGREGATES:
        sentences += [_explain_download(permit), _explain_limits(permit)]
    return (*sentences, *(f"For more: {step}" for step in permit.next_steps))


def disclosure_in_words(disclosure: Disclosure) -> tuple[str, ...]:
    """Say under which rules figures are released."""
    thresholds = ", ".join(f"{least} distinct {entity}" for entity, least in disclosure.entities.items())
    dimensions = ", ".join(use_in_words(name, use) for name, use in disclosure.dimensions.items())
    joins = [f"{own} = {target}" for own, target in {**disclosure.public_joins, **disclosure.entity_joins}.items()]
    return (
        f"A figure is released when it rests on at least {thresholds}, and no few of them dominate it.",
        f"Group and filter by: {dimensions or 'nothing'}.",
        f"Sum and average: {', '.join(disclosure.measures) or 'nothing'}.",
        *((f"Join on: {', '.join(joins)}.",) if joins else ()),
        f"Counts are rounded to multiples of {disclosure.round_counts_to}.",
    )


def _explain_download(permit: Permit) -> str:
    download = permit.obligations.download
    if download is None:
        return "Nothing may be downloaded."
    review = {
        "none": "without review",
        "automatic": "after an automatic check",
        "manual": "after a reviewer has looked at it",
    }
    return (
        f"Up to {download.max_rows:,} rows may be downloaded at a time, as {' or '.join(download.formats)}, "
        f"{review[download.review]}."
    )


def _explain_limits(permit: Permit) -> str:
    limits = permit.obligations.limits
    return (
        f"Each statement may use {limits.seconds:g} seconds, {limits.memory} of memory and return "
        f"{limits.result_rows:,} rows; a project may take {limits.rows_per_week:,} rows in seven days."
    )
