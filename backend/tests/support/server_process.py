"""The server in a separate process, and an HTTP client for it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import httpx

from tests.support.server_template import ForkedServer, server_template

BACKEND = Path(__file__).parents[2]
API_KEY = "canary-of-the-api-key-0123456789"
TIMEOUT_SECONDS = 90.0


class ServerProcess:
    """A server process on a data directory; it can be killed and restarted on the same directory.

    It is forked from a process that has imported everything, unless its settings change the interpreter.
    """

    def __init__(self, data_dir: Path, **settings: str) -> None:
        self.data_dir = data_dir
        self.log_file = data_dir.parent / f"{data_dir.name}.log"
        self._settings = settings
        # What changes the interpreter has no effect on one that runs already.
        self._own_interpreter = "PYTHONPATH" in settings
        self._process: subprocess.Popen[bytes] | ForkedServer | None = None
        self.url = ""

    def start(self) -> "ServerProcess":
        inherited = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
        environment = inherited | {
            "DATA_DIR": str(self.data_dir),
            "API_KEY": API_KEY,
            "API_PORT": "0",
            "LOCAL_MODEL": "off",
            "LOG_FORMAT": "json",
            # Tests of the rate limit set a lower value.
            "RATE_LIMIT_BURST": "1000000",
            **self._settings,
        }
        with self.log_file.open("ab") as log:
            self._process = self._start_process(environment, log)
        self.url = self._read_url()
        return self

    def _start_process(
        self, environment: Mapping[str, str], log: IO[bytes]
    ) -> subprocess.Popen[bytes] | ForkedServer:
        if self._own_interpreter:
            command = [sys.executable, "-m", "crewai_runner", "serve"]
            return subprocess.Popen(command, cwd=BACKEND, env=environment, stdout=subprocess.PIPE, stderr=log)
        return server_template().fork(environment, log)

    def _read_url(self) -> str:
        """Read the URL that the server prints when it is ready."""
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if b"is running at" in line:
                return line.decode().split("is running at")[1].strip()
        self._process.stdout.close()
        self._process.wait()
        raise AssertionError(f"The server exited during startup:\n{self.log()[-3000:]}")

    def kill(self) -> None:
        """Kill the process with SIGKILL."""
        self._send_signal(signal.SIGKILL)

    def stop(self) -> int:
        """Send SIGTERM and return the exit status."""
        return self._send_signal(signal.SIGTERM)

    def _send_signal(self, number: signal.Signals) -> int:
        assert self._process is not None
        self._process.send_signal(number)
        status = self._process.wait(TIMEOUT_SECONDS)
        if self._process.stdout is not None:
            self._process.stdout.close()
        return status

    @property
    def database_url(self) -> str:
        """The URL of the server's database."""
        return self._settings.get("DATABASE_URL") or f"sqlite:///{self.data_dir / 'crewai-runner.db'}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def client(self, token: str | None = API_KEY) -> "ApiClient":
        return ApiClient(self.url, token)


class ApiClient:
    """An HTTP client of the API with shortcuts."""

    def __init__(self, url: str, token: str | None = API_KEY) -> None:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self.http = httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT_SECONDS, trust_env=False)

    def __enter__(self) -> "ApiClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def get(self, path: str, **params: Any) -> Any:
        return self._json(self.http.get(path, params=params))

    def post(self, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        return self._json(self.http.post(path, json=body if body is not None else {}, headers=headers))

    @staticmethod
    def _json(response: httpx.Response) -> Any:
        assert response.is_success, f"{response.status_code} {response.text[:2000]}"
        return response.json()

    def register_provider(
        self, base_url: str, *, key: str = "sk-scripted-provider-key-123", name: str = "scripted"
    ) -> str:
        """Register a provider with the default model `test-model`; returns its id."""
        provider = {"name": name, "type": "openai_compatible", "apiKey": key, "baseUrl": base_url}
        provider_id = self.post("/api/providers", {"provider": provider})["provider"]["id"]
        model = {
            "name": "test-model",
            "type": "llm",
            "providerId": provider_id,
            "default": True,
            "pricing": {"inputPerMillion": "1", "outputPerMillion": "2", "currency": "USD"},
        }
        self.post("/api/models", {"model": model})
        return str(provider_id)

    def start_run(self, workflow: str, **options: Any) -> str:
        return str(self.post("/api/workflows/start", {"workflow": workflow, **options})["runId"])

    def run(self, run_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"/api/runs/{run_id}")["run"]
        return found

    def wait_for_state(self, run_id: str, *states: str, timeout: float = TIMEOUT_SECONDS) -> dict[str, Any]:
        """Poll until the run is in one of these states."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            run = self.run(run_id)
            if run["status"] in states:
                return run
            if run["status"] in ("completed", "failed", "stopped", "crashed"):
                raise AssertionError(f"The run ended as {run['status']}: {run['error']}")
            time.sleep(0.05)
        raise AssertionError(f"The run is still {run['status']} after {timeout} s.")

    def events(self, run_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(f"/api/runs/{run_id}/events", limit=1000)["events"]
        return found

    def wait_for_event(self, run_id: str, kind: str, after: int = 0) -> dict[str, Any]:
        for frame in self.stream(run_id, after):
            if frame.get("type") == kind:
                return frame
        raise AssertionError(f"The stream ended without {kind}.")

    def stream(self, run_id: str, after: int = 0) -> Iterator[dict[str, Any]]:
        """Yield the frames of the event stream, each with its SSE `id`."""
        headers = {"Last-Event-ID": str(after)} if after else {}
        with self.http.stream("GET", f"/api/v1/runs/{run_id}/stream", headers=headers) as response:
            assert response.status_code == 200, response.read()
            fields: dict[str, str] = {}
            for line in response.iter_lines():
                name, _, value = line.partition(": ")
                if line:
                    fields[name] = value
                elif "data" in fields:
                    yield json.loads(fields["data"]) | {"id": fields.get("id")}
                    fields = {}
                else:
                    fields = {}


TWO_TASKS = """\
name: Two tasks
agents:
  researcher: {role: Researcher, goal: Find facts, backstory: Careful.}
  writer: {role: Writer, goal: Write, backstory: Clear.}
tasks:
  research: {description: "Find facts on {topic}", expected_output: Facts, agent: researcher}
  report: {description: "Write about {topic}", expected_output: A report, agent: writer, context: [research]}
inputs:
  topic: {type: string, default: tea}
"""
