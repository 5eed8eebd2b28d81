"""Every setting is documented, and an invalid one stops the server with one clear line."""

import itertools
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from types import SimpleNamespace

import pytest

from crewai_runner import cli
from crewai_runner.core.setting_choices import AppEnv
from crewai_runner.core.setting_values import SAMPLE_API_KEYS
from crewai_runner.core.settings import DEPRECATED_NAMES, DEVELOPMENT_ORIGINS, Settings
from tests.support.server_process import BACKEND

EXAMPLE = BACKEND.parent / ".env.example"
MAX_HELP_SECONDS = 10
"""Generous, for a busy machine."""


def run(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the command in an empty directory, so that no `.env` file is read."""
    known = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    environment = known | {"PYTHONPATH": str(BACKEND), "DATA_DIR": str(folder / "data"), **settings}
    return subprocess.run(
        [sys.executable, "-m", "crewai_runner", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class TestHelp:
    @pytest.mark.process
    @pytest.mark.parametrize("command", [("--help",), ("serve", "--help"), ("--version",)])
    def test_is_fast_and_needs_no_settings(self, tmp_path: Path, command: tuple[str, ...]) -> None:
        started = time.monotonic()

        result = run(tmp_path, *command, APP_ENV="production", API_PORT="nonsense")

        assert result.returncode == 0
        assert result.stdout
        assert time.monotonic() - started < MAX_HELP_SECONDS
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.process
    def test_imports_no_heavy_packages(self, tmp_path: Path) -> None:
        program = (
            "import sys\n"
            "from crewai_runner.cli import main\n"
            "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
            "print([n for n in ('fastapi', 'crewai', 'dbos', 'sqlalchemy', 'uvicorn') if n in sys.modules])"
        )
        environment = os.environ | {"PYTHONPATH": str(BACKEND)}

        result = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )

        assert result.stdout.splitlines()[-1] == "[]"


def read_example() -> dict[str, str]:
    pairs = (line.split("=", 1) for line in EXAMPLE.read_text().splitlines() if re.match(r"^[A-Z_]+=", line))
    return {name.lower(): value for name, value in pairs}


def format_value(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ",".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    return value.value if isinstance(value, StrEnum) else str(value)


class TestExampleFile:
    def test_contains_every_setting_with_its_default(self) -> None:
        defaults = {
            name: format_value(field.get_default(call_default_factory=True))
            for name, field in Settings.model_fields.items()
            if name.upper() not in DEPRECATED_NAMES
        }

        assert read_example() == defaults

    def test_explains_every_setting(self) -> None:
        lines = EXAMPLE.read_text().splitlines()
        # These need no comment of their own.
        plain = {"API_BASE_URL", "API_HOST", "API_PORT", "MAX_TOKENS", "MAX_LLM_CALLS"}

        unexplained = [
            line.split("=")[0]
            for before, line in itertools.pairwise(lines)
            if re.match(r"^[A-Z_]+=", line) and not before.startswith("#")
        ]

        assert set(unexplained) <= plain

    def test_is_a_valid_env_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in Settings.model_fields:
            monkeypatch.delenv(name.upper(), raising=False)
        (tmp_path / ".env").write_text(EXAMPLE.read_text())

        loaded = Settings(_env_file=tmp_path / ".env")  # type: ignore[call-arg]

        assert loaded.model_dump() == Settings.model_construct().model_dump()


class TestAllowedOrigins:
    @pytest.mark.parametrize(
        ("environment", "given", "allowed"),
        [
            (AppEnv.PRODUCTION, [], []),
            (AppEnv.PRODUCTION, ["https://crews.example"], ["https://crews.example"]),
            (AppEnv.DEVELOPMENT, [], DEVELOPMENT_ORIGINS),
            (AppEnv.DEVELOPMENT, ["*"], ["*"]),
        ],
    )
    def test_production_has_no_default(
        self, environment: AppEnv, given: list[str], allowed: list[str]
    ) -> None:
        settings = Settings.model_construct(app_env=environment, cors_origins=given)

        assert settings.allowed_origins == allowed


Serve = Callable[..., tuple[int, str, str]]


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Serve:
    """Runs the command with only these settings; returns its exit status, output and error output."""

    def serve_with(**settings: str) -> tuple[int, str, str]:
        for name in Settings.model_fields:
            monkeypatch.delenv(name.upper(), raising=False)
        for name, value in ({"DATA_DIR": str(tmp_path / "data")} | settings).items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)  # no `.env` file is read
        # An accepted setting fails the test at once; no server starts.
        accepted = SimpleNamespace(serve=lambda _settings: 0)
        monkeypatch.setitem(sys.modules, "crewai_runner.serving", accepted)
        return cli.main(["serve"]), *capsys.readouterr()

    return serve_with


class TestInvalidSettings:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("API_PORT", "canary"),
            ("API_PORT", "77777"),
            ("APP_ENV", "canary"),
            ("ROLE", "canary"),
            ("API_BASE_URL", "canary"),
            ("MAX_REQUEST_BYTES", "12"),
            ("AUTH_FAILURES_PER_MINUTE", "0"),
            ("TRUSTED_PROXIES", "10.0.0.1, canary"),
            ("TRUSTED_PROXIES", "0.0.0.0/0"),
            ("DATABASE_URL", "mysql://canary:canary@h/d"),
            ("SECRET_KEY", "canary-is-no-fernet-key"),
            ("LOG_LEVEL", "canary"),
            ("LOG_FORMAT", "canary"),
            ("WORKER_CONCURRENCY", "-1"),
            ("APPROVAL_EXPIRES_HOURS", "nan"),
            ("STREAM_PING_SECONDS", "inf"),
            ("PROJECTS", "canary"),
            ("LOCAL_MODEL", "canary"),
            ("ALLOW_PRIVATE_HOSTS", "canary"),
            ("TOOL_PRIVATE_HOSTS", "10.0.0.1, http://canary/"),
            ("MCP_STDIO_COMMANDS", "canary"),
            ("MAX_COST", "-5"),
            ("API_RELOAD", "canary"),
            ("API_KEY", "canary with spaces"),
            ("API_KEY", " canary-with-space-around "),
            ("API_KEY", "canary-ключ"),
        ],
    )
    def test_invalid_value_stops_the_server_with_one_line(
        self, serve: Serve, tmp_path: Path, name: str, value: str
    ) -> None:
        status, output, errors = serve(**{name: value})

        assert (status, output) == (2, "")
        [line] = errors.splitlines()
        assert line.startswith(f"Wrong setting: {name}: ")
        assert "canary" not in line.lower()
        assert not (tmp_path / "data").exists()

    @pytest.mark.process
    def test_every_invalid_value_has_a_line(self, tmp_path: Path) -> None:
        result = run(tmp_path, "serve", API_PORT="x", LOG_LEVEL="x", MAX_TOKENS="x")

        assert result.returncode == 2
        assert [line.split(":")[1].strip() for line in result.stderr.splitlines()] == [
            "API_PORT",
            "LOG_LEVEL",
            "MAX_TOKENS",
        ]
        assert result.stdout == ""

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({}, "API_KEY must be set"),
            ({"API_KEY": ""}, "API_KEY must be set"),
            *[({"API_KEY": sample}, "API_KEY must") for sample in sorted(SAMPLE_API_KEYS)],
            ({"API_KEY": "short-canary"}, "16 characters"),
            ({"API_KEY": "canary-canary-canary", "CORS_ORIGINS": "*"}, "CORS_ORIGINS must not be *"),
        ],
    )
    def test_production_requires_a_secret_key(
        self, serve: Serve, tmp_path: Path, settings: dict[str, str], message: str
    ) -> None:
        status, _, errors = serve(APP_ENV="production", **settings)

        assert status == 2
        [line] = errors.splitlines()
        assert message in line
        assert "canary" not in line.lower()
        assert not (tmp_path / "data").exists()

    def test_unreadable_file_stops_the_server(self, serve: Serve, tmp_path: Path) -> None:
        status, _, errors = serve(API_KEY_FILE=str(tmp_path / "nothing"))

        assert status == 2
        [line] = errors.splitlines()
        assert "API_KEY_FILE cannot be read" in line


class TestSettings:
    def test_secret_from_a_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file = tmp_path / "api-key"
        file.write_text("a-key-from-a-file-0123\n")
        monkeypatch.setenv("API_KEY_FILE", str(file))

        from_file = Settings(_env_file=None)  # type: ignore[call-arg]
        monkeypatch.setenv("API_KEY", "a-key-from-the-environment")
        from_environment = Settings(_env_file=None)  # type: ignore[call-arg]

        assert from_file.api_key is not None
        assert from_file.api_key.get_secret_value() == "a-key-from-a-file-0123"
        assert from_environment.api_key is not None
        assert from_environment.api_key.get_secret_value() == "a-key-from-the-environment"

    def test_deprecated_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ALLOW_PRIVATE_URLS", "false")
        deprecated = Settings(_env_file=None)  # type: ignore[call-arg]
        monkeypatch.setenv("ALLOW_PRIVATE_HOSTS", "true")
        both = Settings(_env_file=None)  # type: ignore[call-arg]
        monkeypatch.setenv("ALLOW_PRIVATE_HOSTS", "")
        empty = Settings(_env_file=None)  # type: ignore[call-arg]

        given = [deprecated, both, empty]
        assert [settings.can_use_private_hosts for settings in given] == [False, True, False]
        assert deprecated.deprecated_names == [("ALLOW_PRIVATE_URLS", "ALLOW_PRIVATE_HOSTS")]

    def test_current_name_is_not_deprecated(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("ALLOW_PRIVATE_URLS", raising=False)
        monkeypatch.setenv("ALLOW_PRIVATE_HOSTS", "false")

        current = Settings(_env_file=None)  # type: ignore[call-arg]

        assert current.allow_private_hosts is False
        assert current.deprecated_names == []

    def test_empty_file_is_ignored(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("API_KEY_FILE", "/dev/null")

        assert Settings(_env_file=None).api_key is None  # type: ignore[call-arg]

    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("postgresql://u@h/d", "postgresql://u:p%40%2F%3A@h/d"),
            ("postgresql://u:own@h/d", "postgresql://u:own@h/d"),
            ("postgresql://h/d", "postgresql://h/d"),
            ("sqlite:////x/y.db", "sqlite:////x/y.db"),
        ],
    )
    def test_database_password_completes_the_url(self, url: str, expected: str) -> None:
        settings = Settings(_env_file=None, database_url=url, database_password="p@/:")  # type: ignore[call-arg, arg-type]

        assert settings.database == expected
