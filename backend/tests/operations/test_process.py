"""The commands beside a running product, and the product on what they restored."""

import json
import os
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
from tests.support.places import PRODUCT_ON
from tests.support.product import API_KEY, BACKEND, TWO_TASKS, Client, Product
from tests.support.scripted_provider import Hold, Say, ScriptedProvider

pytestmark = [pytest.mark.process]

PROVIDER_KEY = "sk-canary-of-the-provider-0123456789"
LATER_KEY = "sk-canary-of-a-later-provider-0123"


def command(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command with these settings and no others."""
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


def said(done: subprocess.CompletedProcess[str], status: int = 0) -> str:
    """What it printed, which is never a secret."""
    assert done.returncode == status, done.stdout + done.stderr
    text = done.stdout + done.stderr
    assert "canary" not in text
    return text


@pytest.fixture(params=PRODUCT_ON)
def two_places(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Product, Product]]:
    with ExitStack() as stack:
        places = []
        for name in ("one", "two"):
            postgresql = request.param == "postgresql"
            more = {"DATABASE_URL": stack.enter_context(empty_postgresql())} if postgresql else {}
            places.append(Product(tmp_path / name / "data", DRAIN_SECONDS="1", **more))
            (tmp_path / name).mkdir()
        yield places[0], places[1]
        for product in places:
            if product.running:
                product.stop()


def settings_of(product: Product) -> dict[str, str]:
    return {"DATA_DIR": str(product.data_dir), "API_KEY": API_KEY, **product._settings}


@pytest.mark.crew
@pytest.mark.timeout(300)
def test_a_live_backup_goes_on_elsewhere(two_places: tuple[Product, Product], tmp_path: Path) -> None:
    one, two = two_places
    backup = tmp_path / "b.tar.gz"
    with ScriptedProvider() as provider:
        provider.on(Hold("until the restore", Say("At last.")), last_contains="about coffee")
        with one.start().client() as client:
            client.register(provider.base_url, key=PROVIDER_KEY)
            finished = client.start_run(TWO_TASKS)
            story = (client.wait_for(finished, "completed"), client.events(finished))
            at_work = client.start_run(TWO_TASKS, inputs={"topic": "coffee"})
            client.wait_for_event(at_work, "task.completed")

            told = said(command("backup", backup, **settings_of(one)))
            assert "Backup written" in told
            assert "Sealed credentials: 1" in told
            shutil.copy(one.data_dir / "secret-key", tmp_path / "secret-key")
            rotate_beside(one, client, provider)
            examine_beside(one)
        assert one.stop() == 0
        held = said(command("restore", backup, "--force", **settings_of(two)))
        assert "1 credential(s) are sealed under a key that is not here" in held
        shutil.copy(tmp_path / "secret-key", two.data_dir / "secret-key")
        provider.release("until the restore")

        with two.start().client() as client:
            assert (client.run(finished), client.events(finished)) == story
            assert client.wait_for(at_work, "completed")["attempt"] == 1
            assert [event["type"] for event in client.events(at_work)].count("run.resumed") == 1
            before = len(provider.requests)
            client.wait_for(client.start_run(TWO_TASKS, inputs={"topic": "milk"}), "completed")
            assert [request.api_key for request in provider.requests[before:]] == [PROVIDER_KEY] * 2
        assert "canary" not in one.log() + two.log()


def rotate_beside(product: Product, client: Client, provider: ScriptedProvider) -> None:
    """The key is replaced while the server runs; it reads what is stored, stores more under the new one."""
    old = (product.data_dir / "secret-key").read_text().strip()

    told = said(command("rotate-secret-key", **settings_of(product)))

    assert "1 stored secret(s), 1 sealed again" in told
    new = (product.data_dir / "secret-key").read_text().strip()
    assert old not in new
    assert old not in told
    assert new not in told
    later = {"name": "later", "type": "openai_compatible", "apiKey": LATER_KEY, "baseUrl": provider.base_url}
    client.post("/api/providers", {"provider": later})
    before = len(provider.requests)
    client.wait_for(client.start_run(TWO_TASKS, inputs={"topic": "juice"}), "completed")
    assert [request.api_key for request in provider.requests[before:]] == [PROVIDER_KEY] * 2


def examine_beside(product: Product) -> None:
    port = product.url.rsplit(":", 1)[1]
    report = json.loads(said(command("doctor", "--json", **settings_of(product) | {"API_PORT": port})))

    found: dict[str, Any] = {finding["check"]: finding for finding in report["findings"]}
    assert report["healthy"] is True
    assert found["secrets"]["message"] == "2 stored credential(s), all readable"
    assert "CrewAI Runner answers" in found["port"]["message"]
    assert found["engine"]["level"] == "ok", found["engine"]
    assert found["providers"]["level"] == "ok"


@ON_SQLITE
def test_a_backup_that_was_killed_is_not_there(full: Settings, tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from crewai_runner.operations import archive\n"
        "from crewai_runner.cli import main\n"
        "pack = archive.pack\n"
        "def then_die(*arguments):\n    pack(*arguments)\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        "archive.pack = then_die\n"
        "main(['backup', sys.argv[1]])\n"
    )
    target = tmp_path / "b.tar.gz"
    variables = {"DATA_DIR": str(full.data_dir), "DATABASE_URL": full.database}

    killed = subprocess.run(
        [sys.executable, "-c", program, str(target)],
        cwd=BACKEND,
        env=os.environ | variables,
        check=False,
    )

    assert killed.returncode == -signal.SIGKILL
    assert not target.exists()
    said(command("backup", target, **variables))
    assert [path.name for path in tmp_path.glob("b.tar.gz*")] == ["b.tar.gz"]


class TestWords:
    """Every refusal is one line on stderr and status 1; wrong settings are status 2."""

    @ON_SQLITE
    def test_a_file_that_exists(self, full: Settings, tmp_path: Path) -> None:
        (tmp_path / "b").touch()

        done = command("backup", tmp_path / "b", DATA_DIR=str(full.data_dir))

        assert (done.stdout, len(done.stderr.splitlines())) == ("", 1)
        assert "exists already; --force replaces it" in said(done, 1)

    def test_a_database_that_is_away(self, tmp_path: Path) -> None:
        url = "postgresql://me:canary-of-a-password@127.0.0.1:1/nothing"

        done = command("backup", tmp_path / "b", DATABASE_URL=url, DATA_DIR=str(tmp_path))

        assert "127.0.0.1:1/nothing does not answer" in said(done, 1)
        assert len(done.stderr.splitlines()) == 1

    def test_wrong_settings(self, tmp_path: Path) -> None:
        assert "Wrong setting: API_PORT" in said(command("restore", tmp_path / "b", API_PORT="canary"), 2)

    def test_nothing_to_restore(self, tmp_path: Path) -> None:
        told = said(command("restore", tmp_path / "b", DATA_DIR=str(tmp_path / "data")), 1)

        assert told == f"There is no file {tmp_path / 'b'}.\n"
        assert not (tmp_path / "data").exists()

    @ON_SQLITE
    def test_what_nobody_opens(self, full: Settings) -> None:
        (full.data_dir / "secret-key").unlink()
        told = said(command("rotate-secret-key", DATA_DIR=str(full.data_dir)), 1)
        assert "There is no key file" in told

        new = command("new-key").stdout.strip()
        lost = command("rotate-secret-key", DATA_DIR=str(full.data_dir), SECRET_KEY=new)

        assert "No key opens the credential of: providers: " in said(lost, 1)
        assert new not in lost.stdout + lost.stderr
