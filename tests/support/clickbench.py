"""The 43 ClickBench queries, and a small table of the same shape whose rows the queries find."""

from collections.abc import Mapping
from pathlib import Path

import duckdb
from support.draws import MACROS, columns_of

_DATA = Path(__file__).parents[1] / "data/clickbench"
_ROWS = 24_000

QUERIES = dict(enumerate((_DATA / "queries.sql").read_text(encoding="utf-8").splitlines(), 1))

_TIME = "TIMESTAMP '2013-07-01' + to_seconds(CASE i % 2 WHEN 0 THEN 1123200 + i * 7 ELSE i * 110 END)"
"""Half of the hits are of the two days that are asked for minute by minute."""

_COLUMNS: Mapping[str, str] = {
    "WatchID": "i * 1000003",
    "EventTime": _TIME,
    "EventDate": f"({_TIME})::DATE",
    "ClientEventTime": _TIME,
    "LocalEventTime": _TIME,
    "CounterID": "CASE draw('counter', i, 5) WHEN 0 THEN draw('other counter', i, 40) ELSE 62 END",
    "UserID": "CASE draw('user', i, 900) WHEN 0 THEN 435090932899640449 ELSE draw('user', i, 900) END",
    "ClientIP": "draw('address', i, 500) * 65537",
    "RegionID": "draw('region', i, 80)",
    "URL": "pick('site', i, 'http://www.google.ru/|https://shop.example/|http://news.example/') "
    "|| draw('page', i, 1500)",
    "Referer": "pick('from', i, '|http://www.search.example/a/|https://mail.google.com/|http://blog.example/b/') "
    "|| draw('referer', i, 30)",
    "Title": "pick('title', i, '|Google maps|The news|Google and others|A shop') || draw('about', i, 20)",
    "SearchPhrase": "pick('phrase', i, '|||how to cook|weather|cheap flights')",
    "MobilePhoneModel": "pick('model', i, '|||iPad|N8|S3')",
    "TraficSourceID": "draw('traffic', i, 4) * 7 - 1",
    "ResolutionWidth": "pick('width', i, '1024|1366|1920|1280')",
    "WindowClientWidth": "draw('window width', i, 1900)",
    "WindowClientHeight": "draw('window height', i, 1000)",
    "URLHash": "CASE draw('url hash', i, 10) WHEN 0 THEN draw('other hash', i, 60) ELSE 2868770270353813622 END",
    "RefererHash": "CASE draw('referer hash', i, 2) WHEN 0 THEN 1 ELSE 3594120000172545465 END",
}
_RARE = frozenset({"IsRefresh", "IsDownload", "DontCountHits"})


def small_clickbench() -> duckdb.DuckDBPyConnection:
    """Return an instance that holds the table."""
    connection = duckdb.connect()
    connection.execute(MACROS + (_DATA / "schema.sql").read_text(encoding="utf-8"))
    values = ", ".join(_COLUMNS.get(name) or _drawn(name, kind) for name, kind in columns_of(connection, "hits"))
    connection.execute(f"INSERT INTO hits SELECT {values} FROM range({_ROWS}) t(i)")
    return connection


def _drawn(name: str, kind: str) -> str:
    if kind == "VARCHAR":
        return f"pick('{name}', i, '|a|b|c')"
    if name in _RARE:
        return f"(draw('{name}', i, 12) = 0)::SMALLINT"
    return f"draw('{name}', i, 4)"
