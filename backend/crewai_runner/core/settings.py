"""Every setting of the product: environment first, then `.env`, then these defaults."""

import os
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

SAMPLE_API_KEYS = frozenset({"change-me", "your-api-key", "your-secret-api-key-here", "changeme"})

_PLAIN_ADDRESS = re.compile(r"^https?://[^\s/@?#]+(/[^\s@?#]*)?$")


class AppEnv(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class Role(StrEnum):
    """What a process does: answer the API, run crews, or both."""

    ALL = "all"
    API = "api"
    WORKER = "worker"


class LogFormat(StrEnum):
    JSON = "json"
    CONSOLE = "console"


class LocalModelMode(StrEnum):
    """`auto`: with the product, if installed; `lazy`: at first use; `eager`: or no start; `off`: never."""

    OFF = "off"
    AUTO = "auto"
    LAZY = "lazy"
    EAGER = "eager"


class Settings(BaseSettings):
    """All settings; each is an environment variable of the same name in capitals."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore"
    )

    app_env: AppEnv = AppEnv.DEVELOPMENT
    role: Role = Role.ALL

    api_key: SecretStr | None = Field(
        None, description="The bearer token of the API. Empty: made at first start, kept in DATA_DIR."
    )
    api_base_url: str = Field("/api", pattern=r"^/[a-z0-9/_-]*[a-z0-9_-]$", description="Path prefix.")
    api_host: str = "127.0.0.1"
    api_port: int = Field(8000, ge=0, le=65535)
    api_reload: bool = False
    cors_origins: Annotated[list[str], NoDecode] = Field(
        default_factory=lambda: ["http://localhost:5173", "http://127.0.0.1:5173"],
        description="Comma-separated origins; `*` for all (development only).",
    )
    auth_failures_per_minute: int = Field(20, ge=1, le=10_000)
    max_request_bytes: int = Field(4 * 1024 * 1024, ge=1024, le=1024**3)
    request_timeout_seconds: float = Field(
        60, gt=0, le=3600, description="How long a request may take that neither streams nor waits."
    )
    rate_limit_per_minute: int = Field(
        6000, ge=0, le=10_000_000, description="Requests of one key in a minute; 0: as many as it likes."
    )
    rate_limit_burst: int = Field(1000, ge=1, le=10_000_000, description="Requests of one key at once.")

    frontend_dir: Path | None = Field(
        None, description="The built dashboard to serve. Empty: the one beside the backend, if there is one."
    )

    data_dir: Path = Field(Path("data"), description="Everything the embedded default stores.")
    database_url: str = Field("", description="Empty: SQLite in DATA_DIR. Else postgresql://user@host/db.")
    database_password: SecretStr | None = Field(
        None, description="Goes into DATABASE_URL where that has none; may hold any characters."
    )
    secret_key: Annotated[list[SecretStr], NoDecode] = Field(
        default_factory=list,
        description="Comma-separated Fernet keys; the first seals. Empty: a 0600 file in DATA_DIR.",
    )

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: LogFormat = LogFormat.CONSOLE
    metrics_public: bool = Field(False, description="May whoever reaches /metrics read it without the key?")
    otlp_endpoint: str = Field(
        "", description="Where traces of runs are sent: an OTLP/HTTP collector's address. Empty: nowhere."
    )

    worker_concurrency: int = Field(32, ge=1, le=1000, description="Runs at work at once in one process.")
    run_timeout_seconds: int = Field(3600, ge=1, le=604_800, description="For runs that set none.")
    max_attempts: int = Field(3, ge=1, le=100, description="Tries of one run after its worker died.")
    lease_seconds: float = Field(
        15, ge=2, le=300, description="How long a silent worker keeps its runs (several workers only)."
    )
    approval_expires_hours: float = Field(168, gt=0, le=8760)
    stop_wait_seconds: float = Field(10, gt=0, le=120, description="How long a stop request waits.")
    chat_wait_seconds: float = Field(60, gt=0, le=600, description="How long a chat request waits.")
    drain_seconds: float = Field(10, ge=0, le=600, description="Grace for running crews at shutdown.")
    stream_ping_seconds: float = Field(15, gt=0, le=60)

    local_model: LocalModelMode = LocalModelMode.AUTO
    allow_private_urls: bool | None = Field(
        None, description="May providers and tools be on private addresses? Default: not in production."
    )
    max_cost: float | None = Field(None, gt=0, description="Upper limit of every run's cost.")
    max_tokens: int | None = Field(None, gt=0, description="Upper limit of every run's tokens.")
    max_llm_calls: int | None = Field(None, gt=0, description="Upper limit of every run's model calls.")

    @model_validator(mode="before")
    @classmethod
    def _from_files(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Settings whose value stands in a file that `<NAME>_FILE` names, as mounted secrets do."""
        named = {
            name: os.environ.get(f"{name.upper()}_FILE") for name in cls.model_fields if name not in values
        }
        return values | {name: text for name, path in named.items() if path and (text := _read(name, path))}

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: Any) -> Any:
        return _split(value)

    @field_validator("secret_key", mode="before")
    @classmethod
    def _split_keys(cls, value: Any) -> Any:
        return _split(value)

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @field_validator("api_key")
    @classmethod
    def _sendable(cls, value: SecretStr | None) -> SecretStr | None:
        # What no header can carry as it is would lock everybody out.
        if value and not all("\x21" <= character <= "\x7e" for character in value.get_secret_value()):
            raise ValueError("must be printable ASCII characters without spaces")
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if value and not value.startswith(("sqlite", "postgresql", "postgres://")):
            raise ValueError("must begin with sqlite: or postgresql:")
        return value.replace("postgres://", "postgresql://", 1)

    @field_validator("otlp_endpoint")
    @classmethod
    def _plain_address(cls, value: str) -> str:
        if value and not _PLAIN_ADDRESS.match(value):
            raise ValueError("must be an http: or https: address without a user, a query or a fragment")
        return value

    @field_validator("secret_key")
    @classmethod
    def _fernet_keys(cls, value: list[SecretStr]) -> list[SecretStr]:
        from cryptography.fernet import Fernet  # noqa: PLC0415  # costs 50 ms, and only when a key is set

        for key in value:
            try:
                Fernet(key.get_secret_value())
            except ValueError:
                raise ValueError(
                    "every key must be 32 url-safe base64-encoded bytes; `crewai-runner new-key` makes one"
                ) from None
        return value

    @model_validator(mode="after")
    def _production_is_strict(self) -> "Settings":
        if self.app_env is not AppEnv.PRODUCTION:
            return self
        key = self.api_key.get_secret_value() if self.api_key else ""
        if not key or key.lower() in SAMPLE_API_KEYS:
            raise ValueError("API_KEY must be set to a secret of your own when APP_ENV=production")
        if len(key) < 16:
            raise ValueError("API_KEY must have at least 16 characters when APP_ENV=production")
        if "*" in self.cors_origins:
            raise ValueError("CORS_ORIGINS must not be * when APP_ENV=production")
        return self

    @property
    def database(self) -> str:
        """The database URL, with the embedded default and the password filled in."""
        if not self.database_url:
            return f"sqlite:///{(self.data_dir / 'crewai-runner.db').absolute()}"
        return _with_password(self.database_url, self.database_password)

    @property
    def is_embedded(self) -> bool:
        return self.database.startswith("sqlite")

    @property
    def sqlite_directory(self) -> Path | None:
        """The folder of the SQLite database; one process may work with it."""
        return Path(self.database.split("///", 1)[-1]).parent if self.is_embedded else None

    @property
    def frontend(self) -> Path | None:
        """The folder of the built dashboard, or nothing when another server serves it."""
        folder = self.frontend_dir or Path(__file__).parents[3] / "frontend" / "dist"
        return folder if (folder / "index.html").is_file() else None

    @property
    def can_use_private_urls(self) -> bool:
        if self.allow_private_urls is not None:
            return self.allow_private_urls
        return self.app_env is not AppEnv.PRODUCTION


def _read(name: str, path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise ValueError(f"{name.upper()}_FILE cannot be read ({error.strerror})") from None


def _with_password(url: str, password: SecretStr | None) -> str:
    scheme, _, rest = url.partition("://")
    user, at, place = rest.rpartition("@")
    if password is None or not at or ":" in user:
        return url
    return f"{scheme}://{user}:{quote(password.get_secret_value(), safe='')}@{place}"


def _split(value: Any) -> Any:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def setting_errors(error: ValidationError) -> list[str]:
    """One clear line for each wrong setting; never the value, which may be a secret."""
    return [
        f"{'.'.join(str(part) for part in item['loc'][:1]).upper() or 'settings'}: "
        f"{item['msg'].removeprefix('Value error, ')}"
        for item in error.errors(include_input=False, include_url=False)
    ]
