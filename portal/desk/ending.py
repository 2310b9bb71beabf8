"""The end of a release: withdrawn by a steward with a reason, or retired by the rule that its dataset states."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from portal.catalogue.release import Ending, Manifest
from portal.desk.access import decide_for
from portal.desk.answers import Asker
from portal.desk.services import Services
from portal.errors import ContentError, Fault, PolicyRefusal, SignInError, UsageError
from portal.ids import DatasetName, DownloadId
from portal.ledger import Action
from portal.policy.model import Access
from portal.registry import DownloadRecord, JobState

LEAST_REASON = 10
"""Characters of a reason that says something."""
_ACTIONS = {"withdrawn": Action.RELEASE_WITHDRAWN, "retired": Action.RELEASE_RETIRED}

ReleaseUse = tuple[DatasetName, int]


def withdraw_release(services: Services, name: DatasetName, number: int, because: str) -> Ending:
    """End a release for everyone at once: nothing of it is served after this, from wherever it might come.

    Gone are its files, the governed copies and cells made of it, every kept answer, and downloads; its number, its
    manifest and the reason stay. The release before it, if there is one, is the latest again. Done once more, it
    finishes what an interruption left. Raises `UsageError`, `NotFoundError`.
    """
    reason = because.strip()
    if len(reason) < LEAST_REASON:
        message = "A withdrawal needs a reason that researchers can read."
        raise UsageError(Fault("REASON_MISSING", message, rule=f"{LEAST_REASON} characters or more", fix="Give one."))
    ending = services.releases.ending(name, number)
    if ending is None or ending.kind != "withdrawn":
        ending = Ending(kind="withdrawn", at=services.clock(), because=reason)
        _end(services, services.releases.record(name, number), ending)
    _remove_derived(services, name, number)
    _remove_handed_out(services, name)
    return ending


def retire_releases(services: Services) -> tuple[ReleaseUse, ...]:
    """End the releases that their dataset's rule keeps no longer, and return them. The latest is never among them."""
    retired = []
    for name, manifest, because in _overdue(services):
        _end(services, manifest, Ending(kind="retired", at=services.clock(), because=because))
        _remove_derived(services, name, manifest.number)
        retired.append((name, manifest.number))
    return tuple(retired)


def sources_of(record: DownloadRecord | None) -> tuple[ReleaseUse, ...]:
    """Return the releases that a download was made of."""
    sources = record.receipt["sources"] if record else ()
    return tuple((DatasetName(use["dataset"]), int(use["release"])) for use in sources)


def withdrawn_sources(services: Services, sources: Iterable[ReleaseUse]) -> tuple[ReleaseUse, ...]:
    """Return which of these releases were withdrawn."""
    return tuple(
        (name, number)
        for name, number in sources
        if (ending := services.releases.ending(name, number)) and ending.kind == "withdrawn"
    )


def refuse_withdrawn(services: Services, sources: Iterable[ReleaseUse]) -> None:
    """Raise `PolicyRefusal` where any of these releases was withdrawn, be it since the question was asked."""
    if withdrawn := withdrawn_sources(services, sources):
        raise PolicyRefusal(
            *(
                Fault(
                    "RELEASE_WITHDRAWN",
                    f"Release {number} of {name} was withdrawn: {_because(services, name, number)}",
                    rule="nothing of a withdrawn release is handed out",
                    dataset=name,
                    fix="Ask again, of the release that is served now.",
                )
                for name, number in withdrawn
            )
        )


def remove_loose_downloads(services: Services) -> None:
    """Remove every file of a download that is neither kept nor being made, and forget what failed long ago.

    None is kept that was made of a release that is withdrawn, or of what is no longer open to its asker.
    """
    now = services.clock()
    services.queue.forget_failed(now - timedelta(days=services.result_days))
    for path in services.downloads.glob("*/*"):
        # Written as `<id>-<attempt>.<format>`, with a dot before while it is not whole.
        download = DownloadId(path.name.lstrip(".").partition("-")[0].partition(".")[0])
        # The job first: it leaves the queue only once there is a record.
        job, record = services.queue.job(download), services.registry.download(download)
        is_kept = record is not None and path.name.startswith(Path(record.path).name) and _may_be_kept(services, record)
        is_being_made = job is not None and job.state is JobState.RUNNING
        if not is_kept and not is_being_made:
            path.unlink(missing_ok=True)


def _may_be_kept(services: Services, record: DownloadRecord) -> bool:
    names = [name for name, _ in sources_of(record)]
    try:
        decisions = decide_for(services, Asker(record.person, record.project), names)
    except (SignInError, PolicyRefusal):  # the person, or their membership, is over
        return False
    is_open = all(name in decisions and decisions[name].access >= Access.AGGREGATES for name in names)
    is_withdrawn = bool(withdrawn_sources(services, sources_of(record)))
    return is_open and not is_withdrawn and services.clock() < record.expires_at


def _because(services: Services, name: DatasetName, number: int) -> str:
    ending = services.releases.ending(name, number)
    return ending.because if ending else ""


def _overdue(services: Services) -> Iterator[tuple[DatasetName, Manifest, str]]:
    for name, dataset in services.site.datasets.items():
        rule = dataset.retention
        if rule is None:
            continue
        oldest = services.clock() - timedelta(days=rule.days)
        for number in services.releases.served(name)[: -rule.releases]:
            with suppress(ContentError):  # what cannot be read is for the operator to mend, not to end
                manifest = services.releases.get(name, number)
                if manifest.created_at <= oldest:
                    yield name, manifest, f"The newest {rule.releases} are kept, and others for {rule.days} days."


def _end(services: Services, manifest: Manifest, ending: Ending) -> None:
    services.releases.end(manifest, ending)
    services.ledger.record(
        _ACTIONS[ending.kind],
        actor=None,
        subject=manifest.dataset,
        details={"release": manifest.number, "fingerprint": manifest.fingerprint, "because": ending.because},
    )


def _remove_derived(services: Services, name: DatasetName, number: int) -> None:
    services.bases.remove(name, number)
    services.histories.remove(name, number)


def _remove_handed_out(services: Services, name: DatasetName) -> None:
    """Remove governed copies and answers whole, whatever they were made of: the next question makes them anew."""
    for project, held in tuple(services.workspaces.held()):
        if held == name:
            services.workspaces.remove(project, name)
    services.spool.remove_all()
    remove_loose_downloads(services)
