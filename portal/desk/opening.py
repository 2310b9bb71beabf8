"""What an application's steps bring about: a project with its grants, longer ones, or their end; and what must be told.

Within the transaction of the step: `services.registry` is part of it.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from types import MappingProxyType

from portal.desk.granting import faults_of_grant, standing_grants
from portal.desk.services import Services
from portal.errors import Fault, UsageError
from portal.ids import DatasetName, ProjectId
from portal.policy.model import Tier
from portal.policy.people import Grant, Narrowing, Project
from portal.registry import Audit
from portal.vetting.application import Application, Way
from portal.vetting.notices import Event, draft_notice
from portal.vetting.steps import Opening, Step
from portal.vetting.table import Act
from portal.vetting.undertakings import UNDERTAKINGS

_TIERS: Mapping[Way, frozenset[Tier]] = MappingProxyType(
    {Way.VETTED: frozenset({Tier.VETTED}), Way.PUBLIC_DATA: frozenset({Tier.REGISTERED, Tier.VETTED})}
)
_NO_NARROWING = Narrowing()


def open_access(services: Services, _: Application, application: Application, step: Step) -> None:
    """Open the project with a grant for each dataset. Raises `UsageError`, with every condition that does not hold."""
    assert isinstance(step.content, Opening), "`take` let it pass"
    draft, project = application.draft, step.content.project
    grants = [
        Grant(name, project, draft.starts, draft.ends, step.content.narrowings.get(name, _NO_NARROWING))
        for name in draft.datasets
    ]
    if faults := tuple(_faults(services, application, step.content, grants)):
        raise UsageError(*faults)
    audit = Audit(step.by, step.at)
    services.registry.add_project(
        Project(
            id=project,
            title=draft.title,
            purpose=draft.summary,
            starts=draft.starts,
            ends=draft.ends,
            members=frozenset(draft.members),
            member_states=draft.member_states,
            undertakings=frozenset(undertaking.key for undertaking in UNDERTAKINGS),
            reasoned_request=application.reference,
        ),
        audit=audit,
    )
    for grant in grants:
        services.registry.give_grant(grant, audit=audit)
    _tell(services, application, Event.GIVEN, "", audit)


def extend_access(services: Services, before: Application, application: Application, step: Step) -> None:
    """Have project and grants last as long as a renewal that was granted says, each as narrow as it was."""
    project, ends = application.project, application.draft.ends
    if project is None or ends == before.draft.ends:
        return
    audit = Audit(step.by, step.at)
    services.registry.set_last_day(project, ends, audit=audit)
    for grant in _last_grants(services, project):
        services.registry.give_grant(Grant(grant.dataset, project, grant.starts, ends, grant.narrowing), audit=audit)
    _tell(services, application, Event.GIVEN, "", audit)


def end_access(services: Services, _: Application, application: Application, step: Step) -> None:
    """End grants, tokens and project at once, whatever their days are. The ledger stays."""
    project, audit = application.project, Audit(step.by, step.at)
    assert project is not None, "only an access that was opened ends"
    for dataset in sorted(standing_grants(services.registry, project)):
        services.registry.revoke_grant(dataset, project, audit=audit)
    for token in services.registry.tokens_for(project):
        if token.revoked_at is None:
            services.registry.revoke_token(token.id, audit=audit)
    yesterday = step.at.date() - timedelta(days=1)
    services.registry.set_last_day(project, min(yesterday, application.draft.ends), audit=audit)
    _tell(services, application, Event.ENDED, step.words or "its last day is over.", audit)


Consequence = Callable[[Services, Application, Application, Step], None]

CONSEQUENCES: Mapping[Act, Consequence] = MappingProxyType(
    {
        Act.ACTIVATE: open_access,
        Act.APPROVE: extend_access,
        Act.END: end_access,
        Act.REVOKE: end_access,
        Act.EXPIRE: end_access,
    }
)


def _faults(services: Services, application: Application, opening: Opening, grants: list[Grant]) -> Iterator[Fault]:
    draft, tiers = application.draft, _TIERS[application.way]
    for member in sorted(draft.members):
        person = services.registry.person(member)
        if person is None or not person.active or person.tier not in tiers:
            wanted = " or ".join(sorted(tiers))
            message = f"{member} is not admitted as {wanted}."
            yield Fault("MEMBER_NOT_ADMITTED", message, rule="vetting", fix="Admit them with `portal people`.")
    for grant in grants:
        dataset = services.site.datasets.get(grant.dataset)
        if dataset is None or grant.dataset not in services.site.policies:
            message = f"There is no dataset {grant.dataset} with a policy."
            yield Fault("NO_SUCH_DATASET", message, rule="vetting", fix="Publish it, or have the request amended.")
        else:
            yield from faults_of_grant(grant, dataset)
    for name in sorted(set(opening.narrowings) - set(draft.datasets)):
        message = f"The application does not ask for {name}, so nothing of it can be taken away."
        yield Fault("NOT_ASKED_FOR", message, rule="vetting", fix="Name datasets of the application.")


def _last_grants(services: Services, project: ProjectId) -> tuple[Grant, ...]:
    """Return the grant that was given last for each dataset that the project holds one for."""
    last: dict[DatasetName, Grant] = {}
    for grant in services.registry.grants_of(project):
        if grant.revoked_at is None:
            last[grant.dataset] = grant
    return tuple(last.values())


def _tell(services: Services, application: Application, event: Event, words: str, audit: Audit) -> None:
    """Draft what the Coordinator must be told, where it made the request."""
    if application.way is Way.VETTED:
        notice = draft_notice(application, event, words, audit.at, services.calendar)
        services.registry.applications.add_notice(notice, audit=audit)
