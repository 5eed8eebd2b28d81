"""The production compose file, built and driven for real. `make test-compose`; needs a Docker engine."""

import gzip
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.sync.client import connect

from tests.storm.compose import ROOT, ComposeFleet, docker
from tests.storm.fleet import DATABASE, free_port
from tests.storm.storm import Blow, Storm
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_process import API_KEY, TWO_TASKS

pytestmark = [pytest.mark.timeout(2400)]
MEMBERS = ("api-1", "api-2", "worker-1", "worker-2", "nginx-1", DATABASE)
BLOWS = (
    Blow(4, "worker-1", 1),
    Blow(16, "api-1", 1),
    Blow(24, DATABASE, 1),
    Blow(36, "worker-2", 1),
    Blow(48, "api-2", 1),
)


@pytest.fixture(scope="module")
def fleet() -> Iterator[ComposeFleet]:
    with ComposeFleet(ALLOW_PRIVATE_URLS="true", LEASE_SECONDS="10") as running:
        yield running


@pytest.fixture
def provider(fleet: ComposeFleet) -> Iterator[ScriptedProvider]:
    with ScriptedProvider(host="0.0.0.0") as scripted:  # containers call it
        yield scripted
        fleet.forget_providers()


def test_only_nginx_is_reached_from_outside(fleet: ComposeFleet) -> None:
    published = {
        member: [port for port, at in fleet.inspect(member)["NetworkSettings"]["Ports"].items() if at]
        for member in MEMBERS
    }

    assert published == {member: ["8080/tcp"] if member == "nginx-1" else [] for member in MEMBERS}
    assert list(fleet.inspect(DATABASE)["NetworkSettings"]["Networks"]) == ["crewai-runner-test_inside"]


@pytest.mark.parametrize("member", ["api-1", "worker-1", "nginx-1"])
def test_a_container_may_do_little(fleet: ComposeFleet, member: str) -> None:
    found = fleet.inspect(member)

    assert found["HostConfig"]["ReadonlyRootfs"]
    assert found["HostConfig"]["CapDrop"] == ["ALL"]
    assert found["HostConfig"]["SecurityOpt"] == ["no-new-privileges:true"]
    assert found["Config"]["User"] not in ("", "0", "root")
    assert found["State"]["Health"]["Status"] == "healthy"
    assert "Uid:\t0" not in fleet.execute(member, "cat", "/proc/self/status")


def test_images_hold_no_build_tools(fleet: ComposeFleet) -> None:
    found = fleet.execute("api-1", "sh", "-c", "command -v gcc make git uv npm node || true")
    installed = fleet.execute(
        "api-1", "python", "-c", "import importlib.util as u; print(u.find_spec('xllamacpp'))"
    )

    assert found == ""
    assert installed.strip() == "None"
    for image in ("crewai-runner-backend", "crewai-runner-nginx"):
        print(image, round(int(docker("image", "inspect", "-f", "{{.Size}}", image)) / 1e6), "MB")


def test_the_proxys_settings_are_sound(fleet: ComposeFleet) -> None:
    fleet.execute("nginx-1", "nginx", "-t", "-q")


def test_tls_is_one_file_away(fleet: ComposeFleet, tmp_path: Path) -> None:
    make_certificate(tmp_path)
    port, plain = free_port(), free_port()
    mounts = [
        f"{ROOT}/nginx/optional/tls.conf:/etc/nginx/conf.d/tls.conf:ro",
        f"{tmp_path}:/etc/nginx/certificates:ro",
    ]
    options = [word for mount in mounts for word in ("-v", mount)]
    ports = ["-p", f"127.0.0.1:{port}:8443", "-p", f"127.0.0.1:{plain}:8081"]
    name = docker(
        "run", "-d", "--rm", "--read-only", "--tmpfs", "/tmp", *ports, *options, "crewai-runner-nginx"
    )
    try:
        docker("exec", name.strip(), "nginx", "-t", "-q")
        with httpx.Client(verify=False, trust_env=False) as browser:  # a certificate of our own
            page = browser.get(f"https://localhost:{port}/")
            moved = browser.get(f"http://localhost:{plain}/runs?state=failed")
    finally:
        docker("kill", name.strip())

    assert (page.status_code, page.headers["strict-transport-security"]) == (200, "max-age=31536000")
    assert (moved.status_code, moved.headers["location"]) == (308, "https://localhost/runs?state=failed")


def make_certificate(folder: Path) -> None:
    """A self-signed certificate for localhost, readable by the container's user."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = built.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    signed = built.sign(key, hashes.SHA256())
    folder.chmod(0o755)
    (folder / "fullchain.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    (folder / "privkey.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))


def test_pages_assets_and_documents(fleet: ComposeFleet) -> None:
    with httpx.Client(base_url=fleet.urls[0], trust_env=False) as browser:
        page, deep = browser.get("/"), browser.get("/workflows/some/page")
        asset = page.text.split('src="/assets/')[1].split('"')[0]
        script = browser.get(f"/assets/{asset}")
        missing, docs = browser.get("/assets/gone-1a2b.js"), browser.get("/docs")
        style, figures = browser.get("/docs/assets/swagger-ui.css"), browser.get("/metrics")

    assert page.text == deep.text
    assert page.headers["cache-control"] == "no-cache"
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert script.headers["content-encoding"] == "gzip"
    assert len(gzip.compress(script.content)) > int(script.headers["content-length"]) * 0.9
    assert (missing.status_code, docs.status_code, style.status_code) == (404, 200, 200)
    assert figures.status_code == 404


def test_the_api_behind_the_proxy(fleet: ComposeFleet, provider: ScriptedProvider) -> None:
    with fleet.client() as client:
        asked = client.http.get("/api/models", headers={"X-Request-Id": "asked-by-a-test"})
        stranger = client.http.get("/api/models", headers={"Authorization": "Bearer wrong"})
        huge = client.http.post("/api/yaml/validate", content=b"x" * (5 * 1024 * 1024))
        about = client.get("/api/about")
        client.register_provider(f"http://{fleet.provider_host}:{provider.port}/v1")
        run_id = client.start_run(TWO_TASKS)
        client.wait_for_state(run_id, "completed")
        frames = list(client.stream(run_id))
        answer = client.post("/api/chat", {"workflowId": run_id, "message": "What came out?"})
    url = f"ws://127.0.0.1:{fleet.port}/api/v1/runs/{run_id}/ws"
    with connect(url, proxy=None, additional_headers={"Authorization": f"Bearer {API_KEY}"}) as socket:
        first = socket.recv(timeout=20)

    assert asked.headers["x-request-id"] == "asked-by-a-test"
    assert (stranger.status_code, huge.status_code) == (401, 413)
    assert (about["role"], about["database"], about["workers"]) == ("api", "postgresql", 2)
    assert frames[-1]["type"] == "run.completed"
    assert "run.snapshot" in first
    assert answer["response"]


def test_replicas_come_and_go_without_a_stalled_request(fleet: ComposeFleet) -> None:
    took: list[float] = []
    wrong: list[str] = []
    ending = threading.Event()

    def ask() -> None:
        with fleet.client() as client:
            while not ending.is_set():
                began = time.monotonic()
                response = client.http.get("/api/models")
                took.append(time.monotonic() - began)
                if response.status_code != 200:
                    wrong.append(f"{response.status_code} after {took[-1]:.1f} s")
                time.sleep(0.05)

    callers = [threading.Thread(target=ask) for _ in range(4)]
    for caller in callers:
        caller.start()
    for replicas in (3, 1, 2):
        fleet.compose("up", "--wait", "--no-recreate", "--scale", f"api={replicas}", "--scale", "worker=2")
        time.sleep(3)
    ending.set()
    for caller in callers:
        caller.join()

    took.sort()
    print(f"{len(took)} requests while replicas came and went")
    print(f"p99 {took[int(len(took) * 0.99)]:.2f} s, the longest {took[-1]:.2f} s")
    assert not wrong
    assert max(took) < 5


def test_a_worker_that_is_told_to_end_hands_its_runs_back(
    fleet: ComposeFleet, provider: ScriptedProvider
) -> None:
    provider.delay = 2.0
    with fleet.client() as client:
        client.register_provider(f"http://{fleet.provider_host}:{provider.port}/v1")
        runs = [client.start_run(TWO_TASKS) for _ in range(6)]
        time.sleep(1.5)
        fleet.compose("restart", "worker")
        for run_id in runs:
            run = client.wait_for_state(run_id, "completed")
            assert run["attempt"] == 1


async def test_a_storm_loses_nothing_and_pays_nothing_twice(
    fleet: ComposeFleet, provider: ScriptedProvider
) -> None:
    provider.delay = 3.0
    fleet.wait_for_engine("worker-1")
    fleet.wait_for_engine("worker-2")
    storm = Storm(fleet, provider, f"http://{fleet.provider_host}:{provider.port}/v1", BLOWS, quiet=5)
    try:
        await storm.run()
    except BaseException:
        print(fleet.compose("logs", "--tail", "60", "api", "worker")[-20000:])
        raise
    print(f"\n{storm.report()}")
