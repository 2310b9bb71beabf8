"""Reads `datasets/`, `access_policies/` and `queries/`; collects faults and goes on."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import get_args

from portal.catalogue.dataset import IDENTIFIER, Dataset
from portal.ids import DatasetName, QueryName
from portal.policy.model import Policy
from portal.site.commitments import Commitments
from portal.site.queries import CLOSING, OPENING, FrontMatter, SavedQuery, Topic
from portal.site.site import Site
from portal.site.yaml_files import Positions, SiteFault, read_model


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read: the sound part of the site, every fault, and where things stand for faults found later."""

    site: Site
    faults: tuple[SiteFault, ...]
    datasets: dict[DatasetName, Positions] = field(default_factory=dict)
    policies: dict[DatasetName, Positions] = field(default_factory=dict)
    queries: dict[QueryName, Positions] = field(default_factory=dict)
    commitments: Positions | None = None


def read_site(folder: Path) -> Reading:
    """Read the three content folders; a missing folder is an empty one, and a decision need not be there."""
    faults: list[SiteFault] = []
    datasets: dict[DatasetName, tuple[Dataset, Positions]] = {}
    policies: dict[DatasetName, tuple[Policy, Positions]] = {}
    queries: dict[QueryName, tuple[SavedQuery, Positions]] = {}
    for file, text in _files(folder, "datasets/*/dataset.yaml", faults):
        dataset, positions, found = read_model(text, file, Dataset)
        faults += found
        if dataset is not None:
            faults += _misnamed(dataset.dataset, file.parent.name, "folder", positions)
            datasets[DatasetName(file.parent.name)] = (dataset, positions)
    for file, text in _files(folder, "access_policies/*.yaml", faults):
        policy, positions, found = read_model(text, file, Policy)
        faults += found
        if policy is not None:
            faults += _misnamed(policy.dataset, file.stem, "file", positions)
            policies[DatasetName(file.stem)] = (policy, positions)
    for file, text in _files(folder, "queries/*/*.sql", faults):
        query, positions, found = _read_query(text, file)
        faults += found
        if query is not None:
            queries[query.name] = (query, positions)
    commitments, places = _read_commitments(folder, faults)
    site = Site(
        datasets=MappingProxyType({name: dataset for name, (dataset, _) in datasets.items()}),
        policies=MappingProxyType({name: policy for name, (policy, _) in policies.items()}),
        queries=MappingProxyType({name: query for name, (query, _) in queries.items()}),
        commitments=commitments,
    )
    return Reading(
        site,
        tuple(faults),
        {name: positions for name, (_, positions) in datasets.items()},
        {name: positions for name, (_, positions) in policies.items()},
        {name: positions for name, (_, positions) in queries.items()},
        places,
    )


def _read_commitments(folder: Path, faults: list[SiteFault]) -> tuple[Commitments | None, Positions | None]:
    for file, text in _files(folder, "queries/commitments.yaml", faults):
        commitments, positions, found = read_model(text, file, Commitments)
        faults += found
        return commitments, positions
    return None, None


def _files(folder: Path, pattern: str, faults: list[SiteFault]) -> Iterator[tuple[PurePosixPath, str]]:
    for path in sorted(folder.glob(pattern)):
        file = PurePosixPath(path.relative_to(folder))
        try:
            yield file, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            faults.append(SiteFault(str(file), 1, "this file is not UTF-8 text"))


def _misnamed(name: str, expected: str, what: str, positions: Positions) -> list[SiteFault]:
    message = f"dataset: {name!r} does not match the name of its {what}, {expected!r}"
    return [] if name == expected else [positions.fault(message, ("dataset",))]


def _read_query(text: str, file: PurePosixPath) -> tuple[SavedQuery | None, Positions, tuple[SiteFault, ...]]:
    nowhere = Positions(str(file), None)
    if not text.startswith(OPENING) or CLOSING not in text:
        return None, nowhere, (nowhere.fault(f"the file must begin with front matter between {OPENING} and {CLOSING}"),)
    if file.parent.name not in get_args(Topic):
        return None, nowhere, (nowhere.fault(f"{file.parent.name!r} is not one of the topics: {get_args(Topic)}"),)
    if not re.fullmatch(IDENTIFIER, file.stem):
        return None, nowhere, (nowhere.fault("the file's name must be lower-case snake case"),)
    head, sql = text.removeprefix(OPENING).split(CLOSING, 1)
    front, positions, faults = read_model(head, file, FrontMatter)
    if front is None:
        return None, positions, faults
    first_line = text[: text.index(CLOSING)].count("\n") + 1
    leading = len(sql) - len(sql.lstrip())
    first_line += sql[:leading].count("\n")
    query = SavedQuery(topic=file.parent.name, slug=file.stem, front=front, sql=sql.strip(), first_line=first_line)
    return query, positions, ()
