"""The doctor finds injected problems, gives a hint for each, and changes nothing."""

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
from crewai_runner.core.setting_choices import LocalModelMode, ProjectsMode
from crewai_runner.core.settings import Settings
from crewai_runner.db.migrate import head_revision
from crewai_runner.executor.projects.sandbox import selection
from crewai_runner.executor.projects.sandbox.self_test import SandboxProbe
from crewai_runner.operations.doctor import checks, components, database, folder, port, projects, stored_data
from crewai_runner.operations.doctor.finding import Level
from tests.operations.conftest import ON_POSTGRESQL, ON_SQLITE, empty_installation, make_settings
from tests.operations.rows import ROWS, dump, run_sql
from tests.operations.test_compaction import turn_off_auto_vacuum
from tests.operations.test_refusals import damage
from tests.support.search_index import can_index_searches, drop_search_index

ENGINE_OK = {"state": "ready", "version": "1.2.3", "native": True, "message": None, "absent": []}


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Replaces the engine's import check; a process test runs the real one."""
    report = dict(ENGINE_OK)
    monkeypatch.setattr(components, "run_import_check", lambda _what: report)
    return report


@pytest.fixture(autouse=True)
def probe(monkeypatch: pytest.MonkeyPatch) -> dict[str, SandboxProbe]:
    """Replaces the self-test of the sandbox, which has tests of its own; a process test runs the real one."""
    found = {"probe": SandboxProbe(True, "holds")}

    async def return_probe(*_: object) -> SandboxProbe:
        return found["probe"]

    monkeypatch.setattr(selection, "probe_sandbox", return_probe)
    return found


@pytest.fixture
def healthy(populated: Settings) -> Settings:
    """An installation whose only problem is the missing dashboard."""
    for name in ("models", "providers"):
        run_sql(populated.database, f"DELETE FROM {name} WHERE id <> '1'")
    run_sql(populated.database, "UPDATE providers SET type = 'openai'")
    if not populated.is_embedded:
        run_sql(populated.database, "UPDATE dbos.workflow_status SET status = 'SUCCESS'")
    populated.data_dir.chmod(0o700)
    return populated.model_copy(update={"api_port": 0, "local_model": LocalModelMode.OFF})


def worst_findings(settings: Settings) -> dict[str, tuple[Level, str]]:
    """The worst finding of each check: level and text."""
    worst: dict[str, tuple[Level, str]] = {}
    order = list(Level)
    for finding in checks.run_checks(settings):
        entry = (finding.level, f"{finding.message} -> {finding.hint}")
        assert (finding.level is Level.OK) == (finding.hint == "")
        if finding.check not in worst or order.index(finding.level) > order.index(worst[finding.check][0]):
            worst[finding.check] = entry
    return worst


def problems(settings: Settings) -> dict[str, Level]:
    # The PostgreSQL server for tests may have no extension for searches.
    expected = {"dashboard"} if can_index_searches(settings.database) else {"dashboard", "search"}
    return {
        check: level
        for check, (level, _) in worst_findings(settings).items()
        if level is not Level.OK and check not in expected
    }


def test_healthy_installation(healthy: Settings) -> None:
    before = dump(healthy.database)

    assert problems(healthy) == {}

    assert set(worst_findings(healthy)) >= {
        "settings",
        "folder",
        "disk",
        "secret-key",
        "database",
        "schema",
        "integrity",
    }
    assert set(worst_findings(healthy)) >= {
        "queue",
        "secrets",
        "clock",
        "engine",
        "providers",
        "local model",
        "port",
    }
    assert dump(healthy.database) == before


def test_new_installation(populated: Settings, tmp_path: Path) -> None:
    with empty_installation(populated, tmp_path / "new") as new:
        levels = problems(new.model_copy(update={"api_port": 0, "local_model": LocalModelMode.OFF}))

        assert Level.FAIL not in levels.values()
        assert {"folder", "encryption"} <= set(levels)
        assert not (tmp_path / "new").exists()


Break = Callable[[Settings], object]


def make_group_readable(name: str) -> Break:
    return lambda settings: (settings.data_dir / name).chmod(0o640)


def lose_key(settings: Settings) -> None:
    write_keys(settings.data_dir / "secret-key", [Fernet.generate_key().decode()])


def corrupt_key(settings: Settings) -> None:
    (settings.data_dir / "secret-key").write_text("canary-no-key")


def add_key(settings: Settings) -> None:
    [old] = read_keys(settings.data_dir / "secret-key")
    new = Fernet.generate_key().decode()
    write_keys(settings.data_dir / "secret-key", [new, old])
    run_sql(
        settings.database,
        "INSERT INTO providers (id, workspace_id, name, type, sealed_api_key, options, models, created_at,"
        " updated_at, version) SELECT 'p2', workspace_id, 'second', type, :sealed, options, models,"
        " created_at, updated_at, version FROM providers",
        sealed=SecretCipher(new).encrypt("sk-2"),
    )


def set_revision(revision: str) -> Break:
    return lambda settings: run_sql(
        settings.database, "UPDATE alembic_version SET version_num = :revision", revision=revision
    )


def drop_table(table: str) -> Break:
    def drop(settings: Settings) -> None:
        schema = "" if settings.is_embedded else "dbos."
        run_sql(settings.database, f"DROP TABLE {schema}{table}")

    return drop


BROKEN = [
    (make_group_readable("."), "folder", Level.WARN, "chmod 700"),
    (make_group_readable("secret-key"), "secret-key", Level.FAIL, "chmod 600"),
    (lose_key, "secrets", Level.FAIL, "no available key decrypts the credential of: audit_chains: "),
    (corrupt_key, "encryption", Level.FAIL, "not a Fernet key"),
    (add_key, "secrets", Level.WARN, "rotate-secret-key"),
    (set_revision("0001"), "schema", Level.WARN, "crewai-runner migrate"),
    (set_revision("9999"), "schema", Level.FAIL, "newer than this version's"),
    (drop_table("workflow_schedules"), "queue", Level.FAIL, "workflow_schedules"),
]


@pytest.mark.parametrize(("break_it", "check", "level", "message"), BROKEN)
def test_injected_problem_is_found(
    healthy: Settings, break_it: Break, check: str, level: Level, message: str
) -> None:
    assert head_revision() not in ("0001", "9999")
    break_it(healthy)

    findings = worst_findings(healthy)

    assert findings[check][0] is level
    assert message in findings[check][1]
    assert "canary" not in str(findings)


def test_searches_without_an_index(healthy: Settings) -> None:
    drop_search_index(healthy.database)

    level, message = worst_findings(healthy)["search"]

    assert level is Level.WARN
    assert ("FTS5" if healthy.is_embedded else "CREATE EXTENSION pg_trgm; CREATE INDEX") in message


@ON_POSTGRESQL
class TestConnections:
    @pytest.mark.parametrize(
        ("per_process", "level", "message"),
        [
            (9, Level.OK, "processes with up to 9 each"),
            (500, Level.FAIL, "one process may open 500 -> raise max_connections"),
        ],
    )
    def test_server_must_allow_those_of_a_process(
        self, healthy: Settings, per_process: int, level: Level, message: str
    ) -> None:
        found = worst_findings(healthy.model_copy(update={"database_connections": per_process}))

        assert found["connections"][0] is level
        assert message in found["connections"][1]

    def test_another_process_must_find_room(self, healthy: Settings) -> None:
        reserved = "current_setting('superuser_reserved_connections')::int"
        limit = int(run_sql(healthy.database, f"SELECT current_setting('max_connections')::int - {reserved}"))

        found = worst_findings(healthy.model_copy(update={"database_connections": limit}))

        assert found["connections"][0] is Level.WARN


@ON_SQLITE
class TestSqlite:
    def test_damaged_pages(self, healthy: Settings) -> None:
        damage(healthy.data_dir / "crewai-runner.db")

        assert Level.FAIL in problems(healthy).values()

    def test_damaged_index(self, healthy: Settings) -> None:
        run_sql(healthy.database, "PRAGMA writable_schema=ON")
        root = run_sql(healthy.database, "SELECT rootpage FROM sqlite_master WHERE name = 'ix_runs_newest'")
        size = run_sql(healthy.database, "PRAGMA page_size")
        path = healthy.data_dir / "crewai-runner.db"
        data = bytearray(path.read_bytes())
        data[(root - 1) * size + 3 : (root - 1) * size + 5] = b"\0\0"  # the page says it holds no entries
        path.write_bytes(data)

        assert worst_findings(healthy)["integrity"][0] is Level.FAIL

    def test_dangling_references(self, healthy: Settings) -> None:
        run_sql(healthy.database, "DELETE FROM runs WHERE id = '1'")

        level, text = worst_findings(healthy)["integrity"]

        assert level is Level.FAIL
        assert "reference missing rows" in text

    def test_unused_space_that_the_file_cannot_release(
        self, healthy: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(stored_data, "MAX_UNUSED_BYTES", 0)
        run_sql(healthy.database, "CREATE TABLE big AS SELECT zeroblob(100000) AS content")
        run_sql(healthy.database, "DROP TABLE big")
        assert "file size" not in worst_findings(healthy)
        turn_off_auto_vacuum(healthy)
        run_sql(healthy.database, "CREATE TABLE big AS SELECT zeroblob(100000) AS content")
        run_sql(healthy.database, "DROP TABLE big")

        level, text = worst_findings(healthy)["file size"]

        assert level is Level.WARN
        assert "crewai-runner compact" in text


def test_retention_in_force(healthy: Settings) -> None:
    text = worst_findings(healthy.model_copy(update={"runs_kept_days": 30}))["retention"][1]

    assert "runs are kept 30 day(s)" in text
    assert "events for ever" in text


@ON_POSTGRESQL
class TestPostgresql:
    def test_dead_worker_and_its_run(self, healthy: Settings) -> None:
        run_sql(
            healthy.database,
            "INSERT INTO dbos.worker_lease VALUES ('dead', now() - interval '1 hour', now())",
        )
        run_sql(healthy.database, "UPDATE dbos.workflow_status SET status = 'PENDING', executor_id = 'gone'")

        findings = worst_findings(healthy)

        assert findings["workers"][0] is findings["orphans"][0] is Level.WARN
        assert "1 have sent no heartbeat" in findings["workers"][1]
        assert f"{ROWS} running run(s) have lost their worker" in findings["orphans"][1]

    def test_live_worker(self, healthy: Settings) -> None:
        run_sql(healthy.database, "INSERT INTO dbos.worker_lease VALUES ('alive', now(), now())")
        run_sql(healthy.database, "UPDATE dbos.workflow_status SET status = 'PENDING', executor_id = 'alive'")

        assert problems(healthy) == {}

    @pytest.mark.parametrize(("skew", "level"), [(10, Level.WARN), (-100, Level.FAIL)])
    def test_clock_skew(
        self, healthy: Settings, monkeypatch: pytest.MonkeyPatch, skew: int, level: Level
    ) -> None:
        monkeypatch.setattr(
            database, "_TIME", database.text(f"SELECT extract(epoch FROM clock_timestamp()) + {skew}")
        )

        assert worst_findings(healthy)["clock"][0] is level


def test_unreachable_database(tmp_path: Path) -> None:
    url = "postgresql://me:canary-of-a-password@127.0.0.1:1/nothing"

    level, text = worst_findings(make_settings(tmp_path, url, api_port=0, local_model="off"))["database"]

    assert level is Level.FAIL
    assert "127.0.0.1:1/nothing" in text
    assert "canary" not in text


@ON_SQLITE
class TestComponents:
    def test_engine_cannot_be_loaded(self, healthy: Settings, engine: dict[str, Any]) -> None:
        engine.update(state="failed", message="ImportError: no")

        assert worst_findings(healthy)["engine"][0] is Level.FAIL

    def test_engine_of_another_version(self, healthy: Settings, engine: dict[str, Any]) -> None:
        engine.update(native=False)

        assert worst_findings(healthy)["engine"][0] is Level.WARN

    def test_provider_package_is_missing(self, healthy: Settings, engine: dict[str, Any]) -> None:
        engine.update(absent=["anthropic", "gemini"])
        assert worst_findings(healthy)["providers"][0] is Level.OK

        run_sql(healthy.database, "UPDATE providers SET type = 'anthropic'")

        level, text = worst_findings(healthy)["providers"]
        assert level is Level.FAIL
        assert "uv sync --extra anthropic" in text
        assert "gemini" not in text

    @pytest.mark.parametrize(
        ("mode", "level"), [("auto", Level.WARN), ("eager", Level.FAIL), ("off", Level.OK)]
    )
    def test_built_in_model_is_not_installed(
        self, healthy: Settings, monkeypatch: pytest.MonkeyPatch, mode: str, level: Level
    ) -> None:
        monkeypatch.setattr(
            components, "installation_problem", lambda: "The built-in model is not installed."
        )

        findings = worst_findings(healthy.model_copy(update={"local_model": LocalModelMode(mode)}))

        assert findings["local model"][0] is level

    def test_runtime_cannot_be_loaded(self, healthy: Settings, engine: dict[str, Any]) -> None:
        engine.update(state="failed", message="OSError: libgomp.so.1")

        findings = worst_findings(healthy.model_copy(update={"local_model": LocalModelMode.AUTO}))

        assert "libgomp" in findings["local model"][1]

    def test_dashboard(self, healthy: Settings, tmp_path: Path) -> None:
        assert worst_findings(healthy)["dashboard"][0] is Level.WARN

        (tmp_path / "index.html").touch()

        assert (
            worst_findings(healthy.model_copy(update={"frontend_dir": tmp_path}))["dashboard"][0] is Level.OK
        )

    def test_low_disk_space(self, healthy: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        for free, level in ((10 * 1024**2, Level.FAIL), (500 * 1024**2, Level.WARN)):
            usage = folder.shutil._ntuple_diskusage(2 * free, free, free)  # type: ignore[attr-defined]
            monkeypatch.setattr(folder.shutil, "disk_usage", lambda _path, usage=usage: usage)

            assert worst_findings(healthy)["disk"][0] is level

    def test_failing_check_does_not_stop_the_others(
        self, healthy: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_settings: Settings) -> Iterator[Any]:
            raise RuntimeError("canary")

        monkeypatch.setattr(checks.stored_data, "check_secrets", fail)

        findings = worst_findings(healthy)

        assert findings["database"] == (
            Level.FAIL,
            "could not be checked (RuntimeError) -> see the lines above",
        )
        assert "dashboard" in findings


class TestPort:
    def test_free_port(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            number = probe.getsockname()[1]

        assert port.check_port(_port_settings(number)).level is Level.OK

    def test_port_used_by_another_program(self) -> None:
        with responding(b"nginx") as number:
            assert port.check_port(_port_settings(number)).level is Level.FAIL

    def test_silent_listener(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(port, "TIMEOUT_SECONDS", 0.1)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            assert port.check_port(_port_settings(silent.getsockname()[1])).level is Level.FAIL

    def test_port_used_by_the_server(self) -> None:
        with responding(b'{"status":"healthy"}') as number:
            finding = port.check_port(_port_settings(number, "0.0.0.0"))

        assert (finding.level, "is running" in finding.message) == (Level.OK, True)

    def test_remote_address_is_not_contacted(self) -> None:
        finding = port.check_port(_port_settings(80, "192.0.2.1"))

        assert finding.level is Level.WARN


def _port_settings(number: int, host: str = "127.0.0.1") -> Settings:
    return Settings(_env_file=None, api_host=host, api_port=number)  # type: ignore[call-arg]


@contextmanager
def responding(body: bytes) -> Iterator[int]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
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
    def test_prints_one_line_per_finding_and_sets_the_exit_status(
        self, healthy: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name, value in (("DATA_DIR", str(healthy.data_dir)), ("LOCAL_MODEL", "off"), ("API_PORT", "0")):
            monkeypatch.setenv(name, value)

        assert main(["doctor"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert all(line.split()[0] in list(Level) for line in lines)
        assert len(lines) > 12

        make_group_readable("secret-key")(healthy)
        assert main(["doctor"]) == 1


class TestProjects:
    @pytest.mark.parametrize(
        ("mode", "is_holding", "level"),
        [
            (ProjectsMode.AUTO, True, Level.OK),
            (ProjectsMode.AUTO, False, Level.WARN),
            (ProjectsMode.OFF, False, Level.OK),
            (ProjectsMode.UNSANDBOXED, False, Level.FAIL),
        ],
    )
    def test_sandbox(
        self,
        tmp_path: Path,
        probe: dict[str, SandboxProbe],
        mode: ProjectsMode,
        is_holding: bool,
        level: Level,
    ) -> None:
        probe["probe"] = SandboxProbe(is_holding, "A message.", "" if is_holding else "install bubblewrap")

        finding = projects.check_projects(Settings.model_construct(projects=mode, data_dir=tmp_path))

        assert finding.level is level
        assert (finding.hint == "") == (level is Level.OK)
