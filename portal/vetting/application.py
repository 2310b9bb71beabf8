"""An application for access, and everything that is said in it."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from portal.content import Content
from portal.ids import ApplicationId, DatasetName, PersonId, ProjectId
from portal.storage import storable

LONGEST_TEXT = 20_000
"""Characters of one text that people write."""

Text = Annotated[str, AfterValidator(storable), StringConstraints(min_length=1, max_length=LONGEST_TEXT)]
Line = Annotated[str, AfterValidator(storable), StringConstraints(min_length=1, max_length=200, pattern=r"^[^\r\n]+$")]
Name = Annotated[PersonId, AfterValidator(storable), StringConstraints(min_length=1, max_length=200)]
Dataset = Annotated[DatasetName, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
MemberState = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


class Way(StrEnum):
    """By which paragraph of Art. 40 the researchers come."""

    VETTED = "40(4)"
    PUBLIC_DATA = "40(12)"


class State(StrEnum):
    """Where an application stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    QUESTIONED = "questioned"
    AMENDING = "amending"
    APPROVED = "approved"
    ACTIVE = "active"
    RENEWING = "renewing"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"
    REVOKED = "revoked"


class Condition(StrEnum):
    """A condition of Art. 40(8), by its letter."""

    AFFILIATION = "a"
    INDEPENDENCE = "b"
    FUNDING = "c"
    SECURITY = "d"
    NECESSITY = "e"
    PURPOSE = "f"
    PUBLICATION = "g"


CONDITIONS: Mapping[Condition, str] = MappingProxyType(
    {
        Condition.AFFILIATION: "affiliated to a research organisation (Art. 2, point (1), of Directive (EU) 2019/790)",
        Condition.INDEPENDENCE: "independent from commercial interests",
        Condition.FUNDING: "the funding of the research is disclosed",
        Condition.SECURITY: "able to keep the data secure and confidential, and to protect personal data",
        Condition.NECESSITY: "access and its time frame are necessary and proportionate, and results will contribute",
        Condition.PURPOSE: "the research is on systemic risks in the Union, or on their mitigation",
        Condition.PUBLICATION: "the results are made public free of charge",
    }
)
ASKED: Mapping[Way, tuple[Condition, ...]] = MappingProxyType(
    {
        Way.VETTED: (),  # the Coordinator has found them all; its reasoned request says so
        Way.PUBLIC_DATA: (Condition.INDEPENDENCE, Condition.FUNDING, Condition.SECURITY, Condition.NECESSITY),
    }
)
"""The conditions that the provider itself looks at, one by one."""


class Draft(Content):
    """What is applied for. Both days are included."""

    title: Line
    summary: Text
    datasets: tuple[Dataset, ...] = Field(min_length=1, max_length=100)
    starts: date
    ends: date
    members: tuple[Name, ...] = Field(min_length=1, max_length=100)
    member_states: tuple[MemberState, ...] = Field((), max_length=27)
    conditions: Mapping[Condition, Text] = Field({}, description="What the researchers say of each condition.")

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.ends < self.starts:
            raise ValueError("it ends before it starts")
        return self


class ReasonedRequest(Draft):
    """A reasoned request of a Digital Services Coordinator (Art. 10 of the Delegated Regulation)."""

    id: Line
    received: date
    modalities: tuple[Line, ...] = Field((), max_length=50)

    @property
    def draft(self) -> Draft:
        """What the request asks for."""
        return Draft(**{name: getattr(self, name) for name in Draft.model_fields})


class Finding(Content):
    """What a reviewer found of one condition."""

    condition: Condition
    met: bool
    words: Text
    by: PersonId
    at: datetime


class Signature(Content):
    """One click of one person on one version of an undertaking."""

    undertaking: str
    version: int
    by: PersonId
    at: datetime


class Ground(StrEnum):
    """Why a provider may ask for an amendment: there are two grounds and no third (Art. 40(5))."""

    NO_ACCESS = "lack-of-access"
    VULNERABILITY = "significant-vulnerability"


class Amendment(Content):
    """A request to amend a reasoned request, with alternatives. `accepted` by the Coordinator, or not; None: open."""

    ground: Ground
    words: Text
    alternatives: tuple[Text, ...] = Field(min_length=1, max_length=50)
    asked_at: datetime
    accepted: bool | None = None


class Application(Content):
    """One application. `version` counts its steps, `since` is the day on which it came to its state."""

    id: ApplicationId
    way: Way
    state: State
    version: int
    since: date
    applicant: PersonId
    draft: Draft
    reference: str | None = Field(None, description="The reasoned request's id.")
    received: date | None = Field(None, description="The day of its receipt, or of the word on its amendment.")
    modalities: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    signatures: tuple[Signature, ...] = ()
    amendments: tuple[Amendment, ...] = ()
    renewal: date | None = Field(None, description="The last day that a renewal asks for.")
    project: ProjectId | None = None

    @property
    def people(self) -> frozenset[PersonId]:
        """Those whose application it is."""
        return frozenset({self.applicant, *self.draft.members})

    def finding(self, condition: Condition) -> Finding | None:
        """Return the last finding of a condition."""
        return next((each for each in reversed(self.findings) if each.condition is condition), None)

    def has_signed(self, person: PersonId, undertaking: str, version: int) -> bool:
        """Whether the person has clicked this version of the undertaking."""
        return any(
            (each.by, each.undertaking, each.version) == (person, undertaking, version) for each in self.signatures
        )
