"""Keys that can be recognised anywhere, and everything that crews leave behind searched for them."""

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

from tests.contract.world import DOCUMENT, REVIEWED, forget_providers
from tests.support.database import is_postgresql
from tests.support.scripted_provider import Fail, Hang, RecordedRequest, Reply, Say, ScriptedProvider
from tests.support.server_process import API_KEY, ApiClient, ServerProcess

pytestmark = [pytest.mark.process, pytest.mark.crew, pytest.mark.timeout(300)]

# The part in the middle is the same however the rest is escaped.
CORES = {"plain": "7c1f0b9e2d8a4c63", "awkward": "5e8d21c0a97b3f46", "inline": "c4b19f70e6d2853a"}
KEYS = {
    "plain": f"sk-canary-{CORES['plain']}-tail",
    "awkward": f"""sk-'"\\{CORES["awkward"]}\\n%41{{x}}&<>"'""",
    "inline": f"sk-inline'\"{CORES['inline']}-tail",
}
PATIENT = DOCUMENT.replace("Known", "Patient")


def leaks(text: str | bytes) -> list[str]:
    """Which keys a text gives away: as they are, or in base64."""
    seen = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    found = [name for name, core in CORES.items() if core.encode() in seen]
    found += [name for name, key in KEYS.items() if base64.b64encode(key.encode()) in seen]
    return found + (["api-key"] if API_KEY.encode() in seen or quote(API_KEY).encode() in seen else [])


def echo(request: RecordedRequest) -> Reply:
    """A provider that says too much."""
    key = request.api_key or ""
    said = {"message": f"Incorrect API key {key}, also written {key!r} and {json.dumps(key)}", "key": key}
    return Fail(401, body={"error": said})


def tell(request: RecordedRequest) -> Reply:
    """A model that says too much."""
    return Say(f"My key is {request.api_key}. Goodbye.")


class Echo(BaseHTTPRequestHandler):
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
        """Quiet."""


@pytest.fixture(scope="module")
def echoing() -> Iterator[str]:
    """The address of a server that quotes whatever key it is given."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module", params=["plain", "awkward", "inline"])
def told(request: pytest.FixtureRequest, observed: ServerProcess, echoing: str) -> dict[str, str]:
    """Everything the API said while crews used this key: by what was asked."""
    said: dict[str, str] = {}
    key = KEYS[request.param]
    with ScriptedProvider() as provider, observed.client() as client:
        forget_providers(client)
        config = {"name": "canary", "type": "openai_compatible", "apiKey": key, "baseUrl": provider.base_url}
        more = {"providerConfig": config | {"models": ["some-model"]}} if request.param == "inline" else {}
        if not more:
            said["registered"] = client.http.get(
                f"/api/providers/{client.register_provider(provider.base_url, key=key)}"
            ).text
        for name, act in STORIES.items():
            provider.reset()
            said |= {f"{name}: {what}": text for what, text in _story(client, provider, more, act).items()}
        assert {one.api_key for one in provider.requests} == {key}
        said |= _asked_beside(client, config | {"baseUrl": echoing})
        forget_providers(client)
    return said


def _story(
    client: ApiClient, provider: ScriptedProvider, more: dict[str, object], act: Callable[..., str]
) -> dict[str, str]:
    run_id = act(client, provider, more)
    said = {
        what: client.http.get(f"/api/runs/{run_id}{path}").text
        for what, path in {
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
    return said | {"list": client.http.get("/api/runs").text}


def _follow(client: ApiClient, run_id: str) -> None:
    """To the end; every frame, live text included, is without the key."""
    frames = list(client.stream(run_id))
    assert leaks(json.dumps(frames)) == []
    live = "".join(frame["data"]["text"] for frame in frames if frame["type"] == "llm.chunk")
    assert leaks(live) == []


def _completes(client: ApiClient, provider: ScriptedProvider, more: dict[str, object]) -> str:
    provider.on(tell)
    run_id = client.start_run(DOCUMENT, **more)
    _follow(client, run_id)
    client.wait_for_state(run_id, "completed")
    return run_id


def _fails(client: ApiClient, provider: ScriptedProvider, more: dict[str, object]) -> str:
    provider.on(echo)
    run_id = client.start_run(DOCUMENT, **more)
    _follow(client, run_id)
    client.wait_for_state(run_id, "failed")
    answer = client.http.post("/api/chat", json={"workflowId": run_id, "message": "Why?"})
    # 502, or 422 when the key was given for that run only and is forgotten with it.
    assert answer.status_code in (422, 502)
    assert leaks(answer.text) == []
    return run_id


def _is_stopped(client: ApiClient, provider: ScriptedProvider, more: dict[str, object]) -> str:
    provider.on(Hang(60))
    run_id = client.start_run(PATIENT, **more)
    provider.wait_for_requests(1, timeout=60)
    client.post(f"/api/runs/{run_id}/stop")
    client.wait_for_state(run_id, "stopped")
    return run_id


def _waits(client: ApiClient, provider: ScriptedProvider, more: dict[str, object]) -> str:
    provider.on(tell)
    run_id = client.start_run(REVIEWED, **more)
    client.wait_for_state(run_id, "waiting")
    return run_id


STORIES = {"completed": _completes, "failed": _fails, "stopped": _is_stopped, "waiting": _waits}


def _asked_beside(client: ApiClient, config: dict[str, str]) -> dict[str, str]:
    """What else carries keys: trying out, refusals, and what describes the server."""
    http = client.http
    registered = http.post("/api/providers", json={"provider": config | {"name": "echoing"}}).json()[
        "provider"
    ]
    wrong = config | {"type": "nonsense", "models": "nonsense"}
    return {
        "tried out": http.post("/api/providers/test", json={"provider": config}).text,
        "tried": http.post(f"/api/providers/{registered['id']}/test").text,
        "live models": http.get(f"/api/providers/{registered['id']}/models").text,
        "refused": http.post("/api/providers", json={"provider": wrong}).text,
        "refused, bare": http.post("/api/providers", json=wrong).text,
        "refused key": http.post(
            "/api/providers", json={"provider": config | {"apiKey": config["apiKey"] + " é"}}
        ).text,
        "refused run": http.post("/api/runs", json={"workflow": DOCUMENT, "providerConfig": wrong}).text,
        "not json": http.post("/api/providers", content=json.dumps(config)[:-1]).text,
        "providers": http.get("/api/providers").text,
        "about": http.get("/api/about").text,
        "openapi": http.get("/openapi.json").text,
        "ready": http.get("/health/ready").text,
    }


def test_no_answer_and_no_event_holds_a_key(told: dict[str, str]) -> None:
    assert len(told) > 40
    assert {what: leaks(text) for what, text in told.items() if leaks(text)} == {}


def test_the_stories_were_told(told: dict[str, str]) -> None:
    """So that silence is no success: the provider's words arrived, with the key masked."""
    for what in ("failed: run", "completed: run", "completed: artifact", "waiting: approvals", "tried"):
        # A refusal's text also loses whatever looks like a key, before the keys themselves are looked for.
        assert "••••••" in told[what] or "[secret]" in told[what], (what, told[what])


def test_exports_hold_no_key(told: dict[str, str], observed: ServerProcess) -> None:
    with observed.client() as client:
        saved = client.post("/api/workflows", {"workflow": {"yaml": DOCUMENT}})["workflow"]["id"]
        for form in ("yaml", "crewai"):
            content = client.http.get(f"/api/workflows/{saved}/export", params={"format": form}).content
            assert leaks(content) == []
            if form == "crewai":
                with zipfile.ZipFile(io.BytesIO(content)) as archive:
                    assert [name for name in archive.namelist() if leaks(archive.read(name))] == []
        client.http.delete(f"/api/workflows/{saved}").raise_for_status()


def test_the_log_holds_no_key(told: dict[str, str], observed: ServerProcess) -> None:
    log = observed.log()

    assert '"level": "debug"' in log
    assert [line[:300] for line in log.splitlines() if leaks(line)] == []


def test_no_file_and_no_row_holds_a_key(told: dict[str, str], observed: ServerProcess) -> None:
    files = [path for path in sorted(observed.data_dir.rglob("*")) if path.is_file()]

    assert files
    assert {str(path): leaks(path.read_bytes()) for path in files if leaks(path.read_bytes())} == {}
    if is_postgresql(observed.database_url):
        assert {table: leaks(rows) for table, rows in _dump(observed.database_url) if leaks(rows)} == {}


def _dump(url: str) -> Iterator[tuple[str, str]]:
    """Every table of every schema as text, the queue's included."""
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables "
            "WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        assert len(tables) > 10
        for (table,) in tables:
            rows = connection.execute(f"SELECT t::text FROM {table} t").fetchall()  # type: ignore[call-overload]
            yield table, "\n".join(row[0] for row in rows)


def test_a_made_api_key_stands_in_its_file_alone(tmp_path: Path) -> None:
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
