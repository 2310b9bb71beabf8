"""What commands work with: the settings that were given, and the services over them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import update_wrapper
from typing import Concatenate, ParamSpec, TypeVar

import click
from pydantic import ValidationError

from portal.desk.services import Services
from portal.errors import Fault, UsageError
from portal.registry import Audit
from portal.settings import Settings
from portal.wiring import build_services

Arguments = ParamSpec("Arguments")
Returned = TypeVar("Returned")


def settings_of(context: click.Context) -> Settings:
    """Return the settings: the command's options before environment before file. Raises `UsageError`."""
    try:
        return Settings(**(context.obj or {}))
    except ValidationError as error:
        raise UsageError(
            *(
                Fault("SETTING", f"The setting {'.'.join(map(str, one['loc']))} does not fit: {one['msg']}.")
                for one in error.errors()
            )
        ) from error


def with_settings(
    command: Callable[Concatenate[Settings, Arguments], Returned],
) -> Callable[Arguments, Returned]:
    """Hand a command the settings."""

    def run(*arguments: Arguments.args, **options: Arguments.kwargs) -> Returned:
        return command(settings_of(click.get_current_context()), *arguments, **options)

    return update_wrapper(run, command)


def with_services(
    command: Callable[Concatenate[Services, Arguments], Returned],
) -> Callable[Arguments, Returned]:
    """Hand a command the services, and end what they started when it is done."""

    def run(*arguments: Arguments.args, **options: Arguments.kwargs) -> Returned:
        with services_over(settings_of(click.get_current_context())) as services:
            return command(services, *arguments, **options)

    return update_wrapper(run, command)


@contextmanager
def services_over(settings: Settings) -> Iterator[Services]:
    """Give the services of one command, which needs one sandbox at a time."""
    services = build_services(settings.model_copy(update={"sandboxes": 1, "warm_sandboxes": 1}))
    try:
        yield services
    finally:
        services.sandbox.close()
        services.ledger.engine.dispose()


def by_operator(services: Services) -> Audit:
    """Return who makes a change from the command line: the operator, who has no person in the registry."""
    return Audit(actor=None, at=services.clock())
