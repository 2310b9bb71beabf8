"""One process: the pages at `/`, the API at `/api/v1`, one guard before both."""

import signal
import sys
from pathlib import Path

import streamlit as st
import uvicorn
from starlette.middleware import Middleware
from starlette.routing import Mount, Route

from portal import wiring
from portal.api import create_api, metering
from portal.api.metering import Metrics
from portal.desk import upkeep, workers
from portal.desk.services import Services
from portal.logs import write_lines
from portal.settings import Settings
from portal.web.failures import show_failure
from portal.web.guard import Guard, hosts_of

SCRIPT = Path(__file__).with_name("app.py")
"""Streamlit finds `.streamlit/config.toml` beside the script, whatever the working directory."""

LONGEST_MESSAGE = 2_000_000
"""Bytes in one message from a browser: widget values and SQL text, never files."""


def create_app(settings: Settings, services: Services) -> st.App:
    """Return the whole portal as one ASGI application."""
    api, token = create_api(services, settings.requests_per_minute), settings.metrics_token
    metrics = Metrics(services, api.state.meter, token.get_secret_value() if token else None)
    return st.App(
        SCRIPT,
        routes=[Route("/metrics", metrics.answer), Mount("/api/v1", app=api)],
        middleware=[Middleware(Guard, hosts=hosts_of(settings.host))],
        on_script_error=show_failure,
    )


def serve(settings: Settings) -> None:
    """Serve pages and API until the process is told to stop. Raises `ContentError` where the site has faults."""
    if settings.log_requests:
        write_lines(metering.LOG)
    services = wiring.services_of_this_process()
    upkeep.begin(services)
    # Uvicorn ends on the signal, then raises it again: without this, nothing below would be ended in order.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with (
            workers.downloads_made(services, settings.download_workers),
            workers.workspaces_built(services),
            workers.ended_removed(services),
        ):
            uvicorn.run(
                create_app(settings, services),
                host=settings.host,
                port=settings.port,
                ws="websockets-sansio",
                ws_max_size=LONGEST_MESSAGE,
                access_log=False,
                server_header=False,
                log_level="warning",
            )
    finally:
        services.sandbox.close()
