"""What is described, and the facts of it that every form needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from portal.catalogue.dataset import Dataset

SYNTHETIC = "(synthetic data)"
"""Stands after the title and in the citation of what is made up."""
ACCESS_TERMS = (
    "Access under Article 40 of Regulation (EU) 2022/2065 (Digital Services Act): to vetted or registered researchers, "
    "as the dataset's access policy allows."
)


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence that has a name of its own (SPDX) and an address."""

    name: str
    url: str


_LICENCES: Mapping[str, Licence] = MappingProxyType(
    {
        "CC BY 4.0": Licence("CC-BY-4.0", "https://creativecommons.org/licenses/by/4.0/"),
        "CC-BY-4.0": Licence("CC-BY-4.0", "https://creativecommons.org/licenses/by/4.0/"),
        "CC BY-SA 4.0": Licence("CC-BY-SA-4.0", "https://creativecommons.org/licenses/by-sa/4.0/"),
        "CC0-1.0": Licence("CC0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
        "CC0 1.0": Licence("CC0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
        "Apache-2.0": Licence("Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0"),
        "AGPL-3.0": Licence("AGPL-3.0-only", "https://www.gnu.org/licenses/agpl-3.0.html"),
        "MIT": Licence("MIT", "https://opensource.org/license/mit"),
    }
)
"""Licences as stewards write them."""


@dataclass(frozen=True, slots=True)
class Described:
    """A dataset in its latest release (None where nothing is published), and the address of the portal that has it."""

    dataset: Dataset
    release: int | None
    released_at: datetime | None
    synthetic: bool
    address: str

    @property
    def title(self) -> str:
        """The title, with the label of what is made up."""
        return f"{self.dataset.title} {SYNTHETIC}" if self.synthetic else self.dataset.title

    @property
    def description(self) -> str:
        """What the dataset holds and what a row is, in one text."""
        return f"{self.dataset.description.strip()} {self.dataset.grain.strip()}"

    @property
    def page(self) -> str:
        """The address of the dataset's page."""
        return f"{self.address}/dataset?name={self.dataset.name}"

    @property
    def api(self) -> str:
        """The address of the dataset in the API."""
        return f"{self.address}/api/v1/datasets/{self.dataset.name}"

    @property
    def released_on(self) -> date | None:
        """The day of the release."""
        return self.released_at.date() if self.released_at else None

    @property
    def citation(self) -> str:
        """How the dataset is cited, without a question of one's own."""
        return f"{cited(self.dataset, self.release, synthetic=self.synthetic)}."

    @property
    def licences(self) -> tuple[Licence, ...]:
        """The licences that the steward's words name; none where they name none that is known."""
        words = self.dataset.provenance.licence
        return tuple(dict.fromkeys(licence for name, licence in _LICENCES.items() if name in words))

    @property
    def doi(self) -> str | None:
        """The DOI as an address."""
        return f"https://doi.org/{self.dataset.provenance.doi}" if self.dataset.provenance.doi else None


def cited(dataset: Dataset, release: int | None, *, synthetic: bool) -> str:
    """Return the steward's citation with the release and the label of what is made up; no full stop ends it."""
    version = f". Release {release}" if release else ""
    return f"{dataset.citation.rstrip('. ')}{version}{f' {SYNTHETIC}' if synthetic else ''}"


def given(values: dict[str, Any]) -> dict[str, Any]:
    """Leave out what has no value."""
    return {name: value for name, value in values.items() if value not in (None, [], {}, "")}
