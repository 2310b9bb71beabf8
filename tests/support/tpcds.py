"""The 99 TPC-DS queries, and a small table set of the same shape.

The rows are not dsdgen's: every value is drawn from a hash of its column's name and its row's number, among values that
the queries ask for, so that a few thousand rows are enough for the queries to find something.
"""

from collections.abc import Mapping
from pathlib import Path

import duckdb
from support.draws import MACROS, columns_of, end_of

_DATA = Path(__file__).parents[1] / "data/tpcds"

QUERIES = {int(file.stem): file.read_text(encoding="utf-8") for file in sorted((_DATA / "queries").glob("*.sql"))}

_DIMENSIONS: Mapping[str, int] = {
    "date_dim": 2100,
    "time_dim": 288,
    "item": 100,
    "customer": 240,
    "customer_address": 240,
    "customer_demographics": 120,
    "household_demographics": 120,
    "income_band": 20,
    "store": 8,
    "promotion": 20,
    "reason": 3,
    "ship_mode": 12,
    "warehouse": 2,
    "call_center": 8,
    "catalog_page": 30,
    "web_page": 6,
    "web_site": 4,
}
_FACTS: Mapping[str, int] = {
    "inventory": 100 * 2 * 150,
    "store_sales": 20_000,
    "catalog_sales": 14_000,
    "web_sales": 14_000,
}
_RETURNS: Mapping[str, str] = {
    "store_returns": "store_sales",
    "catalog_returns": "catalog_sales",
    "web_returns": "web_sales",
}
"""A third of the orders is returned."""

_REFERENCES: Mapping[str, str] = {
    "item": "item",
    "customer": "customer",
    "addr": "customer_address",
    "cdemo": "customer_demographics",
    "hdemo": "household_demographics",
    "income_band": "income_band",
    "store": "store",
    "promo": "promotion",
    "reason": "reason",
    "ship_mode": "ship_mode",
    "warehouse": "warehouse",
    "call_center": "call_center",
    "catalog_page": "catalog_page",
    "web_page": "web_page",
    "web_site": "web_site",
}
"""The end of a key's name to the table that it refers to."""

_ORDER = "(i // 20 * 2 + (i % 20 >= 16)::BIGINT)"
"""Sales come in orders of sixteen and of four lines; all channels have the same customers, items and days."""

_COLUMNS: Mapping[str, str] = {
    "d_date_sk": "2450815 + i",
    "d_date": "DATE '1998-01-01' + i::INTEGER",
    "d_month_seq": "(year(day) - 1900) * 12 + month(day) - 1",
    "d_week_seq": "(day - DATE '1900-01-01') // 7 + 1",
    "d_quarter_seq": "(year(day) - 1900) * 4 + quarter(day)",
    "d_year": "year(day)",
    "d_dow": "dayofweek(day)",
    "d_moy": "month(day)",
    "d_dom": "day(day)",
    "d_qoy": "quarter(day)",
    "d_day_name": "dayname(day)",
    "d_quarter_name": "year(day) || 'Q' || quarter(day)",
    "t_time_sk": "i * 300",
    "t_time": "i * 300",
    "t_hour": "i // 12",
    "t_minute": "i % 12 * 5",
    "t_meal_time": "CASE i // 48 WHEN 1 THEN 'breakfast' WHEN 4 THEN 'dinner' END",
    "ib_lower_bound": "i * 10000 + 1",
    "ib_upper_bound": "i * 10000 + 10000",
    "r_reason_desc": "'reason ' || 28 - i",
    "i_item_desc": "'item number ' || i",
    "i_current_price": "CASE i % 5 WHEN 0 THEN 1.25 ELSE 62 + draw('price', i, 3600) // 25 / 4 END",
    "inv_date_sk": "2450815 + 365 + i // 200 * 7",
    "inv_item_sk": "1 + i % 100",
    "inv_warehouse_sk": "1 + i // 100 % 2",
    "inv_quantity_on_hand": "CASE draw('much', i, 5) WHEN 0 THEN draw('stock', i, 1000) ELSE draw('stock', i, 60) END",
    "ss_ticket_number": _ORDER,
    "cs_order_number": _ORDER,
    "ws_order_number": _ORDER,
}
_ENDS: Mapping[str, str] = {
    "state": "TN|TN|GA|TX|OH|KY|CA|IL|IN|VA|MS|NM|OR",
    "county": "Williamson County|Williamson County|Rush County|Jefferson County|Toole County|Dona Ana County",
    "city": "Fairview|Midway|Edgewood|Oakland",
    "zip": "24128|76232|65084|85669|86197|88274",
    "country": "United States",
    "gmt_offset": "-5|-5|-7",
    "marital_status": "S|M|W|D",
    "education_status": "College|2 yr Degree|4 yr Degree|Advanced Degree|Unknown",
    "gender": "M|F",
    "buy_potential": ">10000|Unknown|501-1000",
    "dep_count": "0|1|2|3|4|6|7",
    "vehicle_count": "0|1|2|3|4",
    "color": "peach|slate|purple|floral|powder|light|brown|midnight",
    "size": "medium|N/A|petite|small",
    "units": "Ounce|Bunch|N/A|Box",
    "manufact_id": "128|977|677|940|694|808|738|745|760|129|270|821|423|350",
    "manufact": "able|ought|pri",
    "manager_id": "1|8|28|40",
    "brand": "scholaramalgamalg #14|amalgimporto #1|exportiunivamalg #9|edu packscholar #1",
    "category": "Books|Children|Electronics|Women|Music|Men|Jewelry|Sports|Home",
    "class": "maternity|dresses|personal|portable|accessories|classical|pants|computers|football|birdal",
    "carrier": "DHL|BARIAN|UPS",
    "flag": "Y|N",
    "store_name": "ese|ought|able",
    "company_name": "pri|able",
    "market_id": "8|8|2",
    "number_employees": "250|290|120",
    "char_count": "5100|3000",
    "channel_email": "N|Y",
    "channel_event": "N|Y",
    "channel_tv": "N|Y",
    "channel_dmail": "Y|N",
    "birth_month": "1|6|8|9|12|2",
}
"""The end of a column's name to the values that it takes."""
_RANGES: Mapping[str, tuple[int, int]] = {
    "ext_sales_price": (0, 20_000),
    "ext_list_price": (0, 20_000),
    "ext_discount_amt": (0, 20_000),
    "coupon_amt": (0, 15_000),
    "net_paid": (0, 20_000),
    "return_amt": (0, 20_000),
    "return_amount": (0, 20_000),
    "net_profit": (-500, 1_500),
}
"""The end of a column's name to the range of its amounts; others are between 0 and 200."""
_MOMENTS: Mapping[str, str] = {
    "sold_date_sk": "2450815 + 6 * draw('sold date', {unit}, 304)",
    "ship_date_sk": "2450815 + 6 * draw('sold date', {unit}, 304) + 2 + draw('ship date', i, 150)",
    "date_sk": "2450815 + draw('{column}', i, 1800)",
    "time_sk": "300 * draw('{column}', {unit}, 288)",
}
"""The end of a key's name to the day or time that it stands for. Every sixth day is one of sales."""
_WITH_GAPS = frozenset({"ss_store_sk", "ss_addr_sk", "cs_ship_addr_sk", "ws_ship_customer_sk"})


def small_tpcds() -> duckdb.DuckDBPyConnection:
    """Return an instance that holds the 24 tables."""
    connection = duckdb.connect()
    connection.execute(MACROS + (_DATA / "schema.sql").read_text(encoding="utf-8"))
    for table, rows in {**_DIMENSIONS, **_FACTS}.items():
        values = ", ".join(_value(table, *column) for column in columns_of(connection, table))
        day = f"{_COLUMNS['d_date']} AS day"
        connection.execute(f"INSERT INTO {table} SELECT {values} FROM (SELECT i, {day} FROM range({rows}) t(i))")
    for table, sales in _RETURNS.items():
        sold = [name for name, _ in columns_of(connection, sales)]
        values = ", ".join(_returned(table, *column, sold) for column in columns_of(connection, table))
        lines = f"(SELECT rowid AS i, * FROM {sales}) WHERE draw('returned', {_ORDER}, 3) = 0"
        connection.execute(f"INSERT INTO {table} SELECT {values} FROM {lines}")
    return connection


def _value(table: str, column: str, kind: str) -> str:
    """Return the expression of one column for the row `i`."""
    value = _COLUMNS.get(column) or _key(table, column) or _drawn(column, kind)
    return f"CASE draw('{column} gap', i, 20) WHEN 0 THEN NULL ELSE {value} END" if column in _WITH_GAPS else value


def _key(table: str, column: str) -> str | None:
    """Return the expression of a key: its own row's, or that of a row of the table that it refers to."""
    if not column.endswith("_sk"):
        return None
    unit = _ORDER if table in _FACTS else "i"
    if (moment := end_of(column, _MOMENTS)) is not None:
        return _MOMENTS[moment].format(column=column, unit=unit)
    word = end_of(column.removesuffix("_sk"), _REFERENCES)
    if word is None or _REFERENCES[word] == table:
        return "i + 1"
    if word == "item":
        return f"CASE draw('popular', i, 10) WHEN 0 THEN 7 ELSE 1 + draw('item', i, {_DIMENSIONS['item']}) END"
    seed = word if table in _FACTS and "ship" not in column else column
    return f"1 + draw('{seed}', {'i' if word in ('warehouse', 'promo') else unit}, {_DIMENSIONS[_REFERENCES[word]]})"


def _drawn(column: str, kind: str) -> str:
    """Return the expression of a value that depends on nothing but the row's number."""
    if (word := end_of(column, _ENDS)) is not None:
        return f"pick('{column}', i, '{_ENDS[word]}')"
    if kind.startswith("DECIMAL"):  # quarters, whose sums in a DOUBLE are the same in any order
        low, high = _RANGES.get(end_of(column, _RANGES) or "", (0, 200))
        return f"{low} + draw('{column}', i, {(high - low) * 100}) // 25 / 4"
    if kind == "DATE":
        return f"DATE '1997-03-13' + draw('{column}', i, 1000)::INTEGER"
    if kind == "VARCHAR":
        which = "i" if column.endswith("_id") else f"draw('{column}', i, 9)"
        return f"'{column} ' || {which}"
    return f"1 + draw('{column}', i, 100)"


def _returned(table: str, column: str, kind: str, sold: list[str]) -> str:
    """Return the expression of one column of a returned line: what its sale says, where it says it."""
    _, name = column.split("_", 1)
    prefix = sold[0].split("_", 1)[0]
    for part in ("refunded_", "returning_"):
        name = name.removeprefix(part) if name.endswith("_sk") else name
    if name.endswith("date_sk"):
        return f"{prefix}_sold_date_sk + 3 + draw('{column}', i, 150)"
    same = [f"{prefix}_{name}", f"{prefix}_bill_{name}"]
    return next((each for each in same if each in sold), None) or _value(table, column, kind)
