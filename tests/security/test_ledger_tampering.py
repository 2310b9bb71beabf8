"""Whoever can write the database file, but holds neither the key nor a checkpoint, cannot do so unseen."""

import io
import json
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path

import psycopg
import pytest
from support.records import KEY, NOW, Raw, ledger_in, raw

from portal.errors import ContentError, EngineFailure
from portal.ids import PersonId, ProjectId, ReceiptId
from portal.ledger import Action, Checkpoint, Head, Ledger, faults_of_export
from portal.ledger.checkpoints import make_checkpoint
from portal.ledger.entries import GENESIS, chain, from_row, to_row

pytestmark = pytest.mark.usefixtures("each_database")
COLUMNS = ("sequence", "at", "actor", "project", "action", "subject", "rows", "details", "previous", "hash")
ENTRIES = 24
Tampering = Callable[[Raw, random.Random], object]


def fill(ledger: Ledger, count: int = ENTRIES) -> None:
    for number in range(count):
        ledger.record(
            list(Action)[number % len(Action)],
            actor=PersonId(f"person{number % 3}") if number % 4 else None,
            project=ProjectId(f"p{number % 2}") if number % 5 else None,
            subject=f"subject{number}",
            rows=number * 7,
            details={"number": number, "statement": f"SELECT {number}"},
        )


def some(connection: Raw, chance: random.Random) -> int:
    return int(chance.choice([number for (number,) in connection.execute("SELECT sequence FROM ledger_entries")]))


def edit_a_field(connection: Raw, chance: random.Random) -> None:
    column, number = chance.choice(COLUMNS), some(connection, chance)
    (old,) = connection.execute(f"SELECT {column} FROM ledger_entries WHERE sequence = ?", [number]).fetchone()
    if isinstance(old, int):
        new: object = old + chance.choice([-1, 1]) * chance.randint(1, 9) + 100 * (column == "sequence")
    elif old is None:
        new = chance.choice(["", "null", "person1"])
    else:
        place = chance.randrange(len(old)) if old else 0
        new = chance.choice([old[:place] + old[place + 1 :], old[:place] + " " + old[place:], old + "\0", old.upper()])
        new = old + "x" if new == old else new
    connection.execute(f"UPDATE ledger_entries SET {column} = ? WHERE sequence = ?", [new, number])


def spoil_a_field(connection: Raw, chance: random.Random) -> None:
    junk = chance.choice(
        ["[" * 100_000, "[1]", '{"a": "\\ud800"}', "0001-01-01T00:00:00+23:00", b"\xff", b"{}", 2.5, ""]
    )
    column = chance.choice([name for name in COLUMNS if name != "sequence"])
    connection.execute(f"UPDATE ledger_entries SET {column} = ? WHERE sequence = ?", [junk, some(connection, chance)])


def spoil_the_encoding(connection: Raw, chance: random.Random) -> None:
    column = chance.choice(["subject", "details", "at", "hash"])
    change = f"UPDATE ledger_entries SET {column} = CAST(x'fffe41' AS TEXT) WHERE sequence = ?"
    connection.execute(change, [some(connection, chance)])


def respell_the_details(connection: Raw, chance: random.Random) -> None:
    number = some(connection, chance)
    (old,) = connection.execute("SELECT details FROM ledger_entries WHERE sequence = ?", [number]).fetchone()
    same_value = json.dumps(json.loads(old), indent=1)
    connection.execute("UPDATE ledger_entries SET details = ? WHERE sequence = ?", [same_value, number])


def delete_some(connection: Raw, chance: random.Random) -> None:
    for _ in range(chance.randint(1, 3)):
        connection.execute("DELETE FROM ledger_entries WHERE sequence = ?", [some(connection, chance)])


def delete_and_renumber(connection: Raw, chance: random.Random) -> None:
    number = chance.randint(1, ENTRIES - 1)
    connection.execute("DELETE FROM ledger_entries WHERE sequence = ?", [number])
    for later in range(number + 1, ENTRIES + 1):
        connection.execute("UPDATE ledger_entries SET sequence = ? WHERE sequence = ?", [later - 1, later])


def swap_two(connection: Raw, chance: random.Random) -> None:
    first, second = chance.sample(range(1, ENTRIES + 1), 2)
    for old, new in ((first, -1), (second, first), (-1, second)):
        connection.execute("UPDATE ledger_entries SET sequence = ? WHERE sequence = ?", [new, old])


def copy_one(connection: Raw, chance: random.Random) -> None:
    others = ", ".join(COLUMNS[1:])
    connection.execute(
        f"INSERT INTO ledger_entries (sequence, {others}) SELECT ?, {others} FROM ledger_entries WHERE sequence = ?",
        [chance.choice([0, -3, ENTRIES + 1, ENTRIES + 5]), some(connection, chance)],
    )


def cut_the_end(connection: Raw, chance: random.Random) -> None:
    connection.execute("DELETE FROM ledger_entries WHERE sequence > ?", [chance.randrange(ENTRIES)])


def cut_the_end_and_move_the_head(connection: Raw, chance: random.Random) -> None:
    cut_the_end(connection, chance)
    last = connection.execute("SELECT sequence, hash FROM ledger_entries ORDER BY sequence DESC LIMIT 1").fetchone()
    connection.execute("UPDATE ledger_head SET sequence = ?, hash = ?", last or [0, GENESIS])


def edit_and_chain_anew(connection: Raw, chance: random.Random) -> None:
    """Do what the portal does, but for the key: every later hash is right again."""
    rows = connection.execute(f"SELECT {', '.join(COLUMNS)} FROM ledger_entries ORDER BY sequence").fetchall()
    kept = [from_row(dict(zip(COLUMNS, row, strict=True))) for row in rows]
    doomed = chance.randrange(len(kept))
    head: Head | None = None
    connection.execute("DELETE FROM ledger_entries")
    for entry in kept[:doomed] + kept[doomed + 1 :]:
        again = chain(entry, entry.at, head)
        row = to_row(again)
        connection.execute(
            f"INSERT INTO ledger_entries ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})",
            [row[column] for column in COLUMNS],
        )
        head = Head(again.sequence, again.hash)
    assert head is not None
    connection.execute("UPDATE ledger_head SET sequence = ?, hash = ?", [head.sequence, head.hash])


def touch_the_head(connection: Raw, chance: random.Random) -> None:
    changes = ("sequence = sequence - 1", "hash = upper(hash)", "signature = ''", "sequence = 'x'", "signature = x'ff'")
    connection.execute(f"UPDATE ledger_head SET {chance.choice(changes)}")


def remove_the_head(connection: Raw, chance: random.Random) -> None:
    if chance.random() < 0.5:
        connection.execute("DELETE FROM ledger_entries")
    connection.execute("DELETE FROM ledger_head")


TAMPERINGS: tuple[Tampering, ...] = (
    edit_a_field,
    spoil_a_field,
    spoil_the_encoding,
    respell_the_details,
    delete_some,
    delete_and_renumber,
    swap_two,
    copy_one,
    cut_the_end,
    cut_the_end_and_move_the_head,
    edit_and_chain_anew,
    touch_the_head,
    remove_the_head,
)


def test_a_thousand_random_tamperings_are_all_found(tmp_path: Path, each_database: str) -> None:
    with ledger_in(tmp_path) as ledger, raw(tmp_path) as connection:
        fill(ledger)
        kept = ledger.checkpoint()
        assert ledger.verify(kept) == ()
        if each_database == "sqlite":
            connection.execute("PRAGMA synchronous = OFF")
        for name in ("entries", "head"):
            connection.execute(f"CREATE TABLE kept_{name} AS SELECT * FROM ledger_{name}")
        made = Counter[str]()
        for seed in count():
            chance = random.Random(seed)
            tamper = TAMPERINGS[seed % len(TAMPERINGS)]
            with suppress(psycopg.Error):  # PostgreSQL keeps to its types, and refuses some of them by itself
                tamper(connection, chance)
                assert ledger.verify(), f"{tamper.__name__} with seed {seed} went unseen"
                made[tamper.__name__] += 1
            for name in ("entries", "head"):
                connection.execute(f"DELETE FROM ledger_{name}")
                connection.execute(f"INSERT INTO ledger_{name} SELECT * FROM kept_{name}")
            if made.total() == 1_000:
                break
        assert len(made) >= len(TAMPERINGS) - (each_database != "sqlite")
        assert ledger.verify(kept) == ()


def test_the_fault_names_the_entry_and_its_kind(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger, raw(tmp_path) as connection:
        fill(ledger)
        connection.execute("UPDATE ledger_entries SET rows = 0 WHERE sequence = 7")
        connection.execute("DELETE FROM ledger_entries WHERE sequence = 12")
        connection.execute("DELETE FROM ledger_entries WHERE sequence > 20")
        assert [(fault.code, fault.sequence) for fault in ledger.verify()] == [
            ("CHANGED", 7),
            ("GAP", 13),
            ("TRUNCATED", None),
        ]


def test_a_database_put_back_to_an_earlier_state_is_found_by_the_checkpoint(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger, raw(tmp_path) as connection:
        fill(ledger)
        old_head = connection.execute("SELECT sequence, hash, signature FROM ledger_head").fetchone()
        ledger.record(Action.DOWNLOAD_MADE, actor=PersonId("mallory"))
        kept = ledger.checkpoint()
        assert kept is not None
        connection.execute("DELETE FROM ledger_entries WHERE sequence > ?", [old_head[0]])
        connection.execute("UPDATE ledger_head SET sequence = ?, hash = ?, signature = ?", old_head)
        assert ledger.verify() == ()
        again = Checkpoint.from_json(kept.to_json())
        assert [fault.code for fault in ledger.verify(again)] == ["CHECKPOINT"]


def test_a_checkpoint_still_holds_when_the_ledger_has_gone_on(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger:
        assert ledger.checkpoint() is None
        fill(ledger)
        kept = ledger.checkpoint()
        fill(ledger)
        assert ledger.verify(kept) == ()


def test_a_forged_checkpoint_is_told_from_a_true_one(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger:
        fill(ledger)
        kept = ledger.checkpoint()
        assert kept is not None
        moved = replace(kept, at="2020-01-01T00:00:00.000000+00:00")
        other = make_checkpoint(Head(kept.sequence, kept.hash), NOW, b"another key")
        for false in (moved, other, replace(kept, signature=""), replace(kept, signature="é" * 64)):
            assert [fault.code for fault in ledger.verify(false)] == ["CHECKPOINT"]
        assert Ledger(ledger.engine, b"another key").verify() != ()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sequence": "x", "hash": "", "signature": ""}', "\ud800"])
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(ContentError):
        Checkpoint.from_json(text)


@pytest.mark.parametrize(
    "change",
    ["UPDATE ledger_head SET sequence = 3", "UPDATE ledger_head SET signature = ''", "DELETE FROM ledger_head"],
)
def test_nothing_is_recorded_on_a_head_that_was_moved(tmp_path: Path, change: str) -> None:
    with ledger_in(tmp_path) as ledger, raw(tmp_path) as connection:
        fill(ledger)
        connection.execute(change)
        with pytest.raises(EngineFailure):
            ledger.record(Action.SIGNED_IN, actor=None)
        assert connection.execute("SELECT count(*) FROM ledger_entries").fetchone() == (ENTRIES,)


def test_going_on_after_a_cut_does_not_hide_it(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger, raw(tmp_path) as connection:
        fill(ledger)
        connection.execute("DELETE FROM ledger_entries WHERE sequence > 20")
        assert ledger.record(Action.SIGNED_IN, actor=None).sequence == ENTRIES + 1
        assert [(fault.code, fault.sequence) for fault in ledger.verify()] == [("GAP", ENTRIES + 1)]


def test_a_spoilt_receipt_is_never_handed_out(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger, raw(tmp_path) as connection:
        ledger.record(Action.STATEMENT_RAN, actor=None, subject="r1", details={"statement": "SELECT 1"})
        connection.execute('UPDATE ledger_entries SET details = \'{"statement":"SELECT 2"}\'')
        with pytest.raises(EngineFailure):
            ledger.find_receipt(ReceiptId("r1"))


def test_a_chain_that_who_has_the_key_wrote_anew_is_found_by_the_checkpoint(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger, raw(tmp_path) as connection:
        fill(ledger)
        kept = ledger.checkpoint()
        edit_and_chain_anew(connection, random.Random(1))
        number, last = connection.execute("SELECT sequence, hash FROM ledger_head").fetchone()
        connection.execute("UPDATE ledger_head SET signature = ?", [Head(number, last).signed(KEY).signature])
        assert ledger.verify() == ()
        assert [fault.code for fault in ledger.verify(kept)] == ["CHECKPOINT"]


def exported(ledger: Ledger) -> list[str]:
    stream = io.StringIO()
    ledger.export(stream)
    return stream.getvalue().splitlines()


def change_a_line(lines: list[str], chance: random.Random) -> list[str]:
    """Change, cut, repeat or reorder lines of an export, its proof among them."""
    place, other = chance.sample(range(len(lines)), 2)
    line = lines[place]
    at = chance.randrange(len(line))
    swapped = {place: lines[other], other: line}
    return chance.choice(
        [
            lines[:place] + lines[place + 1 :],
            [*lines[:place], line, *lines[place:]],
            [swapped.get(number, each) for number, each in enumerate(lines)],
            [*lines[:place], line[:at] + chance.choice('0a "}') + line[at + 1 :], *lines[place + 1 :]],
            [*lines[:place], line[:at] + line[at + 1 :], *lines[place + 1 :]],
        ]
    )


def test_a_thousand_random_edits_of_an_export_are_all_found_by_who_has_the_public_key_only(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger:
        fill(ledger)
        lines, key = exported(ledger), ledger.public_key
    assert list(faults_of_export(lines, None, key)) == []
    for seed in range(1_000):
        edited = change_a_line(lines, random.Random(seed))
        assert edited == lines or list(faults_of_export(edited, None, key)), f"seed {seed} went unseen"
    assert [fault.code for fault in faults_of_export([], None, key)] == ["PROOF"]
    assert list(faults_of_export(lines, None, "00" * 32))


def test_an_export_of_a_ledger_that_was_cut_and_signed_again_is_found_by_an_older_checkpoint(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger:
        fill(ledger)
        kept, lines = ledger.checkpoint(), exported(ledger)
        last = json.loads(lines[-3])
        proof = make_checkpoint(Head(last["sequence"], last["hash"]), NOW, KEY).to_json()
        assert list(faults_of_export([*lines[:-2], proof], None, ledger.public_key)) == []
        faults = faults_of_export([*lines[:-2], proof], kept, ledger.public_key)
        assert [fault.code for fault in faults] == ["CHECKPOINT"]


def test_the_key_signs_what_stands_in_the_head(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger:
        entry = ledger.record(Action.SIGNED_IN, actor=None)
        kept = ledger.checkpoint()
        assert kept is not None
        assert (kept.sequence, kept.hash) == (entry.sequence, entry.hash)
        assert kept.is_signed_by(ledger.public_key)
