"""The `portal` command over a small portal, as a person or a program runs it."""

from pathlib import Path

from click.testing import CliRunner, Result
from support.portal import write_portal

from portal.cli.main import main

AS_VERA = ("--as", "vera", "--project", "goods")


class Command:
    """Runs commands over one site and home."""

    def __init__(self, folder: Path) -> None:
        settings = write_portal(folder)
        self.options = ("--site", str(settings.site), "--home", str(settings.home))
        self.folder = folder

    def __call__(self, *arguments: str, standard_input: str | None = None) -> Result:
        return CliRunner().invoke(main, [*self.options, *arguments], input=standard_input, prog_name="portal")
