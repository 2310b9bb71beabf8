"""The portal's pages, behind the sign-in."""

from pathlib import Path

import streamlit as st

from portal.desk import access
from portal.web.components.chrome import show_sidebar
from portal.web.components.sign_in import show_sign_in
from portal.web.failures import failures_shown
from portal.web.session import asker, is_admitted, services, sign_out

ICON = Path(__file__).with_name("static") / "icon.svg"
"""An icon of our own: Streamlit would fetch any other from elsewhere."""

NARROW = """<style>@media (max-width: 640px) {
  [data-testid="stTable"] :is(td, th) { padding-inline: 0.25rem; }
  [data-testid="stTable"] code { white-space: normal; overflow-wrap: anywhere; }
}</style>"""
"""On a narrow screen long names of columns break, so that a table needs no scrolling."""

st.set_page_config(page_title="DSA research portal", page_icon=str(ICON), layout="wide")

PAGES = [
    st.Page("app_pages/catalogue.py", title="Catalogue", icon=":material/menu_book:", default=True),
    st.Page("app_pages/explore.py", title="Explore", icon=":material/bar_chart:"),
    st.Page("app_pages/sql.py", title="SQL", icon=":material/code:"),
    st.Page("app_pages/saved_queries.py", title="Saved queries", icon=":material/bookmarks:"),
    st.Page("app_pages/commitments.py", title="Commitments", icon=":material/handshake:"),
    st.Page("app_pages/downloads.py", title="Downloads", icon=":material/download:"),
    st.Page("app_pages/activity.py", title="Activity", icon=":material/history:"),
    st.Page("app_pages/dataset.py", title="Dataset", icon=":material/table:", visibility="hidden"),
]

admitted = is_admitted()
page = st.navigation(PAGES, position="sidebar" if admitted else "hidden")
if admitted:
    st.html(NARROW)
    show_sidebar(access.identify(services(), asker().person), sign_out)
    with failures_shown():
        page.run()
else:
    show_sign_in()
