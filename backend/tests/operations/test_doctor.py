"""The examination finds what was broken on purpose, says how to mend it, and breaks nothing itself."""

import http.server
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from crewai_runner.cli import main
from crewai_runner.core.encryption import SecretCipher
from crewai_runner.core.secret_key import read_keys, write_keys
from crewai_runner.core.settings import LocalModelMode, Settings
from crewai_runner.db.migrate import head_revision
from crewai_runner.operations.doctor import database, examination, folder, parts, port
from crewai_runner.operations.doctor.finding import Level
from tests.operations.conftest import ON_POSTGRESQL, ON_SQLITE, empty_place, settings_of
from tests.operations.rows import ROWS, dump, one
from tests.operations.test_refusals import damage

WELL = {"state": "ready", "version": "1.2.3", "native": True, "message": None, "absent": []}


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the trial of the engine reports; a process test makes it for real."""
    report = dict(WELL)
    monkeypatch.setattr(parts, "try_out", lambda _what: report)
    return report


@pytest.fixture
def well(full: Settings) -> Settings:
    """A place with nothing to mend but the dashboard that tests never have."""
    for name in ("models", "providers"):
        one(full.database, f"DELETE FROM {name} WHERE id <> '1'")
    one(full.database, "UPDATE providers SET type = 'openai'")
    if not full.is_embedded:
        one(full.database, "UPDATE dbos.workflow_status SET status = 'SUCCESS'")
    full.data_dir.chmod(0o700)
    return full.model_copy(update={"api_port": 0, "local_model": LocalModelMode.OFF})


def found(settings: Settings) -> dict[str, tuple[Level, str]]:
    """The worst finding of each check: its level and all that it says."""
    worst: dict[str, tuple[Level, str]] = {}
    order = list(Level)
    for finding in examination.examine(settings):
        told = (finding.level, f"{finding.message} -> {finding.hint}")
        assert (finding.level is Level.OK) == (finding.hint == "")
        if finding.check not in worst or order.index(finding.level) > order.index(worst[finding.check][0]):
            worst[finding.check] = told
    return worst


def ailing(settings: Settings) -> dict[str, Level]:
    return {
        check: level
        for check, (level, _) in found(settings).items()
        if level is not Level.OK and check != "dashboard"
    }


def test_a_place_that_is_well(well: Settings) -> None:
    before = dump(well.database)

    assert ailing(well) == {}

    assert set(found(well)) >= {"settings", "folder", "disk", "secret-key", "database", "schema", "integrity"}
    assert set(found(well)) >= {"queue", "secrets", "clock", "engine", "providers", "local model", "port"}
    assert dump(well.database) == before


def test_a_place_that_was_never_started(full: Settings, tmp_path: Path) -> None:
    with empty_place(full, tmp_path / "new") as place:
        levels = ailing(place.model_copy(update={"api_port": 0, "local_model": LocalModelMode.OFF}))

        assert Level.FAIL not in levels.values()
        assert {"folder", "sealing"} <= set(levels)
        assert not (tmp_path / "new").exists()


Break = Callable[[Settings], object]


def loosen(name: str) -> Break:
    return lambda settings: (settings.data_dir / name).chmod(0o640)


def lose_a_key(settings: Settings) -> None:
    write_keys(settings.data_dir / "secret-key", [Fernet.generate_key().decode()])


def spoil_the_key(settings: Settings) -> None:
    (settings.data_dir / "secret-key").write_text("canary-no-key")


def add_a_key(settings: Settings) -> None:
    [old] = read_keys(settings.data_dir / "secret-key")
    new = Fernet.generate_key().decode()
    write_keys(settings.data_dir / "secret-key", [new, old])
    one(
        settings.database,
        "INSERT INTO providers (id, workspace_id, name, type, sealed_api_key, options, models, created_at,"
        " updated_at, version) SELECT 'p2', workspace_id, 'second', type, :sealed, options, models,"
        " created_at, updated_at, version FROM providers",
        sealed=SecretCipher(new).encrypt("sk-2"),
    )


def set_revision(revision: str) -> Break:
    return lambda settings: one(
        settings.database, "UPDATE alembic_version SET version_num = :revision", revision=revision
    )


def drop(table: str) -> Break:
    def drop_it(settings: Settings) -> None:
        place = "" if settings.is_embedded else "dbos."
        one(settings.database, f"DROP TABLE {place}{table}")

    return drop_it


BROKEN = [
    (loosen("."), "folder", Level.WARN, "chmod 700"),
    (loosen("secret-key"), "secret-key", Level.FAIL, "chmod 600"),
    (lose_a_key, "secrets", Level.FAIL, "no key here opens the credential of: providers: "),
    (spoil_the_key, "sealing", Level.FAIL, "no Fernet key"),
    (add_a_key, "secrets", Level.WARN, "rotate-secret-key"),
    (set_revision("0001"), "schema", Level.WARN, "crewai-runner migrate"),
    (set_revision("9999"), "schema", Level.FAIL, "newer than this build's"),
    (drop("workflow_schedules"), "queue", Level.FAIL, "workflow_schedules"),
]


@pytest.mark.parametrize(("spoil", "check", "level", "words"), BROKEN)
def test_what_was_broken_is_found(well: Settings, spoil: Break, check: str, level: Level, words: str) -> None:
    assert head_revision() not in ("0001", "9999")
    spoil(well)

    findings = found(well)

    assert findings[check][0] is level
    assert words in findings[check][1]
    assert "canary" not in str(findings)


@ON_SQLITE
class TestSqlite:
    def test_damaged_pages(self, well: Settings) -> None:
        damage(well.data_dir / "crewai-runner.db")

        assert Level.FAIL in ailing(well).values()

    def test_a_damaged_index(self, well: Settings) -> None:
        one(well.database, "PRAGMA writable_schema=ON")
        root = one(well.database, "SELECT rootpage FROM sqlite_master WHERE name = 'ix_runs_newest'")
        size = one(well.database, "PRAGMA page_size")
        path = well.data_dir / "crewai-runner.db"
        data = bytearray(path.read_bytes())
        data[(root - 1) * size + 3 : (root - 1) * size + 5] = b"\0\0"  # the page says it holds no entries
        path.write_bytes(data)

        assert found(well)["integrity"][0] is Level.FAIL

    def test_rows_that_refer_to_nothing(self, well: Settings) -> None:
        one(well.database, "DELETE FROM runs WHERE id = '1'")

        level, said = found(well)["integrity"]

        assert level is Level.FAIL
        assert "refer to rows that are not there" in said


@ON_POSTGRESQL
class TestPostgresql:
    def test_a_worker_that_died_and_the_run_it_lost(self, well: Settings) -> None:
        one(well.database, "INSERT INTO dbos.worker_lease VALUES ('dead', now() - interval '1 hour', now())")
        one(well.database, "UPDATE dbos.workflow_status SET status = 'PENDING', executor_id = 'gone'")

        findings = found(well)

        assert findings["workers"][0] is findings["orphans"][0] is Level.WARN
        assert "1 gave no sign of life" in findings["workers"][1]
        assert f"{ROWS} run(s) at work have lost their worker" in findings["orphans"][1]

    def test_a_worker_that_lives(self, well: Settings) -> None:
        one(well.database, "INSERT INTO dbos.worker_lease VALUES ('alive', now(), now())")
        one(well.database, "UPDATE dbos.workflow_status SET status = 'PENDING', executor_id = 'alive'")

        assert ailing(well) == {}

    @pytest.mark.parametrize(("away", "level"), [(10, Level.WARN), (-100, Level.FAIL)])
    def test_a_clock_that_goes_wrong(
        self, well: Settings, monkeypatch: pytest.MonkeyPatch, away: int, level: Level
    ) -> None:
        monkeypatch.setattr(
            database, "_TIME", database.text(f"SELECT extract(epoch FROM clock_timestamp()) + {away}")
        )

        assert found(well)["clock"][0] is level


def test_a_database_that_is_away(tmp_path: Path) -> None:
    url = "postgresql://me:canary-of-a-password@127.0.0.1:1/nothing"

    level, said = found(settings_of(tmp_path, url, api_port=0, local_model="off"))["database"]

    assert level is Level.FAIL
    assert "127.0.0.1:1/nothing" in said
    assert "canary" not in said


@ON_SQLITE
class TestParts:
    def test_an_engine_that_cannot_be_loaded(self, well: Settings, engine: dict[str, Any]) -> None:
        engine.update(state="failed", message="ImportError: no")

        assert found(well)["engine"][0] is Level.FAIL

    def test_an_engine_of_another_version(self, well: Settings, engine: dict[str, Any]) -> None:
        engine.update(native=False)

        assert found(well)["engine"][0] is Level.WARN

    def test_a_provider_whose_part_is_missing(self, well: Settings, engine: dict[str, Any]) -> None:
        engine.update(absent=["anthropic", "gemini"])
        assert found(well)["providers"][0] is Level.OK

        one(well.database, "UPDATE providers SET type = 'anthropic'")

        level, said = found(well)["providers"]
        assert level is Level.FAIL
        assert "uv sync --extra anthropic" in said
        assert "gemini" not in said

    @pytest.mark.parametrize(
        ("mode", "level"), [("auto", Level.WARN), ("eager", Level.FAIL), ("off", Level.OK)]
    )
    def test_a_built_in_model_that_is_not_installed(
        self, well: Settings, monkeypatch: pytest.MonkeyPatch, mode: str, level: Level
    ) -> None:
        monkeypatch.setattr(parts, "installation_problem", lambda: "The built-in model is not installed.")

        findings = found(well.model_copy(update={"local_model": LocalModelMode(mode)}))

        assert findings["local model"][0] is level

    def test_a_runtime_that_does_not_load(self, well: Settings, engine: dict[str, Any]) -> None:
        engine.update(state="failed", message="OSError: libgomp.so.1")

        findings = found(well.model_copy(update={"local_model": LocalModelMode.AUTO}))

        assert "libgomp" in findings["local model"][1]

    def test_a_dashboard(self, well: Settings, tmp_path: Path) -> None:
        assert found(well)["dashboard"][0] is Level.WARN

        (tmp_path / "index.html").touch()

        assert found(well.model_copy(update={"frontend_dir": tmp_path}))["dashboard"][0] is Level.OK

    def test_a_disk_that_runs_full(self, well: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        for free, level in ((10 * 1024**2, Level.FAIL), (500 * 1024**2, Level.WARN)):
            usage = folder.shutil._ntuple_diskusage(2 * free, free, free)  # type: ignore[attr-defined]
            monkeypatch.setattr(folder.shutil, "disk_usage", lambda _path, usage=usage: usage)

            assert found(well)["disk"][0] is level

    def test_a_check_that_breaks_keeps_no_other_from_being_made(
        self, well: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def breaks(_settings: Settings) -> Iterator[Any]:
            raise RuntimeError("canary")

        monkeypatch.setattr(examination.stored, "secrets", breaks)

        findings = found(well)

        assert findings["database"] == (
            Level.FAIL,
            "cannot be examined (RuntimeError) -> see the lines above",
        )
        assert "dashboard" in findings


class TestPort:
    def test_a_port_that_is_free(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            number = probe.getsockname()[1]

        assert port.port(_listening(number)).level is Level.OK

    def test_somebody_elses(self) -> None:
        with answering(b"nginx") as number:
            assert port.port(_listening(number)).level is Level.FAIL

    def test_somebody_who_says_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(port, "PATIENCE_SECONDS", 0.1)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            assert port.port(_listening(silent.getsockname()[1])).level is Level.FAIL

    def test_ours(self) -> None:
        with answering(b'{"status":"healthy"}') as number:
            finding = port.port(_listening(number, "0.0.0.0"))

        assert (finding.level, "answers" in finding.message) == (Level.OK, True)

    def test_an_address_that_is_not_ours_is_not_asked(self) -> None:
        finding = port.port(_listening(80, "192.0.2.1"))

        assert finding.level is Level.WARN


def _listening(number: int, host: str = "127.0.0.1") -> Settings:
    return Settings(_env_file=None, api_host=host, api_port=number)  # type: ignore[call-arg]


@contextmanager
def answering(body: bytes) -> Iterator[int]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class TestCommand:
    def test_wrong_settings_are_findings(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("API_PORT", "canary")
        monkeypatch.setenv("LOG_LEVEL", "canary")

        assert main(["doctor", "--json"]) == 1

        report = json.loads(capsys.readouterr().out)
        assert report["healthy"] is False
        assert [f["message"].split(":")[0] for f in report["findings"]] == ["API_PORT", "LOG_LEVEL"]
        assert "canary" not in str(report)

    @ON_SQLITE
    def test_one_line_each_and_a_status(
        self, well: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name, value in (("DATA_DIR", str(well.data_dir)), ("LOCAL_MODEL", "off"), ("API_PORT", "0")):
            monkeypatch.setenv(name, value)

        assert main(["doctor"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert all(line.split()[0] in list(Level) for line in lines)
        assert len(lines) > 12

        loosen("secret-key")(well)
        assert main(["doctor"]) == 1
