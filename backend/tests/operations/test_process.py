"""The maintenance commands while the product runs, and the product on restored data."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from crewai_runner.core.settings import Settings
from tests.operations.conftest import ON_SQLITE
from tests.support.database import empty_postgresql
from tests.support.environment import PROCESS_TEST_BACKENDS
from tests.support.scripted_provider import Hold, Say, ScriptedProvider
from tests.support.server_process import API_KEY, BACKEND, TWO_TASKS, ApiClient, ServerProcess

pytestmark = [pytest.mark.process]

PROVIDER_KEY = "sk-canary-of-the-provider-0123456789"
LATER_KEY = "sk-canary-of-a-later-provider-0123"


def command(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command with only these settings."""
    known = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    return subprocess.run(
        [sys.executable, "-m", "crewai_runner", *map(str, arguments)],
        cwd=BACKEND,
        env=known | {"LOCAL_MODEL": "off", **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def output_of(done: subprocess.CompletedProcess[str], status: int = 0) -> str:
    """Its output, checked for secrets."""
    assert done.returncode == status, done.stdout + done.stderr
    text = done.stdout + done.stderr
    assert "canary" not in text
    return text


@pytest.fixture(params=PROCESS_TEST_BACKENDS)
def two_installations(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[ServerProcess, ServerProcess]]:
    with ExitStack() as stack:
        products = []
        for name in ("one", "two"):
            postgresql = request.param == "postgresql"
            more = {"DATABASE_URL": stack.enter_context(empty_postgresql())} if postgresql else {}
            # The second waits until the first one's lease of a run ends.
            more |= {"DRAIN_SECONDS": "1", "LEASE_SECONDS": "8"}
            products.append(ServerProcess(tmp_path / name / "data", **more))
            (tmp_path / name).mkdir()
        yield products[0], products[1]
        for product in products:
            if product.is_running:
                product.stop()


def settings_of(product: ServerProcess) -> dict[str, str]:
    return {"DATA_DIR": str(product.data_dir), "API_KEY": API_KEY, **product._settings}


@pytest.mark.crew
@pytest.mark.timeout(300)
def test_live_backup_continues_on_another_installation(
    two_installations: tuple[ServerProcess, ServerProcess], tmp_path: Path
) -> None:
    one, two = two_installations
    backup = tmp_path / "b.tar.gz"
    with ScriptedProvider() as provider:
        provider.on(Hold("until the restore", Say("At last.")), last_contains="about coffee")
        with one.start().client() as client:
            client.register_provider(provider.base_url, key=PROVIDER_KEY)
            finished = client.start_run(TWO_TASKS)
            snapshot = (client.wait_for_state(finished, "completed"), client.events(finished))
            running_id = client.start_run(TWO_TASKS, inputs={"topic": "coffee"})
            client.wait_for_event(running_id, "task.completed")

            output = output_of(command("backup", backup, **settings_of(one)))
            assert "Backup written" in output
            assert re.search(r"Encrypted credentials: [12]\b", output), output
            shutil.copy(one.data_dir / "secret-key", tmp_path / "secret-key")
            rotate_while_running(one, client, provider)
            run_doctor_while_running(one)
        assert one.stop() == 0
        output = output_of(command("restore", backup, "--force", **settings_of(two)))
        assert re.search(r"\b[12] credential\(s\) are encrypted with a missing key", output), output
        shutil.copy(tmp_path / "secret-key", two.data_dir / "secret-key")
        provider.release("until the restore")

        with two.start().client() as client:
            assert (client.run(finished), client.events(finished)) == snapshot
            assert client.wait_for_state(running_id, "completed")["attempt"] == 1
            assert [event["type"] for event in client.events(running_id)].count("run.resumed") == 1
            before = len(provider.requests)
            client.wait_for_state(client.start_run(TWO_TASKS, inputs={"topic": "milk"}), "completed")
            assert [request.api_key for request in provider.requests[before:]] == [PROVIDER_KEY] * 2
        assert "canary" not in one.log() + two.log()


def rotate_while_running(product: ServerProcess, client: ApiClient, provider: ScriptedProvider) -> None:
    """Rotate the key while the server runs; it reads old secrets and encrypts new ones with the new key."""
    old = (product.data_dir / "secret-key").read_text().strip()

    output = output_of(command("rotate-secret-key", **settings_of(product)))

    # The provider's key and, once something is recorded, the ends of the audit log's chain. The server
    # may write these with the new key before the rotation reaches them.
    assert re.search(r"\b[12] stored secret\(s\), [12] re-encrypted", output), output
    new = (product.data_dir / "secret-key").read_text().strip()
    assert old not in new
    assert old not in output
    assert new not in output
    later = {"name": "later", "type": "openai_compatible", "apiKey": LATER_KEY, "baseUrl": provider.base_url}
    client.post("/api/providers", {"provider": later})
    before = len(provider.requests)
    client.wait_for_state(client.start_run(TWO_TASKS, inputs={"topic": "juice"}), "completed")
    assert [request.api_key for request in provider.requests[before:]] == [PROVIDER_KEY] * 2


def run_doctor_while_running(product: ServerProcess) -> None:
    port = product.url.rsplit(":", 1)[1]
    report = json.loads(output_of(command("doctor", "--json", **settings_of(product) | {"API_PORT": port})))

    findings: dict[str, Any] = {finding["check"]: finding for finding in report["findings"]}
    assert report["healthy"] is True
    assert re.fullmatch(r"[23] stored credential\(s\), all readable", findings["secrets"]["message"])
    assert "CrewAI Runner is running" in findings["port"]["message"]
    assert findings["engine"]["level"] == "ok", findings["engine"]
    assert findings["providers"]["level"] == "ok"


@ON_SQLITE
def test_killed_backup_leaves_no_file(populated: Settings, tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from crewai_runner.operations import archive\n"
        "from crewai_runner.cli import main\n"
        "pack = archive.pack\n"
        "def pack_and_die(*arguments):\n    pack(*arguments)\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        "archive.pack = pack_and_die\n"
        "main(['backup', sys.argv[1]])\n"
    )
    target = tmp_path / "b.tar.gz"
    variables = {"DATA_DIR": str(populated.data_dir), "DATABASE_URL": populated.database}

    killed = subprocess.run(
        [sys.executable, "-c", program, str(target)],
        cwd=BACKEND,
        env=os.environ | variables,
        check=False,
    )

    assert killed.returncode == -signal.SIGKILL
    assert not target.exists()
    output_of(command("backup", target, **variables))
    assert [path.name for path in tmp_path.glob("b.tar.gz*")] == ["b.tar.gz"]


class TestErrorOutput:
    """Errors are one line on stderr with status 1; invalid settings have status 2."""

    @ON_SQLITE
    def test_existing_file(self, populated: Settings, tmp_path: Path) -> None:
        (tmp_path / "b").touch()

        done = command("backup", tmp_path / "b", DATA_DIR=str(populated.data_dir))

        assert (done.stdout, len(done.stderr.splitlines())) == ("", 1)
        assert "already exists; use --force" in output_of(done, 1)

    def test_unreachable_database(self, tmp_path: Path) -> None:
        url = "postgresql://me:canary-of-a-password@127.0.0.1:1/nothing"

        done = command("backup", tmp_path / "b", DATABASE_URL=url, DATA_DIR=str(tmp_path))

        assert "127.0.0.1:1/nothing is not available" in output_of(done, 1)
        assert len(done.stderr.splitlines()) == 1

    def test_invalid_settings(self, tmp_path: Path) -> None:
        assert "Invalid setting: API_PORT" in output_of(
            command("restore", tmp_path / "b", API_PORT="canary"), 2
        )

    def test_missing_backup(self, tmp_path: Path) -> None:
        output = output_of(command("restore", tmp_path / "b", DATA_DIR=str(tmp_path / "data")), 1)

        assert output == f"The file {tmp_path / 'b'} does not exist.\n"
        assert not (tmp_path / "data").exists()

    @ON_SQLITE
    def test_undecryptable_secrets(self, populated: Settings) -> None:
        (populated.data_dir / "secret-key").unlink()
        output = output_of(command("rotate-secret-key", DATA_DIR=str(populated.data_dir)), 1)
        assert "does not exist: nothing has been encrypted" in output

        new = command("new-key").stdout.strip()
        lost = command("rotate-secret-key", DATA_DIR=str(populated.data_dir), SECRET_KEY=new)

        assert "No key decrypts the credential of: audit_chains: " in output_of(lost, 1)
        assert new not in lost.stdout + lost.stderr
