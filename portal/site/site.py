"""The whole content of a portal, at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass

from portal.catalogue.dataset import Dataset
from portal.ids import DatasetName, QueryName
from portal.policy.model import Policy
from portal.site.commitments import Commitments
from portal.site.queries import SavedQuery


@dataclass(frozen=True, slots=True)
class Site:
    """Datasets, their policies, the library of saved queries and, where there is one, a decision to hold data against.

    A dataset without a policy lets nobody in.
    """

    datasets: Mapping[DatasetName, Dataset]
    policies: Mapping[DatasetName, Policy]
    queries: Mapping[QueryName, SavedQuery]
    commitments: Commitments | None = None
