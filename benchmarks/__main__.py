"""`python -m benchmarks [PART[=SCALE] ...]`: measures all parts, or those named, and writes what it finds.

Results go to `benchmarks/results.json`, where a part that is not measured keeps its last ones; `docs/performance.md` is
made from all that are there.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import cells, downloads, load, pages, risk, statements, workspaces

PAGE = Path("docs/performance.md")
RESULTS = Path("benchmarks/results.json")
HEAD = """# Performance

Written by `make bench`. Ratios are of runs side by side in one run; single times are of one noisy machine. Results with
all digits are in `benchmarks/results.json`.
"""

Found = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """One measurement, its words, and the scale at which it is asked for unless told otherwise."""

    measure: Callable[[float], Found]
    section: Callable[[Found], str]
    scale: float


PARTS: Mapping[str, Part] = {
    "statements": Part(statements.measure, statements.section, 40),
    "cells": Part(cells.measure, cells.section, 10),
    "downloads": Part(downloads.measure, downloads.section, 60),
    "workspaces": Part(workspaces.measure, workspaces.section, 10),
    "risk": Part(risk.measure, risk.section, 10),
    "pages": Part(pages.measure, pages.section, 5),
    "load": Part(load.measure, load.section, 300),
}


def main() -> None:
    """Measure and write down."""
    asked = dict(_asked(argument) for argument in sys.argv[1:]) or {name: part.scale for name, part in PARTS.items()}
    for name, scale in asked.items():
        busy = os.getloadavg()[0]
        found = {**PARTS[name].measure(scale), "load_average_before": busy}
        RESULTS.write_text(json.dumps(_results() | {name: found}, indent=2) + "\n")
        print(PARTS[name].section(found), flush=True)
    results = _results()
    sections = [
        _with_load(part.section(results[name]), results[name]) for name, part in PARTS.items() if name in results
    ]
    PAGE.write_text("\n".join([HEAD, *sections]))


def _asked(argument: str) -> tuple[str, float]:
    name, _, scale = argument.partition("=")
    if name not in PARTS:
        raise SystemExit(f"There is no part {name!r}; choose of {', '.join(PARTS)}.")
    return name, float(scale) if scale else PARTS[name].scale


def _results() -> dict[str, Found]:
    return dict(json.loads(RESULTS.read_text())) if RESULTS.exists() else {}


def _with_load(section: str, found: Found) -> str:
    return f"{section}\nThe machine's load average before was {found['load_average_before']:.1f}.\n"


if __name__ == "__main__":
    main()
