"""The risk report of a release: in words for whoever may know of the dataset, whole for its stewards."""

from portal.desk.access import catalogue_entry, identify
from portal.desk.answers import Asker
from portal.desk.services import Services
from portal.errors import Fault, NotFoundError, PolicyRefusal
from portal.ids import DatasetName
from portal.policy.model import Tier
from portal.publishing.releases import release_folder
from portal.publishing.risk.assess import read_report
from portal.publishing.risk.report import RiskReport


def report_of(services: Services, name: DatasetName, number: int | None = None) -> RiskReport:
    """Return the report of a release, of the latest where none is named, for who operates the portal.

    Raises `NotFoundError` where there is no such release or it has no report, `ContentError` where it is damaged.
    """
    if number is None:
        number = max(services.releases.numbers(name), default=0)
    manifest = services.releases.get(name, number)
    return read_report(release_folder(services.releases.root, name, number), manifest)


def risk_in_words(services: Services, asker: Asker, name: DatasetName) -> tuple[str, ...]:
    """Return what the latest release's report says without naming a class; nothing where there is no report."""
    catalogue_entry(services, asker, name)
    try:
        return report_of(services, name).in_words()
    except NotFoundError:
        return ()


def risk_in_full(services: Services, asker: Asker, name: DatasetName) -> RiskReport:
    """Return the latest release's report, which names classes. Raises `PolicyRefusal` to all but stewards."""
    if identify(services, asker.person).tier is not Tier.STEWARD:
        raise PolicyRefusal(
            Fault(
                "STEWARDS_ONLY", "The whole risk report is for stewards.", fix="Read its summary on the dataset's page."
            )
        )
    catalogue_entry(services, asker, name)
    return report_of(services, name)
