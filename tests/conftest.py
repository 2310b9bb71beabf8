"""What holds for every test: how many examples Hypothesis makes, and that each test leaves `__main__` as it was.

As many examples as usual, more at night, fewer where the tests themselves are tried.
"""

import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import Phase, settings
from support.databases import each_database, on_postgresql, postgresql_server

__all__ = ["each_database", "on_postgresql", "postgresql_server"]

settings.register_profile("usual", max_examples=100)
settings.register_profile("nightly", max_examples=1_700)
settings.register_profile(
    "mutations", max_examples=34, phases=(Phase.explicit, Phase.generate), derandomize=True, database=None
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "usual"))


@pytest.fixture(autouse=True)
def _own_main() -> Iterator[None]:
    """Streamlit's AppTest puts its script in the place of `__main__`; a process spawned later would run that script."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main
