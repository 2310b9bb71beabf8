"""Released cells for a statement: what stands in place of datasets that nobody sees row by row."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa

from portal.desk.copies import Wanted, protected_as
from portal.desk.preparing import Prepared
from portal.desk.release import Releasing, release_blocks
from portal.desk.services import Services
from portal.disclosure.declared import check_declared
from portal.engines.port import CancelSignal
from portal.errors import Cancelled, Fault
from portal.ids import DatasetName
from portal.policy.model import Access


@dataclass(frozen=True, slots=True)
class ReleasedCells:
    """The relations that may leave, by name; and how many cells were withheld, by reason: for the steward only.

    `shows_withheld` says whether a withheld figure is to be seen, told from what leaves alone: of a group that is left
    out, nobody may know whether it has few or none.
    """

    relations: Mapping[str, pa.Table]
    withheld: Mapping[str, int]
    shows_withheld: bool


NO_CELLS = ReleasedCells({}, {}, shows_withheld=False)


def release_cells(
    services: Services, prepared: Prepared, copies: Mapping[str, Sequence[Path]], cancel: CancelSignal | None = None
) -> ReleasedCells:
    """Release the blocks of a plan. `copies` are the governed copies of the tables that blocks may be joined with.

    Raises `Cancelled`, and what release raises.
    """
    if not prepared.plan.blocks:
        return NO_CELLS
    for block in prepared.plan.blocks:
        check_declared(block, prepared.protected, prepared.tables)
    reasons = Counter[str]()
    releasing = Releasing(
        prepared.workspace,
        services.trusted.heeding(partial(_heed, cancel)),
        services.histories,
        services.bases,
        {DatasetName(name): files for name, files in copies.items()},
        notice=lambda withheld: reasons.update(each.reason for each in withheld),
    )
    protected = {
        name: protected_as(
            services,
            Wanted(prepared.workspace, name, prepared.manifests[name], prepared.permits[name].obligations),
            prepared.histories[name],
        )
        for name in prepared.open_for(Access.AGGREGATES)
    }
    relations = release_blocks(prepared.plan.blocks, protected, releasing)
    figures = (relations[block.relation][each.name] for block in prepared.plan.blocks for each in block.aggregates)
    return ReleasedCells(relations, dict(reasons), any(figure.null_count for figure in figures))


def _heed(cancel: CancelSignal | None) -> None:
    if cancel and cancel.is_set():
        raise Cancelled(Fault("CANCELLED", "The statement was stopped, as was asked."))
