"""A withdrawn release is nowhere served: rows, figures, downloads, API, kept answers; its number and reason stay."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.api import CSV, ask, client_of
from support.portal import GOODS, SALES, VETTED, a_token, services_of, write_portal

from portal.catalogue.dataset import Dataset, Retention
from portal.desk import statements
from portal.desk.downloads import find_download, my_downloads
from portal.desk.ending import retire_releases, withdraw_release
from portal.desk.making import make_download
from portal.desk.publication import publish_release
from portal.desk.releases import kept_releases, public_releases
from portal.desk.services import Services
from portal.desk.statements import run_statement
from portal.desk.upkeep import begin
from portal.errors import NotFoundError, PolicyRefusal, UsageError
from portal.ids import DatasetName
from portal.ledger import Action
from portal.sql.plan import Statement

NAME, TRADERS = DatasetName("sales"), DatasetName("traders")
BECAUSE = "A column held what it should not."
FIGURES = "SELECT country, count(*) AS n FROM traders GROUP BY country"
WRONG = "id,seller,country,price,day\nx-1,raw-seller-1,DE,666.5,2026-01-01\n"


@pytest.fixture(name="services")
def _services(tmp_path: Path) -> Iterator[Services]:
    """Give the small portal with a second release of sales, which should never have been."""
    with services_of(write_portal(tmp_path)) as services:
        (tmp_path / "wrong.csv").write_text(WRONG)
        publish_release(services, NAME, [tmp_path / "wrong.csv"], synthetic=True)
        yield services


def prices(services: Services) -> list[object]:
    return run_statement(services, VETTED, Statement(SALES, {})).table()["price"].to_pylist()


def holding(folder: Path, content: bytes) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and content in path.read_bytes()]


def test_nothing_of_a_withdrawn_release_is_served_from_anywhere(services: Services) -> None:
    asked = Statement(SALES, {})
    answer = run_statement(services, VETTED, asked)
    assert answer.table()["price"].to_pylist() == [666.5]
    record = make_download(services, VETTED, asked, "csv")
    assert holding(services.downloads, b"666.5")

    withdraw_release(services, NAME, 2, BECAUSE)

    assert prices(services) == [10.5, 20.0, None], "the release before is the latest again"
    with pytest.raises(NotFoundError):
        answer.table()
    with pytest.raises(NotFoundError):
        find_download(services, VETTED, record.id)
    assert [status.state for status in my_downloads(services, VETTED)] == ["expired"]
    assert not holding(services.downloads, b"666.5")
    assert not list((services.releases.root / NAME / "000002").glob("*.parquet"))
    assert services.releases.numbers(NAME) == (1, 2)


def test_a_file_that_outlived_the_withdrawal_is_refused_with_the_reason(services: Services) -> None:
    record = make_download(services, VETTED, Statement(SALES, {}), "csv")
    path = Path(record.path)
    content = path.read_bytes()
    withdraw_release(services, NAME, 2, BECAUSE)
    path.write_bytes(content)
    with pytest.raises(PolicyRefusal, match="withdrawn: A column held") as caught:
        find_download(services, VETTED, record.id)
    assert caught.value.faults[0].code == "RELEASE_WITHDRAWN"
    begin(services)
    assert not path.exists(), "upkeep removes it"


def test_an_answer_that_was_being_made_is_kept_back(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    compute = statements._compute

    def withdrawn_meanwhile(*arguments: object) -> object:
        made = compute(*arguments)  # type: ignore[arg-type]
        withdraw_release(services, NAME, 2, BECAUSE)
        made[0].path.write_bytes(b"a file that a slower thread writes after the withdrawal")
        return made

    monkeypatch.setattr(statements, "_compute", withdrawn_meanwhile)
    with pytest.raises(PolicyRefusal, match="withdrawn"):
        prices(services)
    assert not list((services.spool.root / GOODS).glob("*.arrow"))


def test_figures_of_a_withdrawn_release_are_gone_with_their_cells_and_histories(services: Services) -> None:
    run_statement(services, VETTED, Statement(FIGURES, {}))
    home = services.releases.root.parent
    assert list(home.rglob("*traders-000001*"))
    withdraw_release(services, TRADERS, 1, BECAUSE)
    assert not list(home.rglob("*traders-000001*"))
    with pytest.raises(PolicyRefusal, match="No release"):
        run_statement(services, VETTED, Statement(FIGURES, {}))


def test_the_api_tells_the_tombstone_and_serves_nothing(services: Services) -> None:
    client = client_of(services)
    client.headers["Authorization"] = f"Bearer {a_token(services)}"
    assert "666.5" in ask(client, SALES, CSV).text
    withdraw_release(services, NAME, 2, BECAUSE)
    told = client.get("/datasets/sales").json()["releases"]
    rows = ask(client, SALES, CSV).text
    assert [release["number"] for release in told] == [1, 2]
    assert (told[1]["kind"], told[1]["because"]) == ("withdrawn", BECAUSE)
    assert "rows" not in told[1]
    assert "666.5" not in rows


def test_the_number_is_never_given_again_and_the_ledger_has_the_reason(services: Services, tmp_path: Path) -> None:
    withdraw_release(services, NAME, 2, BECAUSE)
    [entry] = services.ledger.search(action=Action.RELEASE_WITHDRAWN, limit=10)
    assert (entry.subject, entry.details["release"], entry.details["because"]) == (NAME, 2, BECAUSE)
    assert publish_release(services, NAME, [tmp_path / "wrong.csv"], synthetic=True).number == 3
    states = {release["release"]: release["state"] for release in kept_releases(services, NAME)}
    assert states == {1: "kept", 2: "withdrawn", 3: "latest"}


def test_an_interrupted_withdrawal_serves_nothing_and_is_finished_by_the_next(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = run_statement(services, VETTED, Statement(SALES, {}))

    def dies(_path: Path, *, missing_ok: bool = False) -> None:
        assert missing_ok
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", dies)
        with pytest.raises(KeyboardInterrupt):
            withdraw_release(services, NAME, 2, BECAUSE)
    assert services.releases.latest(NAME) == services.releases.get(NAME, 1)
    withdraw_release(services, NAME, 2, BECAUSE)
    begin(services)
    assert not list((services.releases.root / NAME / "000002").glob("*.parquet"))
    assert not answer.spool.exists()


@pytest.mark.parametrize(("number", "because"), [(2, " "), (2, "oops"), (9, BECAUSE)])
def test_a_withdrawal_needs_a_release_and_a_reason(services: Services, number: int, because: str) -> None:
    with pytest.raises((UsageError, NotFoundError)):
        withdraw_release(services, NAME, number, because)
    assert prices(services) == [666.5]


def keeping(services: Services, **rule: int) -> Dataset:
    return services.site.datasets[NAME].model_copy(update={"retention": Retention(**rule)})


@pytest.mark.parametrize(
    ("rule", "after_days", "served"),
    [
        ({"releases": 1}, 0, (4,)),
        ({"releases": 2}, 0, (3, 4)),
        ({"releases": 1, "days": 30}, 29, (1, 2, 3, 4)),
        ({"releases": 1, "days": 30}, 31, (4,)),
        ({"releases": 9}, 999, (1, 2, 3, 4)),
    ],
)
def test_releases_are_kept_and_retired_by_the_stated_rule(
    rule: dict[str, int], after_days: int, served: tuple[int, ...], tmp_path: Path
) -> None:
    moment = [datetime(2026, 6, 1, tzinfo=UTC)]
    with services_of(write_portal(tmp_path, lambda: moment[0]), lambda: moment[0]) as services:
        (tmp_path / "more.csv").write_text(WRONG)
        for _ in range(3):
            publish_release(services, NAME, [tmp_path / "more.csv"], synthetic=True)
        assert retire_releases(services) == (), "no rule is stated: all are kept"
        site = replace(services.site, datasets={**services.site.datasets, NAME: keeping(services, **rule)})
        moment[0] += timedelta(days=after_days, seconds=1)
        retired = retire_releases(replace(services, site=site))
        assert services.releases.served(NAME) == served
        assert len(retired) == 4 - len(served)
        assert len(services.ledger.search(action=Action.RELEASE_RETIRED, limit=10)) == len(retired)


def test_researchers_are_told_how_the_codebook_changed(services: Services) -> None:
    folder = services.releases.root / NAME / "000002" / "codebook.json"
    assert folder.exists()
    told = public_releases(services, VETTED, NAME)
    assert told[1]["codebook_changes"] == ()
    folder.chmod(0o644)
    folder.write_text(folder.read_text().replace('"Price."', '"Price with tax."'))
    changed = public_releases(services, VETTED, NAME)[1]["codebook_changes"]
    assert changed == ("columns.price.meaning changed from 'Price.' to 'Price with tax.'",)
