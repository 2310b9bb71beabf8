"""How a command ends: with its exit code, its faults on standard error, and never with a traceback."""

import logging
import os
import secrets
import traceback

import click

from portal.cli.printing import show_error
from portal.errors import Cancelled, EngineFailure, Fault, PortalError

LOG = logging.getLogger(__name__)


class Ending(click.Group):
    """A group whose commands end with the exit code of the error that they raise."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; say what is wrong where it does not come to its end."""
        try:
            return super().invoke(ctx)
        except PortalError as error:
            ending = error
        except (KeyboardInterrupt, click.Abort):
            ending = Cancelled(Fault("CANCELLED", "The work was stopped.", fix="Nothing was left half-done."))
        except (click.exceptions.Exit, click.ClickException, BrokenPipeError):
            raise
        except Exception as error:  # noqa: BLE001 - the last door: whatever it is, it must not show its inside
            ending = _incident(error)
        show_error(ending)
        raise click.exceptions.Exit(ending.exit_code)


def _incident(error: Exception) -> EngineFailure:
    identifier = secrets.token_hex(4)
    if os.environ.get("PORTAL_DEBUG"):
        traceback.print_exception(error)
    message = f"Something went wrong that the portal does not know (incident {identifier})."
    return EngineFailure(Fault("INTERNAL", message, fix="Run it again with PORTAL_DEBUG=1 to see the inside."))
