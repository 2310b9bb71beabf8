"""An answer: its rows in the form that you work with, and all that is to be known of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import polars as pl

MANIFEST = b"dsa_research_portal"
"""The key under which an answer's own metadata holds its manifest."""


@dataclass(frozen=True)
class Answer:
    """Rows, and the manifest that travels with them."""

    table: pa.Table
    manifest: Mapping[str, Any]

    @classmethod
    def from_table(cls, table: pa.Table) -> "Answer":
        """Read an answer and the manifest inside it."""
        return cls(table, json.loads((table.schema.metadata or {}).get(MANIFEST, b"{}")))

    def arrow(self) -> pa.Table:
        """Return the rows as an Arrow table."""
        return self.table

    def polars(self) -> "pl.DataFrame":
        """Return the rows as a polars frame; needs polars."""
        import polars as pl  # noqa: PLC0415 - needed by who asks for it only

        return pl.DataFrame(pl.from_arrow(self.table))

    def pandas(self) -> "pd.DataFrame":
        """Return the rows as a pandas frame; needs pandas."""
        frame: pd.DataFrame = self.table.to_pandas()
        return frame

    def duckdb(self, connection: "duckdb.DuckDBPyConnection | None" = None) -> "duckdb.DuckDBPyRelation":
        """Return the rows as a DuckDB relation, of this connection or the default one; needs duckdb."""
        import duckdb  # noqa: PLC0415 - needed by who asks for it only

        return (connection or duckdb).from_arrow(self.table)

    @property
    def receipt(self) -> Mapping[str, Any]:
        """Who asked what of which releases under which policy, and when: enough to repeat and to audit."""
        receipt: Mapping[str, Any] = self.manifest["receipt"]
        return receipt

    @property
    def complete(self) -> bool:
        """Whether these are all rows; false where a limit cut them."""
        return bool(self.receipt["complete"])

    @property
    def withheld(self) -> bool:
        """Whether a figure is withheld by disclosure control; its cell is empty."""
        return bool(self.receipt["withheld"])

    @property
    def synthetic(self) -> bool:
        """Whether any of the data is made up."""
        return bool(self.manifest["synthetic"])

    @property
    def errata(self) -> Sequence[Mapping[str, Any]]:
        """Known faults of the data behind these rows, each with `dataset`, `id`, `title` and `description`."""
        errata: Sequence[Mapping[str, Any]] = self.manifest["errata"]
        return errata

    def cite(self) -> str:
        """Return how to cite this answer: one line for each dataset, with release, day and query."""
        return "\n".join(self.manifest["citations"])

    def __len__(self) -> int:
        """Return how many rows there are."""
        return int(self.table.num_rows)

    def __repr__(self) -> str:
        """Say what this is, and what must be known before it is used."""
        notes = [
            f"{len(self):,} rows",
            *([] if self.complete else ["cut by a limit"]),
            *(["figures withheld"] if self.withheld else []),
            *(["synthetic data"] if self.synthetic else []),
            *(f"erratum: {erratum['title']}" for erratum in self.errata),
        ]
        return f"<Answer: {', '.join(notes)}>"

    def _repr_html_(self) -> str:
        """Show the first rows in a notebook."""
        from html import escape  # noqa: PLC0415 - for notebooks only

        head = self.table.slice(0, 20)
        heads = "".join(f"<th>{escape(name)}</th>" for name in head.schema.names)
        rows = "".join(
            f"<tr>{''.join(f'<td>{escape(str(value))}</td>' for value in row)}</tr>"
            for row in zip(*(column.to_pylist() for column in head.columns), strict=True)
        )
        return f"<p>{escape(repr(self)[1:-1])}</p><table><tr>{heads}</tr>{rows}</table>"
