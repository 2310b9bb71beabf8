"""What leads to a person and has no place in a published text: addresses, telephone numbers, accounts, free text.

Patterns err on the side of a stopped release, whose steward can then say why the column may hold what was found.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from portal.catalogue.dataset import ColumnType, Trace
from portal.policy.masks import literal

LONGEST_PLAIN = 200
"""Characters beyond which a text is taken for free text."""
_EMAIL = r"[\w.+%-]+@[\w-]+(\.[\w-]+)*\.[A-Za-z]{2,}"
_PHONE = r"(^|[^\w+])(\+|00)[1-9]([ ()./-]{0,2}\d){8,14}($|[^\w])"
_IBAN = r"\b[A-Z]{2}\d{2}( ?[A-Z0-9]{4}){2,7}( ?[A-Z0-9]{1,3})?\b"
REMOVED = "[removed]"


def _matches(pattern: str) -> Callable[[str], str]:
    return lambda text: f"regexp_matches({text}, {literal(pattern)})"


def _is_iban(text: str) -> str:
    """Hold the first candidate against its check digits (ISO 13616: the digits, rotated by four, are 1 modulo 97)."""
    found = f"replace(regexp_extract({text}, {literal(_IBAN)}), ' ', '')"
    rotated = f"string_split(substr({found}, 5) || left({found}, 4), '')"
    digits = (
        f"list_transform({rotated}, lambda sign: CASE WHEN sign >= 'A' THEN ascii(sign) - 55 ELSE sign::INTEGER END)"
    )
    step = "lambda sum, digit: (sum * CASE WHEN digit > 9 THEN 100 ELSE 10 END + digit) % 97"
    return (
        f"CASE WHEN regexp_matches({text}, {literal(_IBAN)}) THEN list_reduce({digits}::BIGINT[], {step}) = 1 "
        "ELSE false END"
    )


TRACES: Mapping[Trace, tuple[str, Callable[[str], str]]] = MappingProxyType(
    {
        "email": ("an e-mail address", _matches(_EMAIL)),
        "iban": ("a bank account", _is_iban),
        "phone": ("a telephone number", _matches(_PHONE)),
        "free_text": ("free text", lambda text: f"(length({text}) > {LONGEST_PLAIN} OR contains({text}, chr(10)))"),
    }
)
"""Each trace in words, and the SQL that finds it in a text."""


def holds(trace: Trace, cell: str, column_type: ColumnType) -> str:
    """Return the SQL of whether a cell, of texts or of lists of texts, holds a trace."""
    find = TRACES[trace][1]
    if column_type == "VARCHAR[]":
        return f"list_bool_or(list_transform({cell}, lambda text: coalesce({find('text')}, false)))"
    return find(cell)


def kind_of(value: str) -> str:
    """Return the SQL of what kind of value a text is, in words that tell nothing of the value itself."""
    cases = " ".join(f"WHEN {find(value)} THEN {literal(words)}" for words, find in TRACES.values())
    is_number, is_date = (f"TRY_CAST({value} AS {kind}) IS NOT NULL" for kind in ("DOUBLE", "TIMESTAMP"))
    plain = f"WHEN {is_number} THEN 'a number' WHEN {is_date} THEN 'a date' ELSE 'a text'"
    return f"CASE WHEN {value} IS NULL THEN 'nothing' {cases} {plain} END"


def redacted(text: str) -> str:
    """Return the SQL of a text without addresses, telephone numbers and accounts."""
    for pattern in (_EMAIL, _IBAN):
        text = f"regexp_replace({text}, {literal(pattern)}, {literal(REMOVED)}, 'g')"
    around = literal(rf"\1{REMOVED}\4")  # what stood before and after a number stays
    return f"regexp_replace({text}, {literal(_PHONE)}, {around}, 'g')"
