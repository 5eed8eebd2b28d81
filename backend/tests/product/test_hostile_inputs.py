"""The server answers health checks while it receives input that is made to stop it."""

import contextlib
import io
import json
import socket
import threading
import time
import zipfile
from collections import deque
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from tests.domain.test_schema_expansion import doubling
from tests.support.machine_speed import measure_slowdown
from tests.support.scripted_provider import CallTools, Fail, Reply, Say, ScriptedProvider
from tests.support.server_process import API_KEY, ApiClient, ServerProcess

pytestmark = [pytest.mark.process, pytest.mark.crew]
PROMISED_SECONDS = 1.0
"""Health checks are answered within this time; without the limits these inputs stop them for minutes."""

WORKFLOW = """\
name: Hostile
agents: {a: {role: r, goal: g, backstory: b, tools: [TOOLS]}}
tasks: {t: {description: d, expected_output: e, agent: a}}
"""
DEEP = '{"expression": ' + "[" * 5_000 + "]" * 5_000 + "}"


class HealthProbe:
    """Calls the health endpoint all the time, and records the longest time until an answer.

    The time is that of an idle machine: it is divided by how much longer a fixed piece of work takes at the
    same moment, so that the promise can be tested on a busy machine.
    """

    def __init__(self, server: ServerProcess) -> None:
        self._client = httpx.Client(base_url=server.url, timeout=300, trust_env=False)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._probe)
        self._slowdowns: deque[float] = deque(maxlen=5)
        self.longest_seconds = 0.0

    def __enter__(self) -> "HealthProbe":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        self._client.close()

    def _probe(self) -> None:
        self._slowdowns.append(measure_slowdown())
        while not self._stopped.wait(0.02):
            started = time.monotonic()
            self._client.get("/health").raise_for_status()
            seconds = time.monotonic() - started
            self._slowdowns.append(measure_slowdown())
            self.longest_seconds = max(self.longest_seconds, seconds / max(self._slowdowns))


@pytest.fixture
def probe(product: ServerProcess) -> Iterator[HealthProbe]:
    with HealthProbe(product) as probe:
        yield probe


class TestAnswersOfModels:
    @pytest.mark.parametrize(
        ("replies", "tools", "state"),
        [
            ([Say(chunks=["Action:", "\n" * 100_000])], "", "completed"),
            ([Say(chunks=["Thought: x\nAction 1:", " 1" * 50_000])], "", "completed"),
            ([CallTools([("A" * 30_000, "{}")]), Say("done")], "calculator", "completed"),
            ([CallTools([("calculator", DEEP)]), Say("done")], "calculator", "completed"),
            ([Fail(400, "guardrail " * 20_000)], "", "failed"),
        ],
        ids=["blank lines", "digits", "name of a tool", "deep arguments", "error"],
    )
    def test_run_ends_and_health_is_reported(
        self,
        client: ApiClient,
        provider: ScriptedProvider,
        probe: HealthProbe,
        replies: list[Reply],
        tools: str,
        state: str,
    ) -> None:
        provider.then(*replies)

        run_id = client.start_run(WORKFLOW.replace("TOOLS", tools))
        run = client.wait_for_state(run_id, "completed", "failed")

        assert run["status"] == state
        assert probe.longest_seconds < PROMISED_SECONDS

    def test_model_reads_what_is_wrong_with_deep_arguments(
        self, client: ApiClient, provider: ScriptedProvider
    ) -> None:
        provider.then(CallTools([("calculator", DEEP)]), Say("done"))

        client.wait_for_state(client.start_run(WORKFLOW.replace("TOOLS", "calculator")), "completed")

        assert "Nested more than 100 levels deep" in str(provider.requests[-1].messages)


class TestRequests:
    def test_health_is_reported(self, client: ApiClient, probe: HealthProbe) -> None:
        documents = "/api/yaml/validate"
        schema = json.dumps(doubling(16))
        bomb = WORKFLOW.replace("TOOLS", "").replace("agent: a}", f"agent: a, output_json: {schema}}}")
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as packed:
            packed.writestr("crew.jsonc", '\\"' * 1_000_000)
        zipped = {"Content-Type": "application/zip"}

        responses = [
            client.http.post(documents, json={f"k{n}": 1 for n in range(300_000)}),
            client.http.post(documents, json={"yamlContent": bomb}),
            client.http.post("/api/workflows/start", json={"workflow": bomb}),
            client.http.post("/api/workflows/import", content=archive.getvalue(), headers=zipped),
            client.http.post("/api/runs", content=DEEP, headers={"Content-Type": "application/json"}),
        ]

        assert [response.status_code for response in responses] == [422, 200, 422, 422, 422]
        assert "more than 600 values" in responses[1].text
        assert probe.longest_seconds < PROMISED_SECONDS

    def test_many_uploads_at_once(
        self, product: ServerProcess, client: ApiClient, probe: HealthProbe
    ) -> None:
        head = (
            "POST /api/workflows/import HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/zip\r\n"
            f"Authorization: Bearer {API_KEY}\r\nContent-Length: 4000000\r\n\r\n"
        ).encode()
        address = (urlsplit(product.url).hostname, urlsplit(product.url).port)
        with contextlib.ExitStack() as uploads:
            for _ in range(150):
                upload = uploads.enter_context(socket.create_connection(address, timeout=60))
                upload.sendall(head + b"x" * 1000)
            client.get("/api/models")
        client.get("/api/models")

        assert probe.longest_seconds < PROMISED_SECONDS
        assert "ClientDisconnect" not in product.log()
