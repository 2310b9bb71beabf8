"""Every single guard of released cells, and what the code would be without it.

`tests/mutations/run.py` takes them away one at a time, and writes into docs/security-properties.md which test fails.
"""
# ruff: noqa: E501 - code is quoted as it stands

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Guard:
    """A line of code that keeps something from leaving: where it stands, verbatim and once, and what to put there."""

    name: str
    file: str
    code: str
    without: str

    def is_in(self, root: Path) -> bool:
        """Whether the code is there, once."""
        return (root / self.file).read_text(encoding="utf-8").count(self.code) == 1

    def take_away(self, root: Path) -> None:
        """Write the file without it."""
        path = root / self.file
        path.write_text(path.read_text(encoding="utf-8").replace(self.code, self.without), encoding="utf-8")


def _codes(*codes: str) -> tuple[Guard, ...]:
    """The grammar refuses in one place; each of its rules is taken away by not saying so."""
    return tuple(
        Guard(
            f"the grammar refuses: {code}",
            "portal/sql/subject.py",
            "self.faults.append(replace(fault_at(",
            f'code == "{code}" or self.faults.append(replace(fault_at(',
        )
        for code in codes
    )


_CELLS, _FIGURES = "portal/disclosure/cells.py", "portal/disclosure/figures.py"
_RELEASE, _COMPILE = "portal/disclosure/release.py", "portal/disclosure/compile.py"
_REMAINDER, _CROSSING = "portal/disclosure/remainder.py", "portal/disclosure/crossing.py"
_MAKING, _SUBJECT = "portal/disclosure/making.py", "portal/disclosure/subject.py"
_WATCH, _HISTORY = "portal/disclosure/watch.py", "portal/disclosure/history.py"
_STORE, _STATEMENTS = "portal/workspaces/history_store.py", "portal/desk/statements.py"

GUARDS = (
    Guard("a group holds the threshold", _CELLS, "if group.entities[name] < k]", "if False]"),
    Guard(
        "a group holds the threshold of every entity",
        _CELLS,
        "few = [name for name, k in disclosure.entities.items() if",
        "few = [name for name, k in list(disclosure.entities.items())[:1] if",
    ),
    Guard("a figure has support", _CELLS, "if figure.support[name] < k:", "if False:"),
    Guard(
        "a filter leaves out enough with a value",
        _CELLS,
        "beyond = (group.entities[name] - figure.support[name], figure.outside[name])",
        "beyond = (figure.outside[name],)",
    ),
    Guard(
        "a filter leaves out enough with rows",
        _CELLS,
        "beyond = (group.entities[name] - figure.support[name], figure.outside[name])",
        "beyond = (group.entities[name] - figure.support[name],)",
    ),
    Guard("p% rule", _CELLS, "(remainder < rule.p * largest[0] or ", "("),
    Guard("(n, k) rule", _CELLS, " or sum(largest[: rule.top]) > rule.share * total)", ")"),
    Guard("an infinite sum is dominated", _CELLS, "if not math.isfinite(total):", "if False:"),
    Guard(
        "certificate: p%", _CELLS, "return max(firsts + rule.p * first, tops / rule.share)", "return tops / rule.share"
    ),
    Guard(
        "certificate: (n, k)",
        _CELLS,
        "return max(firsts + rule.p * first, tops / rule.share)",
        "return firsts + rule.p * first",
    ),
    Guard("certificate: errors of adding up", _CELLS, "low = total - ROUNDING * added", "low = total"),
    Guard(
        "certificate: bounds of one entity",
        "portal/disclosure/base.py",
        "at_most = [min(total, within) for total in members.totals[measure]]",
        "at_most = [within / 2 for total in members.totals[measure]]",
    ),
    Guard(
        "certificate: what is not finite counts as infinite",
        "portal/disclosure/summary.py",
        "np.nan_to_num(np.abs(amounts), nan=np.inf, posinf=np.inf)",
        "np.nan_to_num(np.abs(amounts), nan=0.0, posinf=0.0)",
    ),
    Guard(
        "a condition leaves out none or enough",
        _FIGURES,
        "yield {entity: len(each) for entity, each in left_out.items()}",
        "yield {entity: 0 for entity in left_out}",
    ),
    Guard(
        "a condition leaves out none or enough who are nowhere else",
        _FIGURES,
        "yield {entity: len(each - reached[entity]) for entity, each in left_out.items()}",
        "yield {entity: 0 for entity in left_out}",
    ),
    Guard(
        "a condition with low effect withholds the block",
        _FIGURES,
        "fault = effect_fault([*_effects(regions, dropped, base), *_effects_of_pair(unmatched)], disclosure)",
        "fault = None",
    ),
    Guard(
        "a value of few is not counted among distinct ones",
        _FIGURES,
        "return sum(all(count(value, name) >= k for name, k in disclosure.entities.items()) for value in values)",
        "return len(values)",
    ),
    Guard(
        "rows without an entity are one entity",
        _MAKING,
        '"coalesce(id, 0)"',
        '"coalesce(id, 1000 + random() * 1000000)"',
    ),
    Guard(
        "entities without a value are not counted",
        _COMPILE,
        'nullif(_own."#has.{column}", false)',
        "true",
    ),
    Guard(
        "a join leaves out none or enough",
        _COMPILE,
        "for p, join in zip(partners, block.joins, strict=True):",
        "for p, join in ():",
    ),
    Guard(
        "a join is looked at without the conditions on its table",
        _COMPILE,
        "if each not in (p, *asked)]",
        "if each != p]",
    ),
    Guard("no condition hides behind another", _COMPILE, "for family in families.values():", "for family in ():"),
    Guard("all conditions together leave out none or enough", _COMPILE, "    if everything:\n", "    if False:\n"),
    Guard(
        "a key is held against the history",
        _RELEASE,
        "if not block.groupings or computed.is_released((key, None))]",
        "]",
    ),
    Guard("a row without partner is dropped", _COMPILE, "WHERE {_all([*atoms, *partners])})", "WHERE {_all(atoms)})"),
    Guard("row rules", _MAKING, "WHERE {' AND '.join(subject.row_rules) or 'true'})", "WHERE true)"),
    Guard(
        "bounds of dates", _COMPILE, "return \" AND \".join(['\"#position\" IS NOT NULL', *subject.bounds])",
        "return '\"#position\" IS NOT NULL'",
    ),
    Guard(
        "masks",
        _SUBJECT,
        "name: mask_column(own, self.dataset.columns[own].type, self.obligations.columns[own], self.key).sql",
        "name: quote(own)",
    ),
    Guard(
        "complement among groups",
        _RELEASE,
        "closed = with_complement(reasons.keys(), sizes, joint, disclosure.entities) if block.groupings else set(reasons)",
        "closed = set(reasons)",
    ),
    Guard(
        "complement within a column",
        _RELEASE,
        "hidden = with_complement({*faults, *closed}, sizes, joint, disclosure.entities) - closed",
        "hidden = set(faults)",
    ),
    Guard("at least two are withheld", "portal/disclosure/complementary.py", "len(chosen) >= 2 and ", ""),
    Guard(
        "what is withheld holds the threshold together",
        "portal/disclosure/complementary.py",
        " and all(together[name] >= k for name, k in thresholds.items())",
        "",
    ),
    Guard(
        "a remainder has no figure that a group beside it lacks",
        _REMAINDER,
        "apart = {((), j) for j in range(len(block.aggregates)) if not all(computed.is_released((key, j)) for key in shown)}",
        "apart = set()",
    ),
    Guard("a condition with low effect leaves no remainder", _REMAINDER, "or found.fault or", "or"),
    Guard(
        "a remainder is held against the history",
        "portal/desk/release.py",
        "return _held(whole, grown, hold)",
        "return grown, _held(whole, (), hold)[1]",
    ),
    Guard("counts are rounded (HAVING too)", _RELEASE, "round_to(figure.rows, step)", "figure.rows"),
    Guard("sums are rounded (HAVING too)", _RELEASE, "round_to(figure.value or 0.0, base)", "figure.value or 0.0"),
    Guard("distinct counts are rounded", _RELEASE, "round_to(figure.value or 0, step)", "figure.value or 0"),
    Guard(
        "an average is of two places",
        "portal/disclosure/rounding.py",
        "return round(rounded_sum / rounded_count, AVERAGE_PLACES) if",
        "return rounded_sum / rounded_count if",
    ),
    Guard(
        "nothing and too few look alike", _RELEASE, "shown = kept or ([] if block.groupings else [()])",
        "shown = kept",
    ),
    Guard("history: pairwise", _WATCH, "if rules.pairwise and (self._tells_apart(cell) or (distinct and self._counts_few_more(cell))):", "if False:"),
    Guard(
        "history: two cells differ by enough",
        _WATCH,
        "any(self._differs_by_few(cell, name, k) for name, k in self._thresholds.items())",
        "False",
    ),
    Guard(
        "history: nested sums differ by no dominated one",
        _WATCH,
        "for other in self._overlapping(cell)",
        "for other in ()",
    ),
    Guard(
        "history: distinct counts differ by enough",
        _WATCH,
        " or (distinct and self._counts_few_more(cell))",
        "",
    ),
    Guard(
        "history: span",
        _WATCH,
        "step = self._step(cell)\n",
        "step = None\n",
    ),
    Guard(
        "history: no combination tells of few",
        "portal/disclosure/few.py",
        "if len(BitMap.union(*(entities[c] for c in support))) < k:",
        "if False:",
    ),
    Guard("history: what cannot be decided is refused", _WATCH, "if found is not False:", "if found:"),
    Guard(
        "history: no sum that follows is dominated",
        _WATCH,
        "return Reason.SPAN if any(self._is_dominated(each) for each in sums if (each != own).any()) else None",
        "return None",
    ),
    Guard(
        "history: sums that follow, around what is new",
        _WATCH,
        "itertools.chain(derived_cells(step, self._space), self._new_marginals(step))",
        "self._new_marginals(step)",
    ),
    Guard(
        "history: marginals that follow",
        _WATCH,
        "itertools.chain(derived_cells(step, self._space), self._new_marginals(step))",
        "derived_cells(step, self._space)",
    ),
    Guard(
        "history: cells under other row rules",
        _HISTORY,
        "if any(self._apart_by_few(name, entities) for name, entities in self.entities[cells].items()):",
        "if False:",
    ),
    Guard(
        "history: the value that was shown is shown again",
        _HISTORY,
        "Verdict(tuple(known[key] for key in keys) if reason is None else (), reason)",
        "Verdict(tuple(each.value for each in candidates) if reason is None else (), reason)",
    ),
    Guard(
        "history: the same cell under other row rules is another",
        _HISTORY,
        "for entry in history.entries if entry.view == ground.view}",
        "for entry in history.entries}",
    ),
    Guard(
        "history: bound of cells", _HISTORY, "if new and len(entries) + len(new) > MAX_ENTRIES:", "if False:"
    ),
    Guard("history: bound of parts", _HISTORY, "if len(split.regions) <= MAX_PARTS:", "if True:"),
    Guard(
        "history: written before an answer",
        _STORE,
        "if len(after.entries) > len(before.history.entries):",
        "if False:",
    ),
    Guard("history: on disk before an answer", _STORE, "os.fsync(file.fileno())", "pass"),
    Guard("history: its name is on disk before an answer", _STORE, "sync(path.parent)", "pass"),
    Guard("history: one change at a time", _STORE, "held(folder):", "held(folder, shared=True):"),
    Guard(
        "history: a damaged record refuses",
        "portal/disclosure/keeping.py",
        "elif not whole:\n            raise damaged()",
        "elif not whole:\n            return",
    ),
    Guard(
        "history: a damaged set refuses", "portal/disclosure/keeping.py", "if digest(data) != name:", "if False:"
    ),
    Guard(
        "a public key is unique",
        "portal/desk/release.py",
        "    _check_keys(block, releasing.engine, public)\n",
        "",
    ),
    Guard(
        "pair: the join leaves out none or enough",
        "portal/desk/release.py",
        "releasing.engine.fetch(unmatched_query(block, subject), tables) if isinstance(subject, Pair) else None",
        "None",
    ),
    Guard(
        "pair: both datasets are watched, or neither", "portal/desk/release.py", "            _check_watched(pair)\n", ""
    ),
    Guard("pair: the shared entity has the higher threshold", _SUBJECT, "shared = max(", "shared = min("),
    Guard("pair: the stricter dominance rule", _SUBJECT, "p=max(each.dominance.p", "p=min(each.dominance.p"),
    Guard("pair: the coarser rounding of counts", _SUBJECT, '"round_counts_to": max(', '"round_counts_to": min('),
    Guard("pair: held against its datasets", _CROSSING, "if entry.view not in mine", "if entry.view is None"),
    Guard("pair: noted for its datasets", _CROSSING, "(each := side.from_pair(entry))", "(each := None)"),
    Guard(
        "pair: noted with its own thresholds",
        _CROSSING,
        "thresholds = {side.own(name): self.pair.disclosure.entities[name] for name in side.entities}",
        "thresholds = dict[str, int]()",
    ),
    Guard(
        "pair: whatever it counts may be rows",
        _CROSSING,
        "if ROWS in kind.families(self.pair.disclosure):",
        "if kind == ROWS:",
    ),
    Guard("pair: the nameless are nobody among those who differ", _HISTORY, "< k + nameless", "< k"),
    Guard(
        "base cells: missing members are missed",
        "portal/disclosure/base.py",
        "if len(sizes) != len(self.entities_in(region, entity)):",
        "if False:",
    ),
    Guard(
        "base cells: a damaged page is not read",
        "portal/disclosure/base.py",
        "page_checksum_verification=True",
        "page_checksum_verification=False",
    ),
    Guard("base cells: their number is bounded", "portal/desk/bases.py", "if found > most:", "if False:"),
    Guard(
        "a block is held against the policy again",
        "portal/desk/cells.py",
        "        check_declared(block, prepared.protected, prepared.tables)\n",
        "",
    ),
    Guard(
        "what is not declared is not admitted",
        "portal/disclosure/declared.py",
        "if any(True for _ in _undeclared(block, protected, public)):",
        "if False:",
    ),
    Guard(
        "the sign of a withheld figure tells nothing of groups that are left out",
        "portal/desk/cells.py",
        "any(figure.null_count for figure in figures)",
        "bool(reasons)",
    ),
    Guard(
        "why a cell is withheld is the steward's to know",
        _STATEMENTS,
        "            Action.CELLS_WITHHELD,\n            actor=None,",
        "            Action.CELLS_WITHHELD,\n            actor=receipt.person,",
    ),
    Guard(
        "rows are charged before an answer", _STATEMENTS,
        "            check_budget(prepared.limits, left, rows=rows)\n", "",
    ),
    Guard(
        "an answer is given again under the same rules only",
        _STATEMENTS,
        '"disclosure": obligations.disclosure and obligations.disclosure.model_dump(),',
        "",
    ),
    Guard(
        "every parameter has a value, and no others are given",
        "portal/desk/preparing.py",
        "if missing or unknown or unfit:",
        "if unfit:",
    ),
    Guard(
        "a parameter's value is one that SQL takes",
        "portal/desk/preparing.py",
        "if missing or unknown or unfit:",
        "if missing or unknown:",
    ),
    Guard(
        "a parameter's value in a block is one that can be written",
        "portal/sql/subject.py",
        "if not _can_be_written(value):",
        "if False:",
    ),
    Guard("no table is given the name of another dataset", "portal/sql/labels.py", "if name in datasets:", "if False:"),
    *_codes("P_ROWS", "P_AGG", "P_AGGARG", "P_GROUP", "P_FILTER", "P_JOIN", "P_NAME", "P_STEP", "P_PARAMETER"),
)  # fmt: skip
"""In the order of the document."""
