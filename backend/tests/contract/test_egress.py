"""Nothing leaves the machine unasked: a crew at work reaches its provider and nobody else."""

import re
from pathlib import Path

import pytest

from tests.contract.world import forget_providers
from tests.support.scripted_provider import CallTools, Fail, Say, ScriptedProvider
from tests.support.server_process import TWO_TASKS, ServerProcess

pytestmark = [pytest.mark.process, pytest.mark.crew, pytest.mark.timeout(300)]

LOOPBACK = ("127.0.0.1", "::1", "localhost")
WITH_MEMORY = TWO_TASKS.replace("name: Two tasks", "name: Everything on\nmemory: true\nplanning: true")


def recorded(server: ServerProcess) -> list[str]:
    return Path(server.data_dir.parent / "egress").read_text().splitlines()


def test_a_crew_reaches_its_provider_and_nobody_else(observed: ServerProcess) -> None:
    with ScriptedProvider() as provider, observed.client() as client:
        provider.then(Say("Facts."), CallTools([("nothing", {})]), Fail(500, "later"))
        forget_providers(client)
        client.register_provider(provider.base_url, name="egress")
        for workflow in (TWO_TASKS, WITH_MEMORY):
            started = client.http.post("/api/workflows/start", json={"workflow": workflow})
            assert started.is_success or workflow is WITH_MEMORY, started.text
            if started.is_success:
                list(client.stream(started.json()["runId"]))
        port = provider.port
        forget_providers(client)

    seen = recorded(observed)
    connected = {line for line in seen if line.startswith("socket.connect ")}
    assert f"socket.connect ('127.0.0.1', {port})" in connected, "the recorder does not see connections"
    beyond = [line for line in seen if line.startswith("socket.") and not _local(line)]
    assert beyond == []


def test_no_process_is_started_but_to_ask_what_machine_this_is(observed: ServerProcess) -> None:
    started = {line.split()[1] for line in recorded(observed) if line.startswith("subprocess.Popen")}

    assert started <= {"'uname'", "'file'"}


def _local(line: str) -> bool:
    """Loopback, or a socket file on this machine."""
    place = re.search(r"'([^']*)'", line)
    return place is not None and (place[1] in LOOPBACK or place[1].startswith("/"))
