"""What the portal asks of an engine. The desk and the workspaces know this, never DuckDB."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from portal.sql.plan import ParameterValue

RESULT_BYTES = 1_000_000_000
"""How large an answer may be unless said otherwise."""


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """What one statement may use. All are enforced from outside the process that runs it."""

    seconds: float = 60.0
    memory_bytes: int = 2_000_000_000
    result_rows: int = 1_000_000
    result_bytes: int = RESULT_BYTES


@dataclass(frozen=True, slots=True)
class ReadJob:
    """One statement to run in the sandbox.

    `sql` is regenerated text with `$name` parameters; `tables` names each governed copy and the Parquet files that hold
    it, which are all that the sandbox may read; `cells` are relations of released cells, by name.
    """

    sql: str
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    tables: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    cells: Mapping[str, pa.Table] = field(default_factory=dict)
    limits: ReadLimits = ReadLimits()

    def with_rows(self, most: int) -> "ReadJob":
        """Return the same job, handing out no more rows than these."""
        return replace(self, limits=replace(self.limits, result_rows=min(self.limits.result_rows, most)))


class CancelSignal(Protocol):
    """Asked often; true once the person has stopped the work. `threading.Event` fits."""

    def is_set(self) -> bool:
        """Whether to stop."""
        ...


class AnswerStream(Protocol):
    """A running statement's answer.

    `complete` is known once `batches` is exhausted: false where the row limit cut the answer. Iterating raises
    `LimitReached`, `Cancelled` or `EngineFailure`; nothing that was yielded before such an end may be kept.
    """

    schema: pa.Schema

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the answer, in order."""
        ...

    @property
    def complete(self) -> bool:
        """Whether every row of the answer was yielded."""
        ...


class SandboxEngine(Protocol):
    """Runs researchers' statements, each in a throw-away confined process."""

    def read(self, job: ReadJob, cancel: CancelSignal | None = None) -> AbstractContextManager[AnswerStream]:
        """Start the statement; leaving the context ends its process whatever state it is in."""
        ...

    def close(self) -> None:
        """End every process that this engine started."""
        ...


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A Parquet file that the trusted engine wrote."""

    path: Path
    rows: int


class TrustedEngine(Protocol):
    """Runs the portal's own SQL on the platform's extracts. Never sees a researcher's text."""

    def copy(
        self,
        select: str,
        tables: Mapping[str, Sequence[Path]],
        target: Path,
        metadata: Mapping[str, str] | None = None,
    ) -> WrittenFile:
        """Write the answer of `select` over the named Parquet tables as one zstd Parquet file at `target`."""
        ...

    def fetch(self, select: str, tables: Mapping[str, Sequence[Path]]) -> pa.Table:
        """Return the answer of `select` over the named Parquet tables."""
        ...

    def heeding(self, heed: Callable[[], object]) -> "TrustedEngine":
        """Return the same engine, whose calls ask `heed` every while, on another thread.

        An error of the family that `heed` raises ends the call.
        """
        ...


Progress = Callable[[float, str], None]
"""Called with a share between 0 and 1 and a few words."""
