"""The risk report of a release against pycanon, extrapolated from what it can hold.

Both measure k, distinct, entropy and recursive l, and t, of two sensitive columns over three quasi-identifiers; the
report measures attackers and names the smallest classes besides. pycanon is timed at two sizes; the line through them
is kind to it, for it leaves out that its frame no longer fits into memory.
"""

import multiprocessing
import resource
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from pycanon import anonymity

from benchmarks.world import bare_copy, seconds
from portal.catalogue.dataset import Dataset
from portal.catalogue.release import Manifest
from portal.publishing.risk.loss import Removal
from portal.publishing.risk.measure import measure as measure_release

ROWS = 2_000_000
"""Rows at scale 1."""
HELD = (20_000, 100_000)
"""The sizes at which pycanon is timed."""
QUASI, SENSITIVE = ["region", "age", "sex"], ["illness", "income"]
_TABLE = """
    SELECT 'R' || CAST(floor(27 * random()) AS INT) AS region, CAST(5 * floor(12 * random()) AS INT) AS age,
      ['f', 'm'][1 + CAST(floor(2 * random()) AS INT)] AS sex,
      'I' || CAST(floor(20 * random() * random()) AS INT) AS illness, CAST(floor(40 * random()) AS INT) AS income,
      'P' || CAST(floor({rows} / 5 * random()) AS INT) AS person
    FROM range({rows})"""
_THEIRS: Mapping[str, Callable[[pd.DataFrame], object]] = {
    "k": lambda frame: anonymity.k_anonymity(frame, QUASI),
    "distinct l": lambda frame: anonymity.l_diversity(frame, QUASI, SENSITIVE),
    "entropy l": lambda frame: anonymity.entropy_l_diversity(frame, QUASI, SENSITIVE),
    "recursive (c,l)": lambda frame: anonymity.recursive_c_l_diversity(frame, QUASI, SENSITIVE),
    "t": lambda frame: anonymity.t_closeness(frame, QUASI, SENSITIVE),
}


def measure(scale: float) -> Mapping[str, Any]:
    """Return the report's seconds and peak memory by unit, and pycanon's seconds, at `2,000,000 x scale` rows."""
    rows = int(ROWS * scale)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "people.parquet"
        bare_copy(f"COPY ({_TABLE.format(rows=rows)}) TO '{file}' (FORMAT parquet, COMPRESSION zstd)")
        bare_copy(f"COPY (FROM '{file}' LIMIT {max(HELD)}) TO '{file}.held' (FORMAT parquet)")
        frame = pd.read_parquet(f"{file}.held")
        ours = {unit or "row": _apart(file, rows, unit) for unit in (None, "person")}
        theirs = {name: [_timed(run, frame.head(size)) for size in HELD] for name, run in _THEIRS.items()}
    extrapolated = sum(_line(HELD, times, rows) for times in theirs.values())
    return {
        "rows": rows, "ours": ours, "held": HELD, "pycanon_s": theirs, "pycanon_extrapolated_s": extrapolated,
        "ratio": extrapolated / ours["row"]["seconds"],
    }  # fmt: skip


def _apart(file: Path, rows: int, unit: str | None) -> Mapping[str, float]:
    """Measure in a process of its own, whose peak memory is this measure's."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_ours, file, rows, unit).result()


def _ours(file: Path, rows: int, unit: str | None) -> Mapping[str, float]:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    took = seconds(lambda: measure_release(_dataset(unit), _manifest(rows), [file], Removal((), ())))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": took, "peak_mb": peak / 1024, "peak_before_mb": before / 1024}


def _line(sizes: Sequence[int], times: Sequence[float], rows: int) -> float:
    """Extend the line through two measurements, never below the larger one."""
    slope = max(0.0, (times[1] - times[0]) / (sizes[1] - sizes[0]))
    return times[1] + slope * (rows - sizes[1])


def _timed(run: Callable[[pd.DataFrame], object], frame: pd.DataFrame) -> float:
    return seconds(lambda: run(frame))


def _dataset(unit: str | None) -> Dataset:
    types = dict.fromkeys(("region", "sex", "illness", "person"), "VARCHAR") | dict.fromkeys(
        ("age", "income"), "INTEGER"
    )
    roles = dict.fromkeys(QUASI, "quasi_identifier") | dict.fromkeys(SENSITIVE, "sensitive") | {"person": "identifier"}
    return Dataset.model_validate(
        {
            "dataset": "people", "title": "People", "topic": "moderation", "description": "Made up.",
            "grain": "a visit", "entities": [unit] if unit else [], "legal_basis": ["none"], "citation": "None.",
            "provenance": {"publisher": "a benchmark", "licence": "none"},
            "columns": {name: {"type": types[name], "meaning": name, "role": role} for name, role in roles.items()},
        }
    )  # fmt: skip


def _manifest(rows: int) -> Manifest:
    return Manifest(
        dataset="people", number=1, created_at=datetime(2026, 1, 1, tzinfo=UTC), tool_version="0", synthetic=True,
        columns={}, rows=rows, rejected_rows=0, recipe_sha256="", sources=(), files=(),
    )  # fmt: skip


def section(found: Mapping[str, Any]) -> str:
    """Say it in a page."""
    small, large = found["held"]
    ours = "\n".join(
        f"| risk report, counting by {unit} | {found['rows']:,} | {one['seconds']:.2f} | {one['peak_mb']:.0f} |"
        for unit, one in found["ours"].items()
    )
    theirs = "\n".join(
        f"| pycanon, {size:,} rows | {size:,} | {sum(times[place] for times in found['pycanon_s'].values()):.2f} | |"
        for place, size in enumerate((small, large))
    )
    return f"""## The risk report of a release, against pycanon

Anonymity, diversity and closeness of two sensitive columns over three quasi-identifiers. pycanon's time at the report's
size is read off the line through its two.

| what | rows | s | peak memory, MB |
|---|---|---|---|
{ours}
{theirs}
| pycanon, extrapolated | {found["rows"]:,} | {found["pycanon_extrapolated_s"]:.0f} | |
| **times faster** | | **{found["ratio"]:.0f}** | |
"""
