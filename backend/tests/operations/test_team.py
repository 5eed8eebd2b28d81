"""The commands `user`, `key` and `workspace`, on a database of their own."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from crewai_runner.cli import main
from crewai_runner.core.api_key import STORED_KEY_PREFIX

PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "password").write_text(PASSWORD + "\n")
    (tmp_path / "data").mkdir()
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The exit status, and what the command printed."""
    status = main(list(arguments))
    captured = capsys.readouterr()
    return status, captured.out + captured.err


def test_people_are_created_listed_disabled_and_removed(capsys: pytest.CaptureFixture[str]) -> None:
    create = ("user", "create", "Ann@example.org", "--admin", "--password-file", "password")
    assert run(capsys, *create) == (0, "ann@example.org can sign in, as owner of the workspace.\n")
    status, again = run(capsys, *create)
    assert (status, "already" in again or "is in the workspace" in again) == (1, True)

    assert run(capsys, "user", "list") == (
        0,
        "ann@example.org  Ann  owner of Default, administrator\n",
    )
    status, reset = run(capsys, "user", "reset-password", "ann@example.org")
    assert (status, reset.startswith("/password-reset#")) == (0, True)
    assert run(capsys, "user", "disable", "ann@example.org")[0] == 0
    assert "disabled" in run(capsys, "user", "list")[1]
    status, removed = run(capsys, "user", "remove", "ann@example.org")
    assert (status, "Removed person" in removed) == (0, True)
    assert "ann" not in run(capsys, "user", "list")[1].lower()


def test_keys_are_created_once_and_revoked(capsys: pytest.CaptureFixture[str]) -> None:
    status, key = run(capsys, "key", "create", "nightly build", "--role", "operator", "--days", "30")
    assert (status, key.startswith(STORED_KEY_PREFIX)) == (0, True)

    listed = run(capsys, "key", "list")[1]
    assert key.strip() not in listed
    assert "nightly build  valid  never used" in listed

    assert run(capsys, "key", "revoke", listed.partition(" ")[0])[0] == 0
    assert "revoked" in run(capsys, "key", "list")[1]


def test_a_workspace_gets_people_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    status, created = run(capsys, "workspace", "create", "Lab")
    assert (status, "Lab" in created) == (0, True)

    create = ("user", "create", "bob@example.org", "--password-file", "password", "--role", "viewer")
    run(capsys, *create, "--workspace", "Lab")
    run(capsys, *create)

    assert "viewer of Lab, viewer of Default" in run(capsys, "user", "list")[1]
    assert run(capsys, *create, "--workspace", "Nowhere")[0] == 1


def test_a_workspace_has_the_built_in_model_at_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, data_dir: Path
) -> None:
    monkeypatch.setenv("LOCAL_MODEL", "auto")
    monkeypatch.setattr("crewai_runner.localmodel.supervisor.installation_problem", lambda: None)

    created = run(capsys, "workspace", "create", "Lab")[1].partition(" ")[0]

    with closing(sqlite3.connect(data_dir / "data" / "crewai-runner.db")) as database:
        query = "SELECT workspace_id, is_default FROM models"
        assert database.execute(query).fetchall() == [(created, 1)]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("user", "create", "no-address", "--password-file", "password"), "email"),
        (("user", "create", "ann@example.org"), "no terminal"),
        (("user", "disable", "unknown@example.org"), "There is no account"),
        (("key", "revoke", "key_unknown"), "does not exist"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], reason: str
) -> None:
    status, printed = run(capsys, *arguments)

    assert (status, len(printed.splitlines())) == (1, 1)
    assert reason in printed
