from streamlit.testing.v1 import AppTest
from support.pages import SECONDS, press


def _page() -> None:
    import time  # noqa: PLC0415 - AppTest runs this function's source by itself

    import streamlit as st  # noqa: PLC0415 - see above

    from portal.errors import Cancelled, Fault  # noqa: PLC0415 - see above
    from portal.web.components import jobs  # noqa: PLC0415 - see above

    def endless(running: jobs.Running) -> None:
        assert running.cancel is not None
        assert running.progress is not None
        running.progress(0.4, "Building")
        while not running.cancel.is_set():
            time.sleep(0.01)
        raise Cancelled(Fault("CANCELLED", "You stopped it."))

    if st.button("Endless"):
        jobs.start("slot", "endless", endless)
    if st.button("Quick"):
        jobs.start("slot", "quick", lambda _: "done at once")
    found = jobs.outcome("slot")
    if found:
        st.write(found)


def test_endless_work_shows_its_progress_and_ends_when_told() -> None:
    app = AppTest.from_function(_page, default_timeout=SECONDS).run()
    next(button for button in app.button if button.label == "Endless").click().run()
    assert "Building" in str(app.get("progress")[0].proto)
    press(app, "Cancel")
    assert "You stopped it" in app.warning[0].value
    assert not [button for button in app.button if button.label == "Cancel"]


def test_quick_work_never_shows_progress() -> None:
    app = AppTest.from_function(_page, default_timeout=SECONDS).run()
    next(button for button in app.button if button.label == "Quick").click().run()
    assert not app.get("progress")
    assert app.markdown[0].value == "done at once"


def test_new_work_in_a_slot_stops_what_was_there() -> None:
    app = AppTest.from_function(_page, default_timeout=SECONDS).run()
    next(button for button in app.button if button.label == "Endless").click().run()
    before = app.session_state["slot.job"]
    press(app, "Quick")
    assert before.stop.is_set()
    assert app.markdown[0].value == "done at once"
