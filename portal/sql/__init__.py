"""Statement in, plan out: parse, closed world, names, regenerate, verify. Pure: nothing here runs SQL."""

from portal.sql.functions import FunctionKind, describe_functions
from portal.sql.labels import labels_of
from portal.sql.planning import plan
from portal.sql.reading import Parsed, parse
from portal.sql.verify import verify

__all__ = ["FunctionKind", "Parsed", "describe_functions", "labels_of", "parse", "plan", "verify"]
