"""Search over codebooks: names, meanings and value labels."""

from collections.abc import Iterator

from portal.catalogue.dataset import Dataset


def matches(dataset: Dataset, words: str) -> bool:
    """Whether every word stands somewhere in the codebook, in any letter case."""
    text = "\n".join(_texts(dataset)).casefold()
    return all(word in text for word in words.casefold().split())


def _texts(dataset: Dataset) -> Iterator[str]:
    yield from (dataset.name, dataset.title, dataset.description, dataset.grain, dataset.topic)
    for name, column in dataset.columns.items():
        yield from (name, column.meaning)
        for value, label in (column.values or {}).items():
            yield from (value, label)
