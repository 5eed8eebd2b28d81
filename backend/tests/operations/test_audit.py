"""The command `audit verify`, and the rows of commands that change people, keys and workspaces."""

import asyncio
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from crewai_runner.cli import main
from crewai_runner.core.secret_key import create_cipher
from crewai_runner.core.settings import Settings
from crewai_runner.db.session import make_engine, make_reader_engine, make_sessions
from crewai_runner.db.snapshot_reader import SnapshotReader
from crewai_runner.features.audit.sealing import AuditSealer

PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "password").write_text(PASSWORD + "\n")
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    status = main(list(arguments))
    captured = capsys.readouterr()
    return status, captured.out + captured.err


def read_rows(data_dir: Path) -> list[dict[str, Any]]:
    with sqlite3.connect(data_dir / "crewai-runner.db") as connection:
        connection.row_factory = sqlite3.Row
        rows = [dict(row) for row in connection.execute("SELECT * FROM audit_log ORDER BY id")]
    connection.close()
    return rows


async def seal() -> None:
    settings = Settings()
    engine, reader = make_engine(settings.database), SnapshotReader(make_reader_engine(settings.database))
    await AuditSealer(make_sessions(engine), reader, create_cipher(settings, lambda _: None)).seal_all()
    await engine.dispose()
    await reader.close()


def test_commands_leave_a_row_each(capsys: pytest.CaptureFixture[str], data_dir: Path) -> None:
    create = ("user", "create", "ann@example.org", "--password-file", "password")
    for arguments in (
        create,
        create,  # refused: no row
        ("user", "list"),
        ("user", "disable", "ann@example.org"),
        ("user", "remove", "ann@example.org"),
        ("key", "create", "nightly build"),
        ("workspace", "create", "Lab"),
    ):
        run(capsys, *arguments)

    rows = read_rows(data_dir)

    assert [(row["operation"], row["target_kind"], row["chain"]) for row in rows] == [
        ("command:user-create", "person", "ws_default"),
        ("command:user-disable", "person", ""),
        ("command:user-remove", "person", ""),
        ("command:key-create", "api-key", "ws_default"),
        ("command:workspace-create", "workspace", ""),
    ]
    assert {row["actor_kind"] for row in rows} == {"command"}
    assert all(row["actor_id"] for row in rows)
    assert json.loads(rows[1]["changes"])[0]["field"] == "person.disabledAt"
    assert "ann" not in repr([row | {"actor_id": ""} for row in rows])


def test_verify_names_the_first_bad_row(capsys: pytest.CaptureFixture[str], data_dir: Path) -> None:
    for number in range(3):
        run(capsys, "key", "create", f"key {number}")
    unsealed = "ws_default: 0 entries verified, 3 more are not sealed yet\n"
    assert run(capsys, "audit", "verify") == (0, unsealed)
    asyncio.run(seal())
    assert run(capsys, "audit", "verify") == (0, "ws_default: 3 entries verified\n")

    with sqlite3.connect(data_dir / "crewai-runner.db") as connection:
        connection.execute("UPDATE audit_log SET address = 'x' WHERE seq = 2")
        [(bad,)] = connection.execute("SELECT id FROM audit_log WHERE seq = 2")
    connection.close()

    assert run(capsys, "audit", "verify") == (
        1,
        f"ws_default: BROKEN, row 2 ({bad}) was changed after it was sealed\n",
    )
