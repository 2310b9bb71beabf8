"""Real files, through definitions written here: the genuine statements as a daily dump, real ads, real reports."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
from support.archives import daily_dump, zipped
from support.content import REAL, the_site
from support.publishing import KEY, a_dataset, now, published

from portal.catalogue.dataset import Dataset
from portal.catalogue.release import Manifest
from portal.errors import ContentError
from portal.ids import DatasetName
from portal.publishing.publish import publish
from portal.publishing.releases import ReleaseStore

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="../shared/realdata is not there")

STATEMENTS = REAL / "dsa_tdb_sor_samples" / "sor_full_sample_12rows.csv"
SOME_REASON = "Public by law; the test states a reason as a steward would."


def genuine_rows() -> list[dict[str, str]]:
    with STATEMENTS.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def as_csv(rows: Sequence[Mapping[str, str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def is_v1(row: Mapping[str, str]) -> bool:
    return row["created_at"] < "2025-07-01"


def statements(folder: Path, *sources: Path) -> tuple[Manifest, list[dict[str, Any]]]:
    dataset = the_site().datasets[DatasetName("moderation_statements")]
    manifest = publish(dataset, sources, folder, KEY, now, synthetic=False)
    with duckdb.connect() as connection:
        files = [str(path) for path in ReleaseStore(folder).paths(manifest)]
        found = connection.execute(f"FROM read_parquet({files}) ORDER BY statement_id")
        names = [column[0] for column in found.description]
        return manifest, [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def test_daily_dumps_of_both_schemas_as_they_come_publish_the_twelve_genuine_statements(tmp_path: Path) -> None:
    rows = genuine_rows()
    old, new = [row for row in rows if is_v1(row)], [row for row in rows if not is_v1(row)]
    assert (len(rows[0]), len(old) + len(new)) == (38, 12)
    assert old
    assert new
    short = [{name: value for name, value in row.items() if name != "content_id_ean"} for row in old]
    dumps = (
        daily_dump(tmp_path, "2024-03-14", as_csv(short)),
        daily_dump(tmp_path, "2025-07-01", as_csv(new[:2]), as_csv(new[2:])),
    )
    manifest, made = statements(tmp_path / "a", *dumps)
    assert [source.shape for source in manifest.sources] == [
        "transparency_database_dump_v1",
        "transparency_database_dump",
        "transparency_database_dump",
    ]
    assert (manifest.rows, manifest.rejected_rows) == (12, 0)
    assert made == statements(tmp_path / "b", STATEMENTS)[1], "packed as a dump or as one file"
    assert {tuple(row["content_type"]) for row in made} >= {("CONTENT_TYPE_PRODUCT",)}
    shown = "".join(map(str, made))
    for row in rows:
        assert not any(row[name] in shown for name in ("uuid", "platform_uid", "decision_facts"))


def test_a_genuine_statement_twice_and_a_dump_with_a_wrong_value_are_stopped(tmp_path: Path) -> None:
    rows = genuine_rows()
    spoilt = [*rows, rows[3], {**rows[5], "uuid": "another", "category": "STATEMENT_CATEGORY_MADE_UP"}]
    with pytest.raises(ContentError) as caught:
        statements(tmp_path / "a", daily_dump(tmp_path, "2025-07-02", as_csv(spoilt)))
    name = "sor-global-2025-07-02-full"
    dump = f"{name}.zip/{name}-00000.csv.zip/{name}-00000-00000.csv"
    assert sorted(fault.message.partition("; ")[2] for fault in caught.value.faults) == [
        f"column category: a value outside the codebook (first: a text in row 14 of {dump!r}).",
        f"column statement_id: a row whose identifier was there before (first: an identifier in row 13 of {dump!r}).",
    ]


def definition(columns: Mapping[str, Any], recipe: Mapping[str, Any], drop: Sequence[str] = ()) -> Dataset:
    shapes = {"as_it_comes": {"drop": list(drop)}}
    described = {name: {"meaning": name, **column} for name, column in columns.items()}
    return a_dataset(columns=described, recipe={"shapes": shapes, **recipe}, layout={})


def columns_of(path: Path) -> dict[str, str]:
    with duckdb.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(f"DESCRIBE FROM '{path}'").fetchall()}


def totals(folder: Path, manifest: Manifest, *columns: str) -> tuple[Any, ...]:
    files = [str(path) for path in ReleaseStore(folder).paths(manifest)]
    with duckdb.connect() as connection:
        sums = ", ".join(f"sum({column})" for column in columns)
        return tuple(connection.execute(f"SELECT count(*), {sums} FROM read_parquet({files})").fetchall()[0])


def counted(path: Path, *columns: str) -> tuple[Any, ...]:
    with duckdb.connect() as connection:
        sums = ", ".join(f"sum({column})" for column in columns)
        return tuple(connection.execute(f"SELECT count(*), {sums} FROM '{path}'").fetchall()[0])


def test_the_political_ads_of_snap_are_published_with_what_they_target_and_exclude(tmp_path: Path) -> None:
    path = REAL / "ads_snap" / "snap_political_ads_2019_2020.parquet"
    texts = ["adid", "currency_code", "paying_advertiser_name", "country_code", "age_bracket", "gender"]
    kept = {
        **{name: {"type": "VARCHAR"} for name in texts},
        "spend": {"type": "BIGINT"},
        "impressions": {"type": "BIGINT"},
        "start_date": {"type": "DATE"},
        "regions": {"type": "VARCHAR"},
        "excludes_regions": {"type": "BOOLEAN"},
    }
    recipe = {
        "columns": {
            "adid": {"pseudonymise": True},
            "start_date": {"derive": "replace(start_date, 'Z', '')", "truncate": "month"},
            "regions": {"from": "regions_included", "redact": True, "rare": {"below": 5}},
            "excludes_regions": {"derive": "regions_excluded IS NOT NULL"},
        }
    }
    used = {*kept, "regions_included", "regions_excluded"}
    drop = [name for name in columns_of(path) if name not in used]
    kept["regions"]["admits"] = {"free_text": SOME_REASON}
    dataset = definition(kept, recipe, drop)
    manifest = publish(dataset, [path], tmp_path, KEY, now, synthetic=False)
    assert totals(tmp_path, manifest, "spend", "impressions") == counted(path, "spend", "impressions")
    plain = definition({**kept, "regions": {"type": "VARCHAR"}}, recipe, drop)
    with pytest.raises(ContentError, match="column regions: a value that holds free text"):
        publish(plain, [path], tmp_path, KEY, now, synthetic=False)


def test_the_ad_library_reports_of_meta_are_published_whole(tmp_path: Path) -> None:
    path = REAL / "ads_meta" / "meta_adlibrary_reports_2025-07.parquet"
    kept: dict[str, Any] = {
        "page_id": {"type": "VARCHAR"},
        "disclaimer": {"type": "VARCHAR", "admits": dict.fromkeys(("free_text", "email", "phone"), SOME_REASON)},
        "amount_spent": {"type": "BIGINT"},
        "spend_band": {"type": "VARCHAR"},
        "ads_in_library": {"type": "INTEGER"},
        "currency": {"type": "VARCHAR"},
        "report_date": {"type": "DATE"},
        "country": {
            "type": "VARCHAR",
            "values": {"HU": "Hungary", "BE": "Belgium", "CH": "Switzerland", "AR": "Argentina"},
        },
        "region": {"type": "VARCHAR"},
        "spend_le_100": {"type": "BOOLEAN"},
    }
    recipe = {"columns": {"spend_band": {"from": "amount_spent", "band": [100, 1_000, 10_000]}}}
    manifest = publish(definition(kept, recipe, ["page_name"]), [path], tmp_path, KEY, now, synthetic=False)
    sums = ("amount_spent", "ads_in_library")
    assert totals(tmp_path, manifest, *sums) == counted(path, *sums)


def test_the_political_ads_bundle_of_google_is_published_from_its_zip(tmp_path: Path) -> None:
    path = REAL / "ads_google" / "google-political-ads-advertiser-weekly-spend.csv"
    bundle = tmp_path / "google-political-ads-transparency-bundle.zip"
    bundle.write_bytes(zipped({path.name: path.read_bytes()}))
    kept = {
        "advertiser": {"type": "VARCHAR"},
        "cycle": {"type": "VARCHAR", "values": {"US-Federal-2018": "United States, 2018"}},
        "week": {"type": "DATE"},
        "spend_usd": {"type": "BIGINT"},
    }
    recipe = {
        "columns": {
            "advertiser": {"from": "Advertiser_ID", "pseudonymise": True},
            "cycle": {"from": "Election_Cycle"},
            "week": {"from": "Week_Start_Date"},
            "spend_usd": {"from": "Spend_USD"},
        }
    }
    manifest = publish(
        definition(kept, recipe, ["Advertiser_Name"]), [bundle], tmp_path / "r", KEY, now, synthetic=False
    )
    assert totals(tmp_path / "r", manifest, "spend_usd") == counted(path, "Spend_USD")


REPORTS = REAL / "dsa_transparency_reports_h2_2025"


@pytest.mark.parametrize("path", sorted(REPORTS.glob("*.parquet")), ids=lambda path: path.stem)
def test_each_table_of_the_transparency_reports_is_published_as_it_comes(path: Path, tmp_path: Path) -> None:
    types = columns_of(path)
    reason = dict.fromkeys(("free_text", "email", "phone"), SOME_REASON)
    text: dict[str, Any] = {"type": "VARCHAR", "admits": reason}
    dataset = definition({name: {"type": kind} if kind != "VARCHAR" else text for name, kind in types.items()}, {})
    manifest = publish(dataset, [path], tmp_path, KEY, now, synthetic=False)
    numbers = [name for name, kind in types.items() if kind in {"BIGINT", "DOUBLE"}]
    assert manifest.rejected_rows == 0
    if numbers:
        assert totals(tmp_path, manifest, *numbers) == pytest.approx(counted(path, *numbers))
    else:
        assert manifest.rows == counted(path, "1")[0]


def test_the_free_text_of_the_reports_stops_a_release_that_gives_no_reason(tmp_path: Path) -> None:
    path = REPORTS / "t11_qualitative.parquet"
    dataset = definition({name: {"type": "VARCHAR"} for name in columns_of(path)}, {})
    with pytest.raises(ContentError, match="column value_text: a value that holds"):
        published(tmp_path, path, dataset=dataset)
