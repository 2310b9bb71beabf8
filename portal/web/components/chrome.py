"""The sidebar: who is here, for which project, and the way out."""

from collections.abc import Callable

import streamlit as st

from portal.policy.people import Person
from portal.web.session import asker, enter_project, my_projects
from portal.web.view_models.wording import plain


def show_sidebar(person: Person, sign_out: Callable[[], None]) -> None:
    """Show the person, let them choose among their projects, and let them leave."""
    with st.sidebar:
        _choose_project()
        st.caption(f"{person.name}, {person.tier}")
        st.button("Sign out", on_click=sign_out, icon=":material/logout:", type="tertiary")


def _choose_project() -> None:
    projects = {project.id: project for project in my_projects()}
    if not projects:
        st.caption("You are in no project.")
        return
    names, current = list(projects), asker().project
    index = names.index(current) if current in projects else None
    chosen = st.selectbox("Project", names, index=index)
    if current in projects:
        st.caption(plain(projects[current].title))
    if chosen is not None and chosen != current:
        enter_project(chosen)
        st.rerun()
