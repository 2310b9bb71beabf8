"""Files that rot: what is read is what was written, or it is said that it cannot be read. Never anything else."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from support.faulty import CELLS, ROWS, World, asker, services_over
from support.harmed import copy_of

from portal.desk.answers import Answer
from portal.desk.services import Services
from portal.desk.statements import run_statement
from portal.errors import ContentError, EngineFailure, NotFoundError
from portal.sql.plan import Statement

DE, FR = asker("DE"), asker("FR")
Rot = Callable[[Path], object]


@pytest.fixture
def mine(world: World, tmp_path: Path) -> World:
    return copy_of(world, tmp_path / "home")


@pytest.fixture
def services(mine: World) -> Iterator[Services]:
    with services_over(mine.settings) as opened:
        yield opened


def ask(services: Services, name: str = "rows", salt: int = 1) -> Answer:
    return run_statement(services, DE, Statement(ROWS[name], {"least": 40, "salt": salt}))


def ask_cells(services: Services, name: str = "in all") -> Answer:
    return run_statement(services, DE, Statement(CELLS[name]))


def cut(path: Path) -> None:
    """Replace a file by one that ends early."""
    _replace(path, path.read_bytes()[: path.stat().st_size * 3 // 4])


def turn(path: Path) -> None:
    """Replace a file by one in the middle of which a bit is turned."""
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    _replace(path, bytes(data))


def _replace(path: Path, data: bytes) -> None:
    path.unlink()
    path.write_bytes(data)


def only(paths: Iterator[Path]) -> Path:
    [path] = paths
    return path


@pytest.mark.parametrize("rot", [cut, turn])
def test_a_release_that_rots_is_not_served_and_the_others_are(mine: World, services: Services, rot: Rot) -> None:
    for name in ("sales", "ads"):
        rot(only((mine.home / "releases" / name).glob("*/*.parquet")))
    with pytest.raises(ContentError, match="changed"):
        ask(services)
    with pytest.raises(ContentError, match="changed"):
        ask_cells(services)
    assert ask(services, "holidays").table().to_pylist() == mine.rows["DE", "holidays", 40]


def test_a_manifest_that_rots_closes_its_dataset_and_no_other(mine: World, services: Services) -> None:
    cut(only((mine.home / "releases" / "sales").glob("*/manifest.json")))
    with pytest.raises(ContentError, match="manifest"):
        ask(services)
    assert ask(services, "holidays").table().to_pylist() == mine.rows["DE", "holidays", 40]


def test_a_governed_copy_that_is_cut_short_is_not_served(mine: World, services: Services) -> None:
    assert ask(services).table().to_pylist() == mine.rows["DE", "rows", 40]
    cut(only((mine.home / "workspaces/de/sales").glob("*.parquet")))
    with pytest.raises(EngineFailure, match="no longer as it was made"):
        ask(services, salt=2)
    assert ask(services, salt=2).table().to_pylist() == mine.rows["DE", "rows", 40]


def test_a_governed_copy_that_is_not_what_was_made_is_not_served(mine: World, services: Services) -> None:
    ask(services)
    path = only((mine.home / "workspaces/de/sales").glob("*.parquet"))
    table = pq.read_table(path)
    pq.write_table(table.set_column(table.schema.get_field_index("price"), "price", pc.add(table["price"], 1)), path)
    with pytest.raises(EngineFailure, match="no longer as it was made"):
        ask(services, salt=2)
    assert ask(services, salt=2).table().to_pylist() == mine.rows["DE", "rows", 40]


def test_what_is_known_of_a_governed_copy_is_found_out_again(mine: World, services: Services) -> None:
    ask(services)
    for text in ("", "[]", '{"files": 1}', '{"files'):
        (mine.home / "workspaces/de/sales/current.json").write_text(text)
        assert ask(services, salt=2).table().to_pylist() == mine.rows["DE", "rows", 40]


@pytest.mark.parametrize("rot", [cut, turn, Path.unlink])
def test_a_kept_answer_that_rots_is_made_again(mine: World, services: Services, rot: Rot) -> None:
    rot(ask(services).spool)
    assert ask(services).table().to_pylist() == mine.rows["DE", "rows", 40]


@pytest.mark.parametrize("rot", [cut, Path.unlink])
def test_an_answer_that_is_gone_when_it_is_fetched_is_said_to_be_gone(services: Services, rot: Rot) -> None:
    answer = ask(services)
    rot(answer.spool)
    for fetch in (answer.table, lambda: answer.schema, lambda: answer.head(1)):
        with pytest.raises(NotFoundError, match="not kept"):
            fetch()


@pytest.mark.parametrize("rot", [cut, turn])
def test_a_history_that_rots_closes_its_release_for_its_project_and_stays(
    mine: World, services: Services, rot: Rot
) -> None:
    ask_cells(services)
    path = mine.home / "history/de/ads-000001/history"
    rot(path)
    damaged = path.read_bytes()
    with pytest.raises(EngineFailure, match="cannot be read"):
        ask_cells(services, "by placement")
    assert path.read_bytes() == damaged
    answer = run_statement(services, FR, Statement(CELLS["by placement"]))
    assert answer.table().to_pylist() == mine.cells["by placement"]


@pytest.mark.parametrize("rot", [cut, turn])
def test_base_cells_that_rot_are_made_again_or_said_to_be_unreadable(mine: World, services: Services, rot: Rot) -> None:
    ask_cells(services)
    for path in [path for path in mine.home.glob("base_cells/*/*/*") if path.is_file()]:
        whole = path.read_bytes()
        rot(path)
        try:
            assert ask_cells(services, "by placement").table().to_pylist() == mine.cells["by placement"]
        except EngineFailure:
            assert ask_cells(services, "by placement").table().to_pylist() == mine.cells["by placement"], "made again"
        for kept in (mine.home / "results/de").glob("*.json"):
            kept.unlink()
        if path.exists():
            _replace(path, whole)
