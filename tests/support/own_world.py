"""A small world of our own to attack: two entities, missing entities, refunds, times, public tables with ranges."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.attack_world import an_attack_world

from portal.desk.services import Services

_BECAUSE = "because: A reason that is long enough to be read."
_LIMITS = "limits: {seconds: 2, memory: 500MB}"
_OPEN = f"""\
  - for: {{tier: vetted}}
    access: rows
    {_LIMITS}
    {_BECAUSE}
"""
RULES = {
    "orders": f"""\
  - for: {{tier: vetted, grant: required}}
    access: aggregates
    download: {{formats: [parquet, csv]}}
    disclosure:
      entities: {{seller_id: 8, buyer_id: 12}}
      dimensions: {{region: equal, channel: equal, express: equal, order_day: {{range: month}}}}
      measures: {{amount_eur: {{round: 50}}, items: {{round: 10}}}}
      public_joins: {{region: dim_region.code, channel: dim_channel.channel}}
      entity_joins: {{buyer_id: visits.visitor_id}}
    {_BECAUSE}
""",
    "visits": f"""\
  - for: {{tier: vetted}}
    access: aggregates
    disclosure:
      entities: {{visitor_id: 15}}
      dimensions: {{section: equal, signed_in: equal, seen_at: {{range: quarter}}}}
      measures: {{seconds: {{round: 10}}}}
      entity_joins: {{visitor_id: orders.buyer_id}}
    {_BECAUSE}
""",
    "params": f"""\
  - for: {{tier: vetted, grant: required}}
    access: rows
    rows: zone <> 'isle'
    columns: {{secret_hash: hide, since: {{truncate: month}}}}
    {_LIMITS}
    {_BECAUSE}
""",
    "dim_region": _OPEN,
    "dim_channel": _OPEN,
    "vault": f"""\
  - for: {{tier: vetted, grant: required}}
    access: rows
    {_BECAUSE}
""",
}


@contextmanager
def our_world(folder: Path) -> Iterator[Services]:
    """Build the world; `visits` is open to its tier without a grant, `vault` to nobody here."""
    script = (Path(__file__).parent / "own_world.sql").read_text(encoding="utf-8")
    with an_attack_world(folder, script, RULES, granted=("orders", "params")) as services:
        yield services
