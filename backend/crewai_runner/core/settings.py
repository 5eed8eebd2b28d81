"""Settings: environment variables first, then `.env`, then these defaults."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from crewai_runner.core.client_address import Network, parse_networks
from crewai_runner.core.issuer_settings import (
    IssuerSettings,
    check_issuers,
    check_public_url,
    parse_issuers,
)
from crewai_runner.core.mcp_commands import McpCommands
from crewai_runner.core.setting_choices import AppEnv, LocalModelMode, LogFormat, ProjectsMode, Role
from crewai_runner.core.setting_values import (
    add_password,
    check_api_key,
    check_database_url,
    check_plain_url,
    check_private_hosts,
    check_production,
    check_secret_keys,
    check_syslog_address,
    check_trusted_proxies,
    read_file,
)

DEVELOPMENT_ORIGINS = ["http://localhost:5173", "http://127.0.0.1:5173"]
"""Vite's development server."""

DEPRECATED_NAMES = {"ALLOW_PRIVATE_URLS": "ALLOW_PRIVATE_HOSTS"}
"""Former names of settings, which still work."""


class Settings(BaseSettings):
    """All settings; each is an environment variable of the same name in capitals."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore"
    )

    app_env: AppEnv = AppEnv.DEVELOPMENT
    role: Role = Role.ALL

    api_key: Annotated[SecretStr | None, AfterValidator(check_api_key)] = Field(
        None, description="The bearer token of the API. Empty: generated at first start, stored in DATA_DIR."
    )
    api_base_url: str = Field("/api", pattern=r"^/[a-z0-9/_-]*[a-z0-9_-]$", description="Path prefix.")
    api_host: str = "127.0.0.1"
    api_port: int = Field(8000, ge=0, le=65535)
    api_reload: bool = False
    cors_origins: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        description="Comma-separated origins; `*` for all (development only). Empty: Vite's in development.",
    )
    trusted_proxies: Annotated[list[str], NoDecode, AfterValidator(check_trusted_proxies)] = Field(
        default_factory=list,
        description="Comma-separated addresses and networks of proxies whose X-Forwarded headers count.",
    )
    auth_failures_per_minute: int = Field(20, ge=1, le=10_000)
    max_request_bytes: int = Field(4 * 1024 * 1024, ge=1024, le=1024**3)
    request_timeout_seconds: float = Field(
        60, gt=0, le=3600, description="Time limit of requests that neither stream nor wait for a run."
    )
    rate_limit_per_minute: int = Field(
        6000, ge=0, le=10_000_000, description="Requests per minute and key; 0: unlimited."
    )
    rate_limit_burst: int = Field(1000, ge=1, le=10_000_000, description="Requests of one key at once.")

    public_url: Annotated[str, AfterValidator(check_public_url)] = Field(
        "", description="Address of the dashboard in browsers, such as https://crews.example.com."
    )
    oidc_issuers: Annotated[list[IssuerSettings], NoDecode, BeforeValidator(parse_issuers)] = Field(
        default_factory=list, description="Where people sign in with OpenID Connect, as JSON or TOML."
    )
    oidc_refresh_seconds: int = Field(
        600, ge=30, le=900, description="How old the groups of people may be that an issuer decides about."
    )

    frontend_dir: Path | None = Field(
        None,
        description="The built dashboard to serve. Empty: the one in the package, or next to the backend.",
    )

    data_dir: Path = Field(
        Path("data"), description="Directory of all stored files, SQLite database included."
    )
    database_url: Annotated[str, AfterValidator(check_database_url)] = Field(
        "", description="Empty: SQLite in DATA_DIR. Otherwise postgresql://user@host/db."
    )
    database_password: SecretStr | None = Field(
        None, description="Password for a DATABASE_URL without one; may contain any characters."
    )
    database_connections: int = Field(
        12, ge=9, le=500, description="Connections to PostgreSQL that one process opens at most."
    )
    secret_key: Annotated[list[SecretStr], NoDecode, AfterValidator(check_secret_keys)] = Field(
        default_factory=list,
        description="Comma-separated Fernet keys; the first encrypts. Empty: a 0600 file in DATA_DIR.",
    )

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: LogFormat = LogFormat.CONSOLE
    metrics_public: bool = Field(False, description="Serve /metrics without authentication.")
    otlp_endpoint: Annotated[str, AfterValidator(check_plain_url)] = Field(
        "", description="URL of an OTLP/HTTP collector for traces of runs. Empty: no traces."
    )

    crew_hosts: int | None = Field(
        None,
        ge=0,
        le=64,
        description="Processes that run crews; 0: crews run in the server's process. "
        "Default: one per core, at most 4, for ROLE=worker; else 0.",
    )
    crew_host_timeout_seconds: float = Field(
        5, ge=2, le=300, description="A crew host that does not answer for so long is killed."
    )
    crew_host_memory_mb: int = Field(
        1024,
        ge=256,
        le=1_048_576,
        description="A crew host above it is replaced; above twice as much, killed.",
    )
    worker_concurrency: int = Field(32, ge=1, le=1000, description="Runs that one process executes at once.")
    run_timeout_seconds: int = Field(3600, ge=1, le=604_800, description="Time limit of runs that set none.")
    max_attempts: int = Field(3, ge=1, le=100, description="Attempts of a run whose worker died.")
    lease_seconds: float = Field(
        15, ge=2, le=300, description="How long an unresponsive worker keeps its runs (several workers only)."
    )
    run_elsewhere_silence_minutes: float = Field(
        30, gt=0, le=525_600, description="Minutes without a span until a run elsewhere is ended as failed."
    )
    approval_expires_hours: float = Field(168, gt=0, le=8760)
    tool_approval_wait_seconds: float = Field(600, gt=0, le=86_400)
    stop_wait_seconds: float = Field(10, gt=0, le=120, description="How long stop requests wait for the run.")
    chat_wait_seconds: float = Field(
        60, gt=0, le=600, description="How long chat requests wait for the reply."
    )
    runs_kept_days: int = Field(0, ge=0, le=36_500, description="Days finished runs are kept; 0: for ever.")
    events_kept_days: int = Field(
        0, ge=0, le=36_500, description="Days the events of finished runs are kept; 0: as long as the run."
    )
    audit_kept_days: int = Field(0, ge=0, le=36_500, description="Days the audit log is kept; 0: for ever.")
    audit_webhook_url: Annotated[str, AfterValidator(check_plain_url)] = Field(
        "", description="URL that receives the audit log, signed like all webhooks. Empty: none."
    )
    audit_syslog: Annotated[str, AfterValidator(check_syslog_address)] = Field(
        "", description="Syslog server that receives the audit log: udp, tcp or tls://host:port. Empty: none."
    )
    drain_seconds: float = Field(10, ge=0, le=600, description="Time for running crews at shutdown.")
    stream_ping_seconds: float = Field(10, gt=0, le=60)

    index_url: SecretStr | None = Field(
        None, description="Package index of projects; may have a password. Empty: PyPI."
    )
    projects: ProjectsMode = Field(
        ProjectsMode.AUTO,
        description="Whether uploaded projects run: only in a sandbox, not, or without one.",
    )
    sandbox_socket: Path | None = Field(
        None, description="Unix socket of the sandbox service, in which projects run. Empty: bubblewrap."
    )
    environments_dir: Path | None = Field(
        None, description="Environments of projects, which that service reads. Empty: in DATA_DIR."
    )
    projects_disk_gb: float = Field(20, gt=0, le=100_000, description="Disk of environments per machine.")
    projects_unused_days: float = Field(
        30, gt=0, le=36_500, description="Days that environments and sources are kept without a run."
    )
    mcp_stdio_commands: McpCommands = Field({}, description="Commands that may run as MCP servers, by name.")
    webhook_secret: SecretStr | None = Field(
        None,
        min_length=16,
        description="Signs webhooks. Empty: derived from SECRET_KEY; see `crewai-runner webhook-secret`.",
    )
    local_model: LocalModelMode = LocalModelMode.AUTO
    allow_private_hosts: bool | None = Field(
        None, description="Allow providers on private addresses. Default: not in production."
    )
    allow_private_urls: bool | None = Field(None, description="Deprecated: use ALLOW_PRIVATE_HOSTS.")
    tool_private_hosts: Annotated[list[str], NoDecode, AfterValidator(check_private_hosts)] = Field(
        default=[], description="Private names, addresses and networks (10.1.0.0/16) that tools may contact."
    )
    answer_max_mb: float = Field(32, gt=0, le=1024, description="Limit of one answer of a provider.")
    answer_line_max_mb: float = Field(8, gt=0, le=1024, description="Limit of one line of a stream.")
    run_max_events: int = Field(100_000, ge=100, le=10_000_000, description="Events of one run.")
    run_max_stored_mb: float = Field(
        256, gt=0, le=65_536, description="What one run stores: events, files, results and messages."
    )
    workspace_max_stored_mb: float = Field(
        102_400, ge=0, le=1_073_741_824, description="What the runs of a workspace store; 0: unlimited."
    )
    workspace_max_active_runs: int = Field(
        100_000, ge=0, le=10_000_000, description="Runs of a workspace that have not ended; 0: unlimited."
    )
    workspace_max_queued_runs: int = Field(
        20_000, ge=0, le=10_000_000, description="Runs of a workspace that wait for a worker; 0: unlimited."
    )
    max_cost: float | None = Field(None, gt=0, description="Upper limit of every run's cost.")
    max_tokens: int | None = Field(None, gt=0, description="Upper limit of every run's tokens.")
    max_llm_calls: int | None = Field(None, gt=0, description="Upper limit of every run's model calls.")

    @model_validator(mode="before")
    @classmethod
    def _from_files(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Read settings from the files named by `<NAME>_FILE`, as used for mounted secrets."""
        named = {
            name: os.environ.get(f"{name.upper()}_FILE") for name in cls.model_fields if name not in values
        }
        return values | {
            name: text for name, path in named.items() if path and (text := read_file(name, path))
        }

    @field_validator("cors_origins", "secret_key", "trusted_proxies", "tool_private_hosts", mode="before")
    @classmethod
    def _split_list(cls, value: Any) -> Any:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _uppercase(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @model_validator(mode="after")
    def _check_together(self) -> "Settings":
        check_issuers(self.oidc_issuers, self.public_url)
        if self.app_env is AppEnv.PRODUCTION:
            check_production(self.api_key, self.cors_origins)
        return self

    @property
    def database(self) -> str:
        """The database URL with the default and the password applied."""
        if not self.database_url:
            return f"sqlite:///{(self.data_dir / 'crewai-runner.db').absolute()}"
        return add_password(self.database_url, self.database_password)

    @property
    def crew_host_count(self) -> int:
        """How many processes run crews; 0: crews run in this process."""
        if self.role is Role.API:
            return 0
        if self.crew_hosts is not None:
            return self.crew_hosts
        return min(os.cpu_count() or 1, 4) if self.role is Role.WORKER and sys.platform == "linux" else 0

    @property
    def is_embedded(self) -> bool:
        """Whether the database is SQLite, which allows a single process."""
        return self.database.startswith("sqlite")

    @property
    def sqlite_directory(self) -> Path | None:
        """The directory of the SQLite database, None for PostgreSQL."""
        return Path(self.database.split("///", 1)[-1]).parent if self.is_embedded else None

    @property
    def frontend(self) -> Path | None:
        """The directory of the built dashboard, None when there is no build."""
        package = Path(__file__).parents[1]
        builds = (package / "dashboard", package.parents[1] / "frontend" / "dist")
        folders = [self.frontend_dir] if self.frontend_dir else builds
        return next((folder for folder in folders if (folder / "index.html").is_file()), None)

    @property
    def allowed_origins(self) -> list[str]:
        """The origins that browsers may call from, with the default applied: none in production."""
        if self.cors_origins or self.app_env is AppEnv.PRODUCTION:
            return self.cors_origins
        return DEVELOPMENT_ORIGINS

    @property
    def trusted_networks(self) -> list[Network]:
        return parse_networks(self.trusted_proxies)

    @property
    def deprecated_names(self) -> list[tuple[str, str]]:
        """The deprecated names of settings that are in use, each with its current name."""
        return [(old, new) for old, new in DEPRECATED_NAMES.items() if getattr(self, old.lower()) is not None]

    @property
    def can_use_private_hosts(self) -> bool:
        given = (self.allow_private_hosts, self.allow_private_urls)
        is_default = self.app_env is not AppEnv.PRODUCTION
        return next((each for each in given if each is not None), is_default)
