"""Typed settings from the environment (`PORTAL_*`) or `portal.toml`; a bad one stops the start, not the first use."""

from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource


class Settings(BaseSettings):
    """Everything that an operator may set.

    `site` holds the three content folders, `home` everything that the portal writes. `production` true refuses the
    demo sign-in. Memory is in bytes.
    """

    model_config = SettingsConfigDict(env_prefix="PORTAL_", toml_file="portal.toml", frozen=True, extra="forbid")

    site: Path = Path()
    home: Path = Path("home")
    host: str = "127.0.0.1"
    port: int = Field(8501, ge=1, le=65535)
    production: bool = False
    database_url: str | None = None
    sandbox_level: Literal["none", "limited", "isolated", "sealed"] = Field(
        "sealed", description="How far a statement must be confined before a production portal serves."
    )
    sandboxes: int = Field(4, ge=1, description="Statements that run at the same time.")
    sandboxes_per_person: int = Field(2, ge=1, description="Of those, how many may be of one person.")
    waiting_per_person: int = Field(8, ge=1, description="How many more of one person may wait.")
    sandbox_memory: int = Field(8_000_000_000, ge=10**8, description="Bytes of memory of all statements that run.")
    patience: float = Field(120, gt=0, description="Seconds that a statement waits for its turn.")
    warm_sandboxes: int = Field(2, ge=1, description="Processes kept ready.")
    threads: int = Field(2, ge=1, description="Threads of one statement.")
    download_workers: int = Field(2, ge=1, description="Downloads that are made at the same time.")
    build_memory: int = Field(2_000_000_000, ge=10**8, description="Bytes of memory to build one governed copy.")
    result_bytes: int = Field(20_000_000_000, ge=10**6, description="Bytes of all results that are kept.")
    holidays: tuple[date, ...] = Field((), description="Public holidays of the Digital Services Coordinator.")
    requests_per_minute: int = Field(600, ge=1, description="Requests to the API of one person in a minute.")
    metrics_token: SecretStr | None = Field(
        None, min_length=16, description="Who shows it may read /metrics; left out: this machine only."
    )
    log_requests: bool = Field(default=False, description="Whether the log has a line for each request to the API.")
    result_days: float = Field(7, gt=0, description="How long results and downloads are kept.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - see above
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - see above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments before environment before file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)
