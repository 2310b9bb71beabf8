"""Writes the answer of a SELECT to a file, whole or not at all, and reads the figures beside the simulators."""

import os
from pathlib import Path
from typing import TypeVar

import duckdb
from ruamel.yaml import YAML

from portal.content import Content
from portal.policy.masks import literal

Figures = TypeVar("Figures", bound=Content)


def read_figures(file_name: str, model: type[Figures]) -> Figures:
    """Read a YAML file of this package."""
    text = Path(__file__).with_name(file_name).read_text(encoding="utf-8")
    return model.model_validate(YAML(typ="safe", pure=True).load(text))


def write_parquet(connection: duckdb.DuckDBPyConnection, select: str, path: Path) -> Path:
    """Write a Parquet file and return its path."""
    return _write(connection, select, path, "FORMAT parquet, COMPRESSION zstd")


def write_csv(connection: duckdb.DuckDBPyConnection, select: str, path: Path) -> Path:
    """Write a CSV file with a header and return its path."""
    return _write(connection, select, path, "FORMAT csv, HEADER true")


def _write(connection: duckdb.DuckDBPyConnection, select: str, path: Path, options: str) -> Path:
    temporary = path.with_name(f".{path.name}")
    try:
        connection.execute(f"COPY ({select}) TO {literal(str(temporary))} ({options})")
        os.replace(temporary, path)  # noqa: PTH105 - one call that replaces, on every system
    finally:
        temporary.unlink(missing_ok=True)
    return path
