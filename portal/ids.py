"""Identifiers, so that one kind cannot be handed where another is meant."""

from typing import NewType

DatasetName = NewType("DatasetName", str)
PersonId = NewType("PersonId", str)
ProjectId = NewType("ProjectId", str)
ReceiptId = NewType("ReceiptId", str)
ApplicationId = NewType("ApplicationId", str)
DownloadId = NewType("DownloadId", str)
QueryName = NewType("QueryName", str)
"""A saved query's `topic/name`."""
OwnQueryId = NewType("OwnQueryId", str)
Fingerprint = NewType("Fingerprint", str)
"""Lower-case hexadecimal SHA-256 over canonical JSON of what it identifies."""
