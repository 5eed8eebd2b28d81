"""Running crews contact their provider only."""

import re
from pathlib import Path

import pytest

from tests.contract.seeded_workspace import delete_all_providers
from tests.support.scripted_provider import CallTools, Fail, Say, ScriptedProvider
from tests.support.server_process import TWO_TASKS, ServerProcess

# On SQLite every connection is CrewAI's or the product's own: no connection of a database is among them.
pytestmark = [
    pytest.mark.process,
    pytest.mark.crew,
    pytest.mark.timeout(300),
    pytest.mark.parametrize("recorded", ["sqlite"], indirect=True),
]

LOOPBACK = ("127.0.0.1", "::1", "localhost")
WITH_MEMORY = TWO_TASKS.replace("name: Two tasks", "name: Everything on\nmemory: true\nplanning: true")


def read_recording(server: ServerProcess) -> list[str]:
    return Path(server.data_dir.parent / "egress").read_text().splitlines()


class TestEgress:
    def test_crew_contacts_its_provider_only(self, recorded: ServerProcess) -> None:
        with ScriptedProvider() as provider, recorded.client() as client:
            provider.then(Say("Facts."), CallTools([("nothing", {})]), Fail(500, "later"))
            delete_all_providers(client)
            client.register_provider(provider.base_url, name="egress")
            for workflow in (TWO_TASKS, WITH_MEMORY):
                started = client.http.post("/api/workflows/start", json={"workflow": workflow})
                assert started.is_success or workflow is WITH_MEMORY, started.text
                if started.is_success:
                    list(client.stream(started.json()["runId"]))
            port = provider.port
            delete_all_providers(client)

        lines = read_recording(recorded)
        connected = {line for line in lines if line.startswith("socket.connect ")}
        assert f"socket.connect ('127.0.0.1', {port})" in connected, "the recorder does not see connections"
        external = [line for line in lines if line.startswith("socket.") and not _is_local(line)]
        assert external == []

    def test_starts_no_unexpected_subprocess(self, recorded: ServerProcess) -> None:
        started = {
            line.split()[1] for line in read_recording(recorded) if line.startswith("subprocess.Popen")
        }

        assert started <= {"'uname'", "'file'"}


def _is_local(line: str) -> bool:
    """Loopback, or a Unix socket."""
    address = re.search(r"'([^']*)'", line)
    return address is not None and (address[1] in LOOPBACK or address[1].startswith("/"))
