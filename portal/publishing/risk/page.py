"""The risk report as one HTML page that needs nothing else: plain words, tables, and bars drawn as SVG."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape

from portal.publishing.risk.report import RiskReport
from portal.publishing.risk.thresholds import THRESHOLDS

_BUCKETS = ((1, 1), (2, 2), (3, 4), (5, 9), (10, 19), (20, 49), (50, 99), (100, 999), (1000, None))
_STYLE = """
  :root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --line: #d9dee5; --bar: #2f6f9f; --back: #fff; }
  @media (prefers-color-scheme: dark) {
    :root { --ink: #e6eaf0; --soft: #9aa6b5; --line: #38414d; --bar: #6aaad6; --back: #14181e; } }
  body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--back); max-width: 60rem;
         margin: 2rem auto; padding: 0 1.5rem; }
  h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
  p.note, figcaption { color: var(--soft); font-size: .9rem; }
  table { border-collapse: collapse; width: 100%; font-size: .9rem; }
  th, td { text-align: left; vertical-align: top; padding: .35rem .8rem .35rem 0; }
  th, td { border-bottom: 1px solid var(--line); }
  td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
  .scroll { overflow-x: auto; } figure { margin: 1rem 0; } svg { max-width: 100%; height: auto; }
  svg text { font: 13px system-ui, sans-serif; fill: var(--ink); } svg rect { fill: var(--bar); }
"""

Cells = Sequence[object]


def page_of(report: RiskReport, title: str) -> str:
    """Return the page. It names classes: for stewards only."""
    kind = " · synthetic data" if report.synthetic else ""
    head = f"Release {report.release} of {report.dataset}, {report.created_at:%Y-%m-%d}{kind}"
    body = "\n".join(_sections(report))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Risk report: {escape(head)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>\n'
        f'<h1>Risk report: {escape(title)}</h1><p class="note">{escape(head)}. For stewards: it names classes.</p>\n'
        f"{body}\n</body></html>\n"
    )


def _sections(report: RiskReport) -> Iterator[str]:
    yield "".join(f"<p>{escape(sentence)}</p>" for sentence in report.in_words())
    if report.quasi_identifiers and report.units:
        yield from _declared(report)
        yield from _classes(report)
        yield from _attackers(report)
        yield from _diversity(report)
    yield from _removed(report)
    yield f'<h2>How to read this</h2><p class="note">{escape(_NOTES.format(unit=report.unit))}</p>'


def _declared(report: RiskReport) -> Iterator[str]:
    yield "<h2>Declared and measured</h2>"
    if report.declared is None:
        yield "<p>The dataset declares no thresholds, so the release was measured and not judged.</p>"
        return
    declared = report.declared
    yield _table(
        ("Threshold", "Declared", "Measured"),
        (
            (
                one.words,
                f"{'at least' if one.at_least else 'at most'} {one.declared(declared):.4g}",
                f"{report.measured[name]:.4g}",
            )
            for name, one in THRESHOLDS.items()
        ),
    )


def _classes(report: RiskReport) -> Iterator[str]:
    yield "<h2>Equivalence classes</h2>"
    yield (
        f"<p>{report.rows:,} rows fall into {report.classes:,} classes of {report.units:,} units "
        f"({escape(report.unit)}). {report.alone:,} are in some class the only one.</p>"
    )
    held = {_range(low, high): _held(report, low, high) for low, high in _BUCKETS}
    yield _bars("Share of units by the size of their class", held)
    yield "<h3>The smallest classes, in generalised values</h3>"
    yield _table(("Class", "Units", "Rows"), ((one, one.units, one.rows) for one in report.smallest))


def _held(report: RiskReport, low: int, high: int | None) -> float:
    inside = (size for size in report.sizes if size.units >= low and (high is None or size.units <= high))
    return sum(size.units * size.classes for size in inside) / report.units


def _range(low: int, high: int | None) -> str:
    if high is None:
        return f"{low:,} or more"
    return f"{low}" if low == high else f"{low} to {high}"


def _attackers(report: RiskReport) -> Iterator[str]:
    yield "<h2>Three attackers</h2>"
    yield _bars(
        "Probability of finding somebody again",
        {
            "prosecutor, highest": report.prosecutor.highest,
            "prosecutor, mean": report.prosecutor.average,
            "journalist, highest": report.journalist.highest,
            "journalist, mean": report.journalist.average,
            "marketer, share found": report.marketer,
        },
    )
    yield (
        f"<p>{report.journalist.above_threshold:.1%} of units are above the declared highest risk. The prosecutor "
        "knows that somebody is in the release; the journalist looks for anyone of the population; the marketer for as "
        "many as he can find.</p>"
    )


def _diversity(report: RiskReport) -> Iterator[str]:
    if not report.sensitive:
        return
    yield "<h2>Sensitive columns</h2>"
    yield _table(
        ("Column", "Values", "Distinct l", "Entropy l", "Recursive c above", "t", "Distance"),
        (
            (
                name, one.values, one.distinct_l, f"{one.entropy_l:.3f}",
                "-" if one.recursive_c is None else f"{one.recursive_c:.3f}", f"{one.t:.3f}",
                "by rank" if one.ordered else "equal",
            )
            for name, one in report.sensitive.items()
        ),
    )  # fmt: skip
    yield _bars("t: how far the furthest class is from the whole", {n: one.t for n, one in report.sensitive.items()})
    yield "<h3>The poorest class in l, and the furthest in t, of each column</h3>"
    yield _table(
        ("Column", "Measure", "Class", "Units", "Rows"),
        (
            (name, measure, worst, worst.units, worst.rows)
            for name, one in report.sensitive.items()
            for measure, worst in (("l", one.poorest), ("t", one.furthest))
        ),
    )


def _removed(report: RiskReport) -> Iterator[str]:
    yield "<h2>What the recipe removed</h2>"
    yield _list("Source columns left out whole", report.dropped)
    yield _list("Pseudonyms in place of identifiers", report.pseudonymised)
    yield f"<p>Rows rejected: {report.rejected_rows:,}. No row was suppressed for its risk.</p>"
    if not report.losses:
        return
    yield _table(
        ("Source column", "Published as", "Rows", "Bits a row", "Bits lost", "Emptied"),
        (
            (loss.source_column, loss.column, loss.rows, f"{loss.bits:.2f}", f"{loss.bits_lost:.2f}", loss.emptied)
            for loss in report.losses
        ),
    )
    yield _bars("Share of information lost", {loss.column: loss.share for loss in report.losses})


def _list(words: str, names: Sequence[str]) -> str:
    return f"<p>{escape(words)}: {escape(', '.join(names)) or 'none'}.</p>"


def _table(heads: Sequence[str], rows: Iterable[Cells]) -> str:
    listed = list(rows)
    number = [all(isinstance(row[place], int) for row in listed) for place in range(len(heads))]
    head = "".join(_cell("th", name, right) for name, right in zip(heads, number, strict=True))
    cells = ("".join(_cell("td", value, right) for value, right in zip(row, number, strict=True)) for row in listed)
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(tag: str, value: object, right: bool) -> str:  # noqa: FBT001 - where it stands is all that there is to say
    text = f"{value:,}" if isinstance(value, int) else escape(str(value))
    kind = ' class="n"' if right else ""
    return f"<{tag}{kind}>{text}</{tag}>"


def _bars(caption: str, shares: Mapping[str, float]) -> str:
    """Draw shares from 0 to 1 as horizontal bars, each with its figure beside it."""
    rows = "".join(
        f'<text x="195" y="{place * 26 + 18}" text-anchor="end">{escape(label)}</text>'
        f'<rect x="205" y="{place * 26 + 6}" width="{max(1, round(share * 400))}" height="16" rx="2"/>'
        f'<text x="{213 + max(1, round(share * 400))}" y="{place * 26 + 18}">{share:.1%}</text>'
        for place, (label, share) in enumerate(shares.items())
    )
    box = f'viewBox="0 0 680 {len(shares) * 26 + 6}" width="680"'
    drawn = f'<svg role="img" aria-label="{escape(caption)}" {box}>{rows}</svg>'
    return f"<figure>{drawn}<figcaption>{escape(caption)}</figcaption></figure>"


_NOTES = (
    "A class is all rows that agree in every quasi-identifier, as published; governed copies may be coarser still. "
    "Counted are units ({unit}); an entity is one in each class that has rows of it. A missing value is a value of its "
    "own, and the least of those that have an order. Columns whose role is sensitive are judged by l-diversity and "
    "t-closeness. Bits are Shannon's, source by source: what stays unknown of the source value when the published one "
    "is known. Definitions: Sweeney 2002 (k); Machanavajjhala et al. 2007 (l); Li et al. 2007 (t); El Emam 2013, ARX "
    "and sdcMicro (attackers); Gionis and Tassa 2009 (information)."
)
