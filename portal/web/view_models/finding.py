"""Search over codebooks: names, meanings and value labels."""

from collections.abc import Iterator
from dataclasses import dataclass

from portal.catalogue.dataset import Dataset


@dataclass(frozen=True, slots=True)
class Place:
    """A column in which a word stands, or one value of it with its label."""

    column: str
    value: str | None = None
    label: str = ""


def matches(dataset: Dataset, words: str) -> bool:
    """Whether every word stands somewhere in the codebook, in any letter case."""
    text = "\n".join(_texts(dataset)).casefold()
    return all(word in text for word in words.casefold().split())


def places(dataset: Dataset, words: str) -> tuple[Place, ...]:
    """Return the columns and values in which one of the words stands, those where most do first."""
    wanted = words.casefold().split()
    found = [(sum(word in text.casefold() for word in wanted), place) for place, text in _columns(dataset)]
    return tuple(place for hits, place in sorted(found, key=lambda one: -one[0]) if hits)


def _texts(dataset: Dataset) -> Iterator[str]:
    yield from (dataset.name, dataset.title, dataset.description, dataset.grain, dataset.topic)
    yield from (text for _, text in _columns(dataset))


def _columns(dataset: Dataset) -> Iterator[tuple[Place, str]]:
    for name, column in dataset.columns.items():
        yield Place(name), f"{name}\n{column.meaning}"
        for value, label in (column.values or {}).items():
            yield Place(name, value, label), f"{value}\n{label}"
