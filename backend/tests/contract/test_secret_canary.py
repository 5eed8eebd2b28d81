"""Recognisable keys must not appear in anything that runs leave behind."""

import base64
import io
import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from tests.contract.seeded_workspace import DOCUMENT, REVIEWED, delete_all_providers
from tests.support.database import is_postgresql
from tests.support.scripted_provider import Fail, Hang, RecordedRequest, Reply, Say, ScriptedProvider
from tests.support.server_process import API_KEY, ApiClient, ServerProcess

pytestmark = [pytest.mark.process, pytest.mark.crew, pytest.mark.timeout(300)]

# The core of a key is the same in every encoding.
CORES = {"plain": "7c1f0b9e2d8a4c63", "escaped": "5e8d21c0a97b3f46", "inline": "c4b19f70e6d2853a"}
KEYS = {
    "plain": f"sk-canary-{CORES['plain']}-tail",
    "escaped": f"""sk-'"\\{CORES["escaped"]}\\n%41{{x}}&<>"'""",
    "inline": f"sk-inline'\"{CORES['inline']}-tail",
}
HANGING = DOCUMENT.replace("Known", "Hanging")


def find_leaks(text: str | bytes) -> list[str]:
    """Return the names of the keys that a text contains, plain or in base64."""
    content = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    found = [name for name, core in CORES.items() if core.encode() in content]
    found += [name for name, key in KEYS.items() if base64.b64encode(key.encode()) in content]
    return found + (["api-key"] if API_KEY.encode() in content or quote(API_KEY).encode() in content else [])


def fail_with_key(request: RecordedRequest) -> Reply:
    """A provider error that contains the key."""
    key = request.api_key or ""
    error = {"message": f"Incorrect API key {key}, also written {key!r} and {json.dumps(key)}", "key": key}
    return Fail(401, body={"error": error})


def reply_with_key(request: RecordedRequest) -> Reply:
    """A model response that contains the key."""
    return Say(f"My key is {request.api_key}. Goodbye.")


class KeyEchoHandler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        key = self.headers["Authorization"]
        body = json.dumps({"error": {"message": f"No models for {key} {key!r}", "key": key}}).encode()
        self.send_response(401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815  # the standard library's names

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture(scope="module")
def echo_url() -> Iterator[str]:
    """The URL of a server that returns the key it receives."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), KeyEchoHandler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module", params=["plain", "escaped", "inline"])
def outputs(request: pytest.FixtureRequest, recorded: ServerProcess, echo_url: str) -> dict[str, str]:
    """All responses of the API while runs used this key, by request."""
    texts: dict[str, str] = {}
    key = KEYS[request.param]
    with ScriptedProvider() as provider, recorded.client() as client:
        delete_all_providers(client)
        config = {"name": "canary", "type": "openai_compatible", "apiKey": key, "baseUrl": provider.base_url}
        options = {"providerConfig": config | {"models": ["some-model"]}} if request.param == "inline" else {}
        if not options:
            texts["registered"] = client.http.get(
                f"/api/providers/{client.register_provider(provider.base_url, key=key)}"
            ).text
        for name, act in SCENARIOS.items():
            provider.reset()
            texts |= {
                f"{name}: {what}": text
                for what, text in _run_scenario(client, provider, options, act).items()
            }
        assert {one.api_key for one in provider.requests} == {key}
        texts |= _send_other_requests(client, config | {"baseUrl": echo_url})
        delete_all_providers(client)
    return texts


def _run_scenario(
    client: ApiClient, provider: ScriptedProvider, options: dict[str, object], act: Callable[..., str]
) -> dict[str, str]:
    run_id = act(client, provider, options)
    texts = {
        name: client.http.get(f"/api/runs/{run_id}{path}").text
        for name, path in {
            "run": "",
            "events": "/events",
            "tasks": "/tasks",
            "usage": "/usage",
            "messages": "/messages",
            "artifacts": "/artifacts",
            "artifact": "/artifacts/draft.md",
            "approvals": f"/../../approvals?runId={run_id}",
        }.items()
    }
    return texts | {"list": client.http.get("/api/runs").text}


def _check_stream(client: ApiClient, run_id: str) -> None:
    """Read the stream to its end; no frame and no streamed text contains the key."""
    frames = list(client.stream(run_id))
    assert find_leaks(json.dumps(frames)) == []
    live = "".join(frame["data"]["text"] for frame in frames if frame["type"] == "llm.chunk")
    assert find_leaks(live) == []


def _complete(client: ApiClient, provider: ScriptedProvider, options: dict[str, object]) -> str:
    provider.on(reply_with_key)
    run_id = client.start_run(DOCUMENT, **options)
    _check_stream(client, run_id)
    client.wait_for_state(run_id, "completed")
    return run_id


def _fail(client: ApiClient, provider: ScriptedProvider, options: dict[str, object]) -> str:
    provider.on(fail_with_key)
    run_id = client.start_run(DOCUMENT, **options)
    _check_stream(client, run_id)
    client.wait_for_state(run_id, "failed")
    response = client.http.post("/api/chat", json={"workflowId": run_id, "message": "Why?"})
    # 502, or 422 when the key belongs to the run only and is no longer known.
    assert response.status_code in (422, 502)
    assert find_leaks(response.text) == []
    return run_id


def _stop(client: ApiClient, provider: ScriptedProvider, options: dict[str, object]) -> str:
    provider.on(Hang(60))
    run_id = client.start_run(HANGING, **options)
    provider.wait_for_requests(1, timeout=60)
    client.post(f"/api/runs/{run_id}/stop")
    client.wait_for_state(run_id, "stopped")
    return run_id


def _wait_for_approval(client: ApiClient, provider: ScriptedProvider, options: dict[str, object]) -> str:
    provider.on(reply_with_key)
    run_id = client.start_run(REVIEWED, **options)
    client.wait_for_state(run_id, "waiting")
    return run_id


SCENARIOS = {"completed": _complete, "failed": _fail, "stopped": _stop, "waiting": _wait_for_approval}


def _send_other_requests(client: ApiClient, config: dict[str, str]) -> dict[str, str]:
    """Responses to other requests with keys: connection tests, errors, and descriptions of the server."""
    http = client.http
    registered = http.post("/api/providers", json={"provider": config | {"name": "echoing"}}).json()[
        "provider"
    ]
    wrong = config | {"type": "nonsense", "models": "nonsense"}
    return {
        "unsaved test": http.post("/api/providers/test", json={"provider": config}).text,
        "stored test": http.post(f"/api/providers/{registered['id']}/test").text,
        "live models": http.get(f"/api/providers/{registered['id']}/models").text,
        "rejected": http.post("/api/providers", json={"provider": wrong}).text,
        "rejected, bare": http.post("/api/providers", json=wrong).text,
        "rejected key": http.post(
            "/api/providers", json={"provider": config | {"apiKey": config["apiKey"] + " é"}}
        ).text,
        "rejected run": http.post("/api/runs", json={"workflow": DOCUMENT, "providerConfig": wrong}).text,
        "not json": http.post("/api/providers", content=json.dumps(config)[:-1]).text,
        "providers": http.get("/api/providers").text,
        "about": http.get("/api/about").text,
        "openapi": http.get("/openapi.json").text,
        "ready": http.get("/health/ready").text,
    }


class TestSecretCanary:
    def test_responses_and_events(self, outputs: dict[str, str]) -> None:
        assert len(outputs) > 40
        assert {what: find_leaks(text) for what, text in outputs.items() if find_leaks(text)} == {}

    def test_masked_keys_were_present(self, outputs: dict[str, str]) -> None:
        """The key was in the data: the provider's texts arrived with the key masked."""
        for what in (
            "failed: run",
            "completed: run",
            "completed: artifact",
            "waiting: approvals",
            "stored test",
        ):
            # Error texts also lose everything that looks like a key, before known keys are masked.
            assert "••••••" in outputs[what] or "[secret]" in outputs[what], (what, outputs[what])

    def test_exports(self, outputs: dict[str, str], recorded: ServerProcess) -> None:
        with recorded.client() as client:
            saved = client.post("/api/workflows", {"workflow": {"yaml": DOCUMENT}})["workflow"]["id"]
            for form in ("yaml", "crewai"):
                content = client.http.get(f"/api/workflows/{saved}/export", params={"format": form}).content
                assert find_leaks(content) == []
                if form == "crewai":
                    with zipfile.ZipFile(io.BytesIO(content)) as archive:
                        assert [name for name in archive.namelist() if find_leaks(archive.read(name))] == []
            client.http.delete(f"/api/workflows/{saved}").raise_for_status()

    def test_log(self, outputs: dict[str, str], recorded: ServerProcess) -> None:
        log = recorded.log()

        assert '"level": "debug"' in log
        assert [line[:300] for line in log.splitlines() if find_leaks(line)] == []

    def test_files_and_database(self, outputs: dict[str, str], recorded: ServerProcess) -> None:
        files = [path for path in sorted(recorded.data_dir.rglob("*")) if path.is_file()]

        assert files
        assert {
            str(path): find_leaks(path.read_bytes()) for path in files if find_leaks(path.read_bytes())
        } == {}
        if is_postgresql(recorded.database_url):
            assert {
                table: find_leaks(rows) for table, rows in _dump(recorded.database_url) if find_leaks(rows)
            } == {}


def _dump(url: str) -> Iterator[tuple[str, str]]:
    """Yield every table of every schema as text, including those of the queue."""
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables "
            "WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        assert len(tables) > 10
        for (table,) in tables:
            rows = connection.execute(f"SELECT t::text FROM {table} t").fetchall()  # type: ignore[call-overload]
            yield table, "\n".join(row[0] for row in rows)


class TestApiKey:
    def test_generated_key_is_stored_in_its_file_only(self, tmp_path: Path) -> None:
        server = ServerProcess(tmp_path / "data", API_KEY="", ROLE="api", LOG_LEVEL="DEBUG").start()
        key = (server.data_dir / "api-key").read_text().strip()
        with server.client(key) as client:
            client.get("/api/models")
            client.http.get("/api/about", headers={"Authorization": f"Basic {key}"})
        server.stop()

        files = [path for path in server.data_dir.rglob("*") if path.is_file()]
        assert [path.name for path in files if key.encode() in path.read_bytes()] == ["api-key"]
        assert (server.data_dir / "api-key").stat().st_mode & 0o777 == 0o600
        assert (server.data_dir / "secret-key").stat().st_mode & 0o777 == 0o600
        assert key not in server.log()
