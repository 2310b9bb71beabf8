"""Who sees what of a release's risk: everyone its summary, stewards the classes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.pages import open_page, text_of
from support.portal import GOODS, OSCAR, RITA, VERA, services_of, write_portal

from portal import wiring
from portal.desk.answers import Asker
from portal.desk.publication import publish_release
from portal.desk.risk import risk_in_full, risk_in_words
from portal.desk.services import Services
from portal.errors import NotFoundError, PolicyRefusal
from portal.ids import DatasetName, PersonId
from portal.policy.model import Tier
from portal.policy.people import Person
from portal.registry import Audit

SALES, STELLA = DatasetName("sales"), PersonId("stella")
_STEWARDS = """\
  - for: {tier: steward}
    access: codebook
    because: Stewards keep the codebook and see no rows.
"""


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """Give the small portal with a quasi-identifier in `sales`, published anew, and a steward."""
    settings = write_portal(tmp_path)
    dataset = settings.site / "datasets" / "sales" / "dataset.yaml"
    dataset.write_text(dataset.read_text().replace("Member State.", "Member State., role: quasi_identifier"))
    with (settings.site / "access_policies" / "sales.yaml").open("a") as policy:
        policy.write(_STEWARDS)
    with services_of(settings) as found:
        found.registry.add_person(Person(STELLA, "Stella", Tier.STEWARD), audit=Audit(None, found.clock()))
        publish_release(found, SALES, [tmp_path / "sources" / "sales.csv"], synthetic=True)
        monkeypatch.setattr(wiring, "services_of_this_process", lambda: found)
        yield found


@pytest.mark.usefixtures("services")
def test_a_researcher_reads_the_summary_and_meets_no_class() -> None:
    page = open_page("dataset", VERA, GOODS, name="sales")
    text = text_of(page)
    assert "Each of their combinations is shared by at least 1" in text
    assert "50% are alone" in text
    assert not any(word in text for word in ("A…", "Atlantis", "Whole risk report"))


def test_a_steward_may_take_the_whole_report(services: Services) -> None:
    assert "Whole risk report" in text_of(open_page("dataset", STELLA, None, name="sales"))
    report = risk_in_full(services, Asker(STELLA, None), SALES)
    assert {one.values["country"] for one in report.smallest} == {"A… (length 8)", "D… (length 2)", "F… (length 2)"}


def test_the_whole_report_is_refused_to_researchers_and_closed_datasets_tell_nothing(services: Services) -> None:
    for person, project in ((VERA, GOODS), (RITA, None), (OSCAR, None)):
        with pytest.raises(PolicyRefusal):
            risk_in_full(services, Asker(person, project), SALES)
    for name in ("sales", "nothing"):
        with pytest.raises(NotFoundError):
            risk_in_words(services, Asker(RITA, None), DatasetName(name))
