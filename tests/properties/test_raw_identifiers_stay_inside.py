import tempfile
from pathlib import Path

import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st
from support.publishing import a_dataset, a_row, published, write_csv

# Long enough that it cannot stand in a file by chance.
IDENTIFIERS = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0\r\n"), min_size=8, max_size=40)
SHAPE = {"as_published": {"drop": ["mail"]}}
COLUMNS = {"trader": {"from": "seller_id", "pseudonymise": True}}


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(IDENTIFIERS, IDENTIFIERS), min_size=1, max_size=20))
def test_no_byte_of_a_release_holds_a_pseudonymised_or_dropped_value(rows: list[tuple[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = write_csv(
            folder / "a.csv",
            [{**a_row(place, seller_id=seller), "mail": mail} for place, (seller, mail) in enumerate(rows)],
        )
        published(folder / "releases", source, dataset=a_dataset(recipe={"shapes": SHAPE, "columns": COLUMNS}))
        files = [path for path in (folder / "releases").rglob("*") if path.is_file()]
        content = b"".join(path.read_bytes() for path in files)
        for place, path in enumerate(file for file in files if file.suffix == ".parquet"):
            open_text = folder / f"{place}.bin"
            pq.write_table(pq.read_table(path), open_text, compression="none", use_dictionary=False)
            content += open_text.read_bytes()
    assert len(files) > 2
    for raw in {value for row in rows for value in row}:
        assert raw.encode() not in content
