"""What the saved queries on traders find: counted anew from the raw rows, and held against what was planted in them."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from statistics import median
from typing import Any

import duckdb
import pytest
from support.content import answer, as_seen_by, published_files, the_site

from portal.ids import DatasetName, QueryName
from portal.policy.model import Tier
from portal.simulation import simulate
from portal.simulation.planted_traders import read_planted_truths

SITE = the_site()
PLANTED = read_planted_truths()
SCALE = 0.3
NAMES = ("traders", "trader_penalties", "listing_reappearance")
STEPS = ("NONE", "WARNING", "RESTRICTION", "SUSPENSION", "CLOSURE")
BY_PLATFORM = {"ALGORITHM", "HUMAN"}

Row = Mapping[str, Any]


class World:
    """Raw rows by dataset, and what each saved query finds in their release under the first tier that it names."""

    def __init__(self, raw: Mapping[str, Sequence[Row]], seen: Mapping[Tier, duckdb.DuckDBPyConnection]) -> None:
        self.traders, self.penalties, self.removals = (raw[name] for name in NAMES)
        self._seen = seen

    def find(self, query: str, **values: object) -> list[dict[str, Any]]:
        saved = SITE.queries[QueryName(f"traders/{query}")]
        return answer(self._seen[saved.front.tiers[0]], saved, **values)

    def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        return self._seen[Tier.REGISTERED].execute(sql).fetchall()


@pytest.fixture(name="world", scope="module")
def _world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    root = tmp_path_factory.mktemp("traders")
    sources = {name: simulate(name, root / "raw", SCALE, 5) for name in (*NAMES, "moderation_statements")}
    files = {
        name: published_files(SITE.datasets[DatasetName(name)], paths, root / "releases", synthetic=True)
        for name, paths in sources.items()
    }
    with ExitStack() as stack:
        raw = {name: rows_of(stack, f"'{sources[name][0]}'") for name in NAMES}
        tiers = (Tier.REGISTERED, Tier.VETTED)
        yield World(raw, {tier: stack.enter_context(as_seen_by(tier, SITE, files)) for tier in tiers})


def rows_of(stack: ExitStack, relation: str) -> list[Row]:
    result = stack.enter_context(duckdb.connect()).execute(f"FROM {relation}")
    names = [str(column[0]) for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def share(some: int, of: int, digits: int = 1) -> float:
    return round(100 * some / of, digits)


def grouped(rows: Sequence[Row], *keys: str) -> Mapping[tuple[Any, ...], list[Row]]:
    groups = defaultdict(list)
    for row in rows:
        groups[tuple(row[key] for key in keys)].append(row)
    return groups


def milder(row: Row) -> bool:
    return STEPS.index(row["penalty_applied"]) < STEPS.index(row["penalty_policy"])


def test_the_same_seller_is_the_same_in_every_dataset(world: World) -> None:
    for name in ("trader_penalties", "listing_reappearance", "moderation_statements"):
        strangers = f"SELECT count(*) FROM {name} WHERE trader_ref NOT IN (SELECT trader_ref FROM traders)"
        assert world.fetch(strangers) == [(0,)], name
    owners = """SELECT count(*) FROM trader_penalties AS p JOIN traders AS t USING (trader_ref)
        WHERE p.entity_ref <> t.entity_ref OR p.seller_status <> t.status OR p.trader_type <> t.trader_type"""
    assert world.fetch(owners) == [(0,)]
    listings = """SELECT count(*) > 0 FROM listing_reappearance AS r JOIN moderation_statements AS m
        ON m.listing_ref = r.listing_ref AND m.trader_ref = r.trader_ref"""
    assert world.fetch(listings) == [(True,)]


def test_a_closed_account_has_one_closure_and_nothing_after_it(world: World) -> None:
    for seller, rows in grouped(world.penalties, "seller_id").items():
        measures = [row["penalty_applied"] for row in sorted(rows, key=lambda row: row["offence_no"])]
        closed = rows[0]["seller_status"] == "CLOSED"
        assert measures.count("CLOSURE") == closed, seller
        assert not closed or measures[-1] == "CLOSURE", seller


def test_large_sellers_meet_milder_penalties(world: World) -> None:
    found = {(row["severity"], row["seller_size"]): row for row in world.find("penalties_by_rule_and_size")}
    groups = grouped([row for row in world.penalties if row["offence_no"] <= 3], "severity", "seller_size")
    assert set(found) == set(groups)
    for key, rows in groups.items():
        assert found[key]["decisions"] == len(rows)
        assert found[key]["milder_percent"] == share(sum(map(milder, rows)), len(rows))
    for severity in ("MINOR", "SERIOUS"):
        small, medium, large = (found[severity, size]["milder_percent"] for size in ("SMALL", "MEDIUM", "LARGE"))
        assert small < medium < large
        assert large == pytest.approx(100 * (1 - PLANTED.share_as_ruled["LARGE"]), abs=12)
        assert small == pytest.approx(100 * (1 - PLANTED.share_as_ruled["SMALL"]), abs=3)


def test_the_spread_of_penalties_is_the_entropy_of_the_measures(world: World) -> None:
    found = {(row["severity"], row["offence_no"]): row for row in world.find("penalty_consistency", at_least=1)}
    groups = grouped(world.penalties, "severity", "offence_no")
    assert set(found) == set(groups)
    for key, rows in groups.items():
        parts = [count / len(rows) for count in Counter(row["penalty_applied"] for row in rows).values()]
        assert found[key]["spread_bits"] == pytest.approx(-sum(p * math.log2(p) for p in parts), abs=0.006), key
        as_ruled = sum(row["penalty_applied"] == row["penalty_policy"] for row in rows)
        assert found[key]["as_prescribed_percent"] == share(as_ruled, len(rows))
    few = world.find("penalty_consistency", at_least=100)
    assert {(row["severity"], row["offence_no"]) for row in few} == {
        k for k, rows in groups.items() if len(rows) >= 100
    }


def test_sellers_over_the_limit_still_sell_the_more_the_larger_they_are(world: World) -> None:
    found = {row["seller_size"]: row for row in world.find("over_the_limit_and_active")}
    over = {}
    for (seller,), rows in grouped(world.penalties, "seller_id").items():
        if any(row["points_total"] >= 48 or row["strike_no"] >= 3 for row in rows):
            over[seller] = rows[0]
    for size, row in found.items():
        mine = [seller for seller in over.values() if seller["seller_size"] == size]
        active = sum(seller["seller_status"] == "ACTIVE" for seller in mine)
        assert (row["over_the_limit"], row["still_active"]) == (len(mine), active)
    small, medium, large = (found[size]["still_active_percent"] for size in ("SMALL", "MEDIUM", "LARGE"))
    assert small < medium < large
    assert small == pytest.approx(100 * (1 - PLANTED.share_closed_when_due["SMALL"]), abs=5)
    assert large == pytest.approx(100 * (1 - PLANTED.share_closed_when_due["LARGE"]), abs=25)


def test_a_limit_that_closes_more_sellers_finds_fewer_who_are_over_it(world: World) -> None:
    fewer = world.find("over_the_limit_and_active", points=1000, strikes=3)
    more = world.find("over_the_limit_and_active", points=12, strikes=3)
    assert sum(row["over_the_limit"] for row in fewer) < sum(row["over_the_limit"] for row in more)


def test_after_a_closure_there_is_no_breach_and_after_less_there_is(world: World) -> None:
    found = {row["measure_at_the_limit"]: row for row in world.find("breaches_after_the_limit")}
    counted: dict[str, list[int]] = defaultdict(list)
    for rows in grouped(world.penalties, "seller_id").values():
        due = sorted(row["offence_no"] for row in rows if row["penalty_policy"] == "CLOSURE")
        if due:
            first = next(row for row in rows if row["offence_no"] == due[0])
            counted[first["penalty_applied"]].append(sum(row["offence_no"] > due[0] for row in rows))
    assert set(found) == set(counted)
    for measure, more in counted.items():
        row = found[measure]
        assert (row["sellers"], row["more_breaches"]) == (len(more), sum(more))
        assert row["penalised_again"] == sum(count > 0 for count in more)
    assert found["CLOSURE"]["more_breaches"] == 0
    assert found["SUSPENSION"]["penalised_again_percent"] > 60


def test_automated_penalties_are_reversed_more_often(world: World) -> None:
    found = {(row["decided_by"], row["severity"]): row for row in world.find("penalties_reversed_by_decider")}
    for key, rows in grouped(world.penalties, "decided_by", "severity").items():
        lifted = sum(row["lifted_on_appeal"] for row in rows)
        assert (found[key]["decisions"], found[key]["lifted"]) == (len(rows), lifted)
    for severity in ("MINOR", "SERIOUS"):
        assert found["AUTOMATED", severity]["lifted_percent"] > found["HUMAN", severity]["lifted_percent"]


def test_sellers_who_were_not_verified_are_penalised_more(world: World) -> None:
    found = {row["verification_status"]: row for row in world.find("unverified_and_penalised")}
    penalised = Counter(row["seller_id"] for row in world.penalties)
    for (status,), rows in grouped(world.traders, "verification").items():
        numbers = [penalised[row["seller_id"]] for row in rows if row["seller_id"] in penalised]
        assert found[status]["sellers"] == len(rows)
        assert (found[status]["penalised_sellers"], found[status]["penalties"]) == (len(numbers), sum(numbers))
    verified = found.pop("VERIFIED")
    assert all(row["penalties_for_100_sellers"] > 1.5 * verified["penalties_for_100_sellers"] for row in found.values())


def test_traceability_counts_what_each_trader_owes(world: World) -> None:
    def is_complete(row: Row) -> bool:
        owed = ["has_contact", "has_identity", "has_payment", "has_certification"]
        return all(row[part] for part in owed + ([] if row["is_natural_person"] else ["has_register"]))

    found = {row["establishment_country"]: row for row in world.find("traceability_by_country")}
    chinese = [row for row in world.traders if row["country"] == "CN" and not row["is_natural_person"]]
    assert found["CN"]["traders"] == len(chinese)
    assert found["CN"]["complete_percent"] == share(sum(map(is_complete, chinese)), len(chinese))
    verified = sum(row["verification"] == "VERIFIED" for row in chinese)
    assert found["CN"]["verified_percent"] == share(verified, len(chinese))
    assert sum(row["traders"] for row in found.values()) == len(world.traders)
    assert all(row["verified_percent"] <= row["complete_percent"] for row in found.values())
    assert found["DE"]["with_responsible_person_percent"] == 100


def test_traders_of_the_affiliate_programme_give_less(world: World) -> None:
    found = {(row["part"][:3], row["affiliate_programme"]): row for row in world.find("parts_missing")}
    companies = [row for row in world.traders if row["is_affiliate"] and not row["is_natural_person"]]
    given = sum(row["has_register"] for row in companies)
    in_programme = found["(d)", "in the programme"]
    assert (in_programme["traders"], in_programme["given"]) == (len(companies), given)
    for part in ("(a)", "(b)", "(c)", "(d)", "(e)"):
        ratio = found[part, "in the programme"]["given_percent"] / found[part, "others"]["given_percent"]
        assert ratio == pytest.approx(PLANTED.affiliates_give_less, abs=0.05), part


def test_owners_of_closed_accounts_open_new_ones(world: World) -> None:
    closings: dict[str, list[Any]] = defaultdict(list)
    for row in world.traders:
        if row["closed_on"]:
            closings[row["entity_id"]].append(row["closed_on"])
    back = {
        row["seller_id"]
        for row in world.traders
        if any(closing < row["registered_on"] for closing in closings[row["entity_id"]])
    }
    assert back == {row["seller_id"] for row in world.traders if row["opened_after_closure"]}
    found = world.find("return_after_closure")
    recent = [row for row in world.traders if row["registered_on"].year >= 2025]
    assert sum(row["accounts"] for row in found) == len(recent)
    assert sum(row["returned"] or 0 for row in found) == len(back) > 50
    assert all(row["returned_percent"] is None or 1 < row["returned_percent"] < 30 for row in found)


def test_few_returns_are_noticed(world: World) -> None:
    found = {row["account"]: row for row in world.find("returns_noticed")}
    for account, is_back in (("owner of a closed account", True), ("others", False)):
        rows = [row for row in world.traders if row["opened_after_closure"] == is_back]
        marked = sum(row["reregistration_flag"] for row in rows)
        assert (found[account]["accounts"], found[account]["marked"]) == (len(rows), marked)
    noticed = found["owner of a closed account"]["marked_percent"]
    assert noticed == pytest.approx(100 * PLANTED.share_of_returns_noticed, abs=15)
    assert found["others"]["marked_percent"] < 3


def test_the_reappearance_rate_follows_listings_from_number_to_number(world: World) -> None:
    found = {row["product_category"]: row for row in world.find("reappearance_rate", before="2100-01-01")}
    back = {row["original_listing_id"]: row for row in world.removals if row["original_listing_id"]}
    assert len(back) == sum(row["days_since_removal"] is not None for row in world.removals)
    for (product,), rows in grouped(world.removals, "product_category").items():
        returned = [back[row["listing_id"]] for row in rows if row["listing_id"] in back]
        row = found[product]
        assert (row["removed_listings"], row["came_back"]) == (len(rows), len(returned))
        assert row["median_days"] == median(each["days_since_removal"] for each in returned)
        same = sum(each["same_entity"] for each in returned)
        assert row["same_owner_percent"] == share(same, len(returned))
    rate = 100 * sum(row["came_back"] for row in found.values()) / len(world.removals)
    assert 100 * PLANTED.share_listings_back["others"] * 0.75 < rate < 100 * PLANTED.share_listings_back["hidden_link"]
    some = world.find("reappearance_rate", before="2025-01-01")
    assert sum(row["removed_listings"] for row in some) < len(world.removals) / 3


def test_listings_with_hidden_links_come_back_more_often(world: World) -> None:
    found = world.find("returns_and_hidden_links")
    for listings, hidden in (("with a hidden link", True), ("without", False)):
        rows = [row for row in world.removals if row["hidden_link"] == hidden]
        returns = sum(row["original_listing_id"] is not None for row in rows)
        mine = [row for row in found if row["listings"] == listings]
        assert (sum(r["removed_listings"] for r in mine), sum(r["returns"] for r in mine)) == (len(rows), returns)
        planted = PLANTED.share_listings_back["hidden_link" if hidden else "others"]
        assert 0.7 * planted < returns / len(rows) < 1.1 * planted


def test_one_way_of_hiding_links_grows(world: World) -> None:
    links = PLANTED.hidden_links
    found = world.find("hidden_links_by_month")
    hidden = [row for row in world.removals if row["hidden_link"]]
    assert sum(row["hidden_links"] for row in found) == len(hidden)
    others = sum(row["detection_source"] not in BY_PLATFORM for row in hidden)
    counted = sum(row["hidden_links"] * row["found_by_others_percent"] / 100 for row in found)
    assert counted == pytest.approx(others, rel=0.01)
    assert others / len(hidden) == pytest.approx(0.65, abs=0.05)

    def growth(of_growing: bool) -> float:  # noqa: FBT001 - one flag, named where it is given
        before, after = (
            sum(row["hidden_links"] for row in found if (row["month"] >= links.since) == is_after
                and (row["hidden_link_vector"] == links.growing) == of_growing)
            for is_after in (False, True)
        )  # fmt: skip
        return (after / 13) / (before / 15)

    assert growth(of_growing=True) == pytest.approx(links.times, rel=0.3)
    assert growth(of_growing=False) == pytest.approx(1, rel=0.3)


def test_hidden_links_are_found_by_others_and_most_else_by_the_platform(world: World) -> None:
    found = {(row["listings"], row["detection_source"]): row for row in world.find("found_by_platform_or_others")}
    seen = [row for row in world.removals if row["detection_stage"] == "POST_LISTING"]
    for (hidden, source), rows in grouped(seen, "hidden_link", "detection_source").items():
        row = found["with a hidden link" if hidden else "without", source]
        assert row["listings_found"] == len(rows)
        assert row["found_by"] == ("the platform" if source in BY_PLATFORM else "others")
        planted = PLANTED.found_by["hidden_link" if hidden else "others"][source]
        assert row["share_percent"] == pytest.approx(planted, abs=5)
    assert len(found) == len(grouped(seen, "hidden_link", "detection_source"))


def test_promoters_on_messengers_lead_to_hidden_links(world: World) -> None:
    found = {row["affiliate_channel"]: row for row in world.find("affiliates_by_channel") if row["affiliate_channel"]}
    promoted = [row for row in world.removals if row["affiliate_id"]]
    for (channel,), rows in grouped(promoted, "affiliate_channel").items():
        assert found[channel]["promoters"] == len({row["affiliate_id"] for row in rows})
        hidden = sum(row["hidden_link"] for row in rows)
        assert (found[channel]["removed_listings"], found[channel]["hidden_links"]) == (len(rows), hidden)
    messenger = found.pop("MESSENGER")["hidden_link_percent"]
    assert all(messenger > 2 * row["hidden_link_percent"] for row in found.values())
    assert len({(row["affiliate_id"], row["affiliate_channel"]) for row in promoted}) == len(
        {row["affiliate_id"] for row in promoted}
    )


def test_products_for_health_and_minors_stay_up_longer(world: World) -> None:
    found = {row["product_category"]: row for row in world.find("health_and_minors")}
    seen = [row for row in world.removals if row["detection_stage"] == "POST_LISTING"]
    for (product,), rows in grouped(seen, "product_category").items():
        assert found[product]["listings"] == len(rows)
        ordered = sum(row["orders"] > 0 for row in rows)
        assert found[product]["ordered_percent"] == share(ordered, len(rows))
        alerts = sum(row["safety_gate_alert"] is not None for row in rows)
        assert found[product]["with_safety_gate_alert_percent"] == share(alerts, len(rows))
        assert found[product]["median_hours_live"] == pytest.approx(
            PLANTED.mean_hours_live[product] * math.log(2), rel=0.2, abs=1
        )
    slowest_of_others = max(row["median_hours_live"] for row in found.values() if row["product_group"] == "others")
    assert all(
        row["median_hours_live"] > slowest_of_others for row in found.values() if row["product_group"] != "others"
    )


def test_the_gravest_penalty_before_a_removal_is_told(world: World) -> None:
    found = {
        row["gravest_penalty_before"]: row for row in world.find("penalised_sellers_whose_listings_return", at_least=1)
    }
    penalties = grouped(world.penalties, "seller_id")
    same_owner = {row["original_listing_id"] for row in world.removals if row["same_entity"]}

    def monday(moment: Any) -> Any:
        day = getattr(moment, "date", lambda: moment)()
        return day.toordinal() - day.weekday()

    counted: dict[str, list[bool]] = defaultdict(list)
    for row in world.removals:
        before = [
            STEPS.index(penalty["penalty_applied"])
            for penalty in penalties.get((row["seller_id"],), ())
            if monday(penalty["decided_at"]) < monday(row["removed_at"])
        ]
        names = ("no measure", "warning", "restriction", "suspension", "closure")
        counted[names[max(before)] if before else "never penalised"].append(row["listing_id"] in same_owner)
    for penalty, back in counted.items():
        row = found[penalty]
        assert (row["removed_listings"], row["came_back_by_same_owner"]) == (len(back), sum(back)), penalty
    assert set(found) == set(counted)
