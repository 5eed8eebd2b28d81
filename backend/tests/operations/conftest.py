"""Fixtures: an installation with rows in every table, and empty ones of the same database kind."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from crewai_runner.core.encryption import SecretCipher
from crewai_runner.core.secret_key import SECRET_KEY_FILE, read_or_create_keys
from crewai_runner.core.settings import Settings
from tests.operations.rows import fill
from tests.support.database import empty_postgresql, fresh_database, is_postgresql

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh database with all tables, in the data folder `here`."""
    (tmp_path / "here").mkdir(mode=0o700)
    with fresh_database(request.param, tmp_path / "here", with_queue=True) as url:
        yield url


@pytest.fixture(autouse=True)
def _ignore_environment_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        if name != "frontend_dir":
            monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


def make_settings(folder: Path, url: str, **more: object) -> Settings:
    return Settings(_env_file=None, data_dir=folder, database_url=url, **more)  # type: ignore[arg-type,call-arg]


@pytest.fixture
def empty(database_url: str, tmp_path: Path) -> Settings:
    """An installation with all tables, no rows and a secret key."""
    settings = make_settings(tmp_path / "here", database_url)
    read_or_create_keys(settings.data_dir / SECRET_KEY_FILE)
    return settings


@pytest.fixture
def populated(empty: Settings) -> Settings:
    """An installation with rows in every table, encrypted secrets and a crew memory."""
    fill(empty.database, SecretCipher(*read_or_create_keys(empty.data_dir / SECRET_KEY_FILE)))
    memory = empty.data_dir / "engine" / "memories" / "crew one" / "data"
    memory.mkdir(parents=True)
    (memory / "piece-1.lance").write_bytes(bytes(range(256)))
    return empty


@contextmanager
def empty_installation(like: Settings, folder: Path) -> Iterator[Settings]:
    """Settings of a new data folder and an empty database of the same kind."""
    with ExitStack() as stack:
        postgresql = is_postgresql(like.database)
        url = (
            stack.enter_context(empty_postgresql())
            if postgresql
            else f"sqlite:///{folder / 'crewai-runner.db'}"
        )
        yield make_settings(folder, url)


@pytest.fixture
def target(populated: Settings, tmp_path: Path) -> Iterator[Settings]:
    with empty_installation(populated, tmp_path / "there") as settings:
        yield settings
