"""Short-lived signed links, so that a browser can fetch a download that a page offers. The policy decides on use."""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta

from portal.desk.answers import Asker
from portal.desk.services import Services
from portal.errors import Fault, SignInError
from portal.fingerprints import canonical_json
from portal.ids import DownloadId, PersonId, ProjectId

LIFETIME = timedelta(minutes=10)


def sign_link(services: Services, asker: Asker, download: DownloadId) -> str:
    """Return a token that lets its holder fetch this one download as this asker for a few minutes."""
    expires = (services.clock() + LIFETIME).isoformat()
    claim = urlsafe_b64encode(canonical_json([expires, asker.person, asker.project]).encode()).decode()
    return f"{claim}.{_signature(services, claim, download)}"


def read_link(services: Services, token: str, download: DownloadId) -> Asker:
    """Return who a token speaks for; raises `SignInError` where it is forged, foreign or too old."""
    claim, _, signature = token.partition(".")
    if hmac.compare_digest(signature.encode(), _signature(services, claim, download).encode()):
        expires, person, project = json.loads(urlsafe_b64decode(claim))
        if services.clock() < datetime.fromisoformat(expires):
            return Asker(PersonId(person), ProjectId(project) if project else None)
    raise SignInError(Fault("LINK_EXPIRED", "This link is no longer good.", fix="Open the Downloads page again."))


def _signature(services: Services, claim: str, download: DownloadId) -> str:
    return hmac.digest(services.keys.links, f"{claim}.{download}".encode(), "sha256").hex()
