"""Who is here. The session holds two ids; person and project are looked up anew at every run."""

from urllib.parse import urlsplit

import streamlit as st

from portal import wiring
from portal.desk import access, activity
from portal.desk.answers import Asker
from portal.desk.services import Services
from portal.errors import SignInError
from portal.ids import PersonId, ProjectId
from portal.policy.people import Project
from portal.settings import Settings
from portal.web.guard import is_loopback

PERSON, PROJECT = "person", "project"
PLAIN_SQL = "sql.plain"
"""Whether somebody writes SQL in a plain text area: a habit, which a change of project leaves alone."""


def services() -> Services:
    """Return the services of this process."""
    return wiring.services_of_this_process()


def address() -> str:
    """Return where this portal was reached, for what is to be used outside of the page."""
    here = urlsplit(st.context.url or "")
    return f"{here.scheme}://{here.netloc}" if here.netloc else "http://127.0.0.1:8501"


def asker() -> Asker:
    """Return who asks, and for which project. Pages run behind the sign-in, so there is somebody."""
    return Asker(st.session_state[PERSON], st.session_state.get(PROJECT))


def is_admitted() -> bool:
    """Whether somebody is signed in who is still admitted; one who no longer is loses the session."""
    if PERSON not in st.session_state:
        return False
    try:
        access.identify(services(), st.session_state[PERSON])
    except SignInError:
        st.session_state.clear()
    return PERSON in st.session_state


def is_demo_sign_in_open(settings: Settings) -> bool:
    """Whether roles may be picked without proof: never in production, and on the own machine only."""
    return not settings.production and is_loopback(settings.host)


def sign_in(person: PersonId) -> None:
    """Let a person in, to the first of their projects, and tell the ledger."""
    found = access.identify(services(), person)
    projects = access.projects_of(services(), found.id)
    st.session_state[PERSON] = found.id
    st.session_state[PROJECT] = projects[0].id if projects else None
    activity.record_sign_in(services(), asker(), signed_in=True)


def sign_out() -> None:
    """Forget the person and everything that the session held for them, and tell the ledger."""
    activity.record_sign_in(services(), asker(), signed_in=False)
    st.session_state.clear()
    st.query_params.clear()


def enter_project(project: ProjectId) -> None:
    """Work for another of one's projects; what was answered for the last one is put away."""
    kept = {key: st.session_state[key] for key in (PERSON, PLAIN_SQL) if key in st.session_state}
    st.session_state.clear()
    st.session_state.update(kept | {PROJECT: project})


def my_projects() -> tuple[Project, ...]:
    """Return the projects to choose from."""
    return access.projects_of(services(), asker().person)
