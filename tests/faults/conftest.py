"""One world for all that is done to it; each test works on a copy, or leaves it as it was."""

import pytest
from support.faulty import World, a_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return a_world(tmp_path_factory.mktemp("world"))
