"""An answer once more: what a receipt is of, as long as it is kept and would be given again as it was."""

from portal.desk.activity import my_receipt
from portal.desk.answers import Answer, Asker, Receipt
from portal.desk.preparing import errata_of, prepare
from portal.desk.services import Services
from portal.desk.standing import changed_since
from portal.errors import Fault, NotFoundError, PolicyRefusal
from portal.ids import ReceiptId
from portal.sql.plan import Statement


def kept_answer(services: Services, asker: Asker, identifier: ReceiptId) -> Answer:
    """Return the answer of one of the asker's own receipts in this project; it was charged when it was first given.

    Access is decided anew. Raises `NotFoundError` where the answer is not kept, `PolicyRefusal` where it has changed.
    """
    receipt = Receipt.from_record(my_receipt(services, asker, identifier))
    if receipt.project != asker.project:
        raise NotFoundError(Fault("NO_SUCH_RECEIPT", "You have no such receipt in this project."))
    if changed := changed_since(services, asker, receipt.sources, receipt.at):
        message = f"What may be seen of {', '.join(sorted(changed))} has changed since this answer was given."
        raise PolicyRefusal(Fault("ANSWER_OUTDATED", message, rule="access", fix="Ask again."))
    prepared = prepare(services, asker, Statement(receipt.statement, receipt.parameters))
    found = services.spool.find(prepared.workspace, receipt.fingerprint)
    if found is None or not receipt.complete or found.rows != receipt.rows:
        message = "This answer is not kept: it was cut by a limit, is never twice the same, or is past its days."
        raise NotFoundError(Fault("ANSWER_NOT_KEPT", message, rule="result_days", fix="Ask the statement again."))
    return Answer(receipt, errata_of(services, prepared), found.path, prepared.limits)
