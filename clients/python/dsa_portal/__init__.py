"""Ask a DSA research portal: `Portal(url, token).query(sql)`, and the answer as Arrow, polars, pandas or DuckDB."""

from dsa_portal.answer import Answer
from dsa_portal.portal import Portal
from dsa_portal.problem import PortalProblem

__all__ = ["Answer", "Portal", "PortalProblem"]
