"""`portal demo` and `portal serve`: the pages and the API in one process."""

import os
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import click

from portal.cli.context import services_over, settings_of, with_settings
from portal.cli.printing import progress_bar
from portal.cli.publish import publish_simulation
from portal.desk.answers import Asker
from portal.desk.publication import publish_release
from portal.desk.services import Services
from portal.desk.upkeep import build_workspaces
from portal.errors import Fault, UsageError
from portal.ids import DatasetName
from portal.registry import seed_demo
from portal.settings import Settings
from portal.simulation import SIMULATORS
from portal.wiring import refuse_weak_sandbox, services_of_this_process

COMMITTED = "datasets/{dataset}/source.*"
"""Where a dataset's real source may lie in the site itself."""
REAL_FILES: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "ad_targeting": ("meta_ad_targeting_*.parquet",),
        "moderation_capacity": tuple(f"t{table}_*.parquet" for table in range(4, 11)),
        "recommender_source_code": (
            "heavy_ranker_weights_*.csv",
            "twitter_the_algorithm_feature_switch_params.csv",
            "x_algorithm_home_mixer_params_*.csv",
        ),
    }
)
"""The names under which real sources are published by those who gathered them."""


@click.command
@click.option("--port", type=click.IntRange(1, 65535), envvar=["PORTAL_PORT", "PORT"], help="[default: 8501]")
@click.option("--real", type=click.Path(exists=True, file_okay=False, path_type=Path), help="A folder of real files.")
@click.pass_context
def demo(context: click.Context, port: int | None, real: Path | None) -> None:
    """Build a demonstration where there is none, and serve it on this machine only.

    What is not real is made up and labelled so; people are roles, picked on the sign-in page.
    """
    given = settings_of(context)
    settings = given.model_copy(update={"host": "127.0.0.1", "port": port or given.port})
    if settings.production:
        raise UsageError(Fault("DEMO_IN_PRODUCTION", "A production portal serves no demo.", fix="Use `portal serve`."))
    _check_port(settings)
    with services_over(settings) as services:
        _furnish(services, settings.site, real)
    _serve(settings)


@click.command
@with_settings
def serve(settings: Settings) -> None:
    """Serve the pages, and the API at /api/v1, until stopped."""
    _check_port(settings)
    _serve(settings)


def _furnish(services: Services, site: Path, real: Path | None) -> None:
    """Publish what has no release yet, let the demo's people in, and build what their projects may query."""
    for name in services.site.datasets:
        if services.releases.numbers(name):
            continue
        if sources := _real_sources(name, site, real):
            click.echo(f"Publishing {name} from real data …")
            with progress_bar() as report:
                publish_release(services, name, sources, synthetic=False, progress=report)
        elif name in SIMULATORS:
            click.echo(f"Publishing {name} from made-up data, labelled synthetic …")
            publish_simulation(services, name)
    seed_demo(services.registry, services.clock(), services.site.datasets)
    click.echo("Building the governed copies of the demo's projects …")
    with progress_bar() as report:
        for project in services.registry.projects():
            for member in sorted(project.members):
                build_workspaces(services, Asker(member, project.id), report)


def _real_sources(name: DatasetName, site: Path, real: Path | None) -> list[Path]:
    """Return a dataset's real files: in the given folder where every one is there, else what the site holds."""
    found = [sorted(real.rglob(pattern)) for pattern in REAL_FILES.get(name, ())] if real else []
    if found and all(found):
        return [paths[-1] for paths in found]
    return sorted(site.glob(COMMITTED.format(dataset=name)))


def _serve(settings: Settings) -> None:
    from portal.web.asgi import serve as serve_pages  # noqa: PLC0415 - Streamlit is loaded by who serves, only

    for name in ("site", "home", "host", "port"):  # the pages read their settings from the environment
        os.environ[f"PORTAL_{name.upper()}"] = str(getattr(settings, name))
    refuse_weak_sandbox(settings)
    services_of_this_process()  # a fault in the site is said before an address is
    click.echo(f"Serving on http://{settings.host}:{settings.port} until you stop it with Ctrl-C.")
    serve_pages(settings)


def _check_port(settings: Settings) -> None:
    """Say that a port is taken before anything is built."""
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            fault = Fault(
                "PORT_TAKEN", f"Port {settings.port} cannot be used.", fix="Choose another, e.g. --port 8600."
            )
            raise UsageError(fault) from error
