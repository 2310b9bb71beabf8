import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.portal import services_of, write_portal

from portal import wiring
from portal.desk.services import Services
from portal.desk.workers import downloads_made
from portal.settings import Settings


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Write the small portal once; each test gets a copy."""
    return write_portal(tmp_path_factory.mktemp("portal"))


@pytest.fixture
def services(written: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """Give the small portal, and make it that of this process."""
    home = shutil.copytree(written.home, tmp_path / "home")
    with services_of(written.model_copy(update={"home": home})) as found:
        monkeypatch.setattr(wiring, "services_of_this_process", lambda: found)
        with downloads_made(found, workers=1):
            yield found
