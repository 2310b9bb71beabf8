"""Measured ratios against the bare engine; `make bench` runs them all and writes `docs/performance.md`."""
