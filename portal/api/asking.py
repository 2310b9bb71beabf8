"""Who asks: the token says for whom and for which project; the desk says whether they are still admitted."""

from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException
from starlette.requests import Request

from portal.api.rates import MINUTE
from portal.desk.access import identify
from portal.desk.answers import Asker
from portal.desk.services import Services
from portal.errors import Fault, PolicyRefusal, SignInError
from portal.ids import ProjectId


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


TheServices = Annotated[Services, Depends(_services)]
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]


def asker_of(request: Request, services: TheServices, credentials: Bearer) -> Asker:
    """Return who the token speaks for, and count the request. Raises `SignInError`; 429 for one too many."""
    token = credentials and services.registry.resolve_token(credentials.credentials, services.clock())
    if not token:
        raise SignInError(
            Fault(
                "TOKEN_NEEDED",
                "This needs a bearer token that is still good.",
                fix="Send Authorization: Bearer <token>; the portal's operator issues tokens.",
            )
        )
    asker, now = Asker(identify(services, token.person).id, token.project), services.clock()
    left = request.app.state.requests.take(asker.person, now)
    if left is None:
        raise HTTPException(429, headers={"Retry-After": str(MINUTE - int(now.timestamp()) % MINUTE)})
    request.state.rates.append(left)
    return asker


TheAsker = Annotated[Asker, Depends(asker_of)]


def check_project(asker: Asker, project: str | None) -> None:
    """Refuse a request that names another project than the token's; a token is for one project."""
    if project is not None and ProjectId(project) != asker.project:
        raise PolicyRefusal(
            Fault("TOKEN_PROJECT", "This token is for another project.", fix="Use a token of the project you name.")
        )
