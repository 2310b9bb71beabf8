"""The tabs of the SQL page: several statements side by side, one of them in hand."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count

MOST_TABS = 12


@dataclass(frozen=True, slots=True)
class Tab:
    """One statement under a name."""

    id: int
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Tabs:
    """All tabs, at least one, and which is in hand.

    `revision` rises whenever the page itself sets the text that is shown, so that what was typed before is not taken
    for what is typed now.
    """

    all: tuple[Tab, ...]
    in_hand: int
    revision: int = 0

    @property
    def current(self) -> Tab:
        """The tab in hand."""
        return next(tab for tab in self.all if tab.id == self.in_hand)

    @property
    def is_full(self) -> bool:
        """Whether there are as many tabs as one keeps an overview of."""
        return len(self.all) >= MOST_TABS

    def typed(self, text: str) -> "Tabs":
        """Return the tabs with what was typed into the one in hand."""
        return self if text == self.current.text else self._changed(replace(self.current, text=text))

    def written(self, text: str) -> "Tabs":
        """Return the tabs with a text that the page puts into the one in hand."""
        return _shown(self.typed(text))

    def named(self, name: str) -> "Tabs":
        """Return the tabs with another name for the one in hand; an empty one changes nothing."""
        others = [each.name for each in self.all if each.id != self.in_hand]
        return self._changed(replace(self.current, name=_free(name.strip(), others))) if name.strip() else self

    def turned_to(self, tab: int) -> "Tabs":
        """Return the tabs with another one in hand; one that is gone changes nothing."""
        is_there = any(each.id == tab for each in self.all)
        return _shown(replace(self, in_hand=tab)) if is_there and tab != self.in_hand else self

    def opened(self, text: str = "", name: str = "") -> "Tabs":
        """Return the tabs with a new one in hand. Where no more fit, the text goes into the one in hand."""
        if self.is_full:
            return self.written(text).named(name)
        tab = max(each.id for each in self.all) + 1
        name = _free(name or f"Query {tab}", [each.name for each in self.all])
        return _shown(replace(self, all=(*self.all, Tab(tab, name, text)), in_hand=tab))

    def closed(self) -> "Tabs":
        """Return the tabs without the one in hand; the last one stays, emptied."""
        left = tuple(each for each in self.all if each.id != self.in_hand)
        return _shown(replace(self, all=left, in_hand=left[-1].id)) if left else self.written("")

    def _changed(self, tab: Tab) -> "Tabs":
        return replace(self, all=tuple(tab if each.id == tab.id else each for each in self.all))


def first_tab(text: str, revision: int = 0) -> Tabs:
    """Return what the page begins with."""
    return Tabs((Tab(1, "Query 1", text),), 1, revision)


def _free(name: str, taken: Sequence[str]) -> str:
    """Return a name that no other tab has: a person, and the widget of the tabs, tell them apart by it."""
    return next(each for number in count(1) if (each := name if number == 1 else f"{name} ({number})") not in taken)


def _shown(tabs: Tabs) -> Tabs:
    return replace(tabs, revision=tabs.revision + 1)
