"""Tests of docker-compose.yml in real containers. Run with `make test-compose`; requires Docker."""

import contextlib
import gzip
import selectors
import socket
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

from tests.chaos.compose_deployment import ROOT, ComposeDeployment, docker
from tests.chaos.deployment import DATABASE, free_port
from tests.chaos.scenario import ChaosScenario, Kill
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_process import API_KEY, TWO_TASKS

pytestmark = [pytest.mark.timeout(2400)]
MEMBERS = ("api-1", "api-2", "worker-1", "worker-2", "nginx-1", DATABASE)
KILLS = (
    Kill(4, "worker-1", 1),
    Kill(16, "api-1", 1),
    Kill(24, DATABASE, 1),
    Kill(36, "worker-2", 1),
    Kill(48, "api-2", 1),
)


@pytest.fixture(scope="module")
def deployment() -> Iterator[ComposeDeployment]:
    with ComposeDeployment(ALLOW_PRIVATE_HOSTS="true", LEASE_SECONDS="10") as running:
        yield running


@pytest.fixture
def provider(deployment: ComposeDeployment) -> Iterator[ScriptedProvider]:
    with ScriptedProvider(host="0.0.0.0") as scripted:  # containers call it
        yield scripted
        deployment.delete_providers()


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


class TestContainers:
    def test_only_nginx_publishes_a_port(self, deployment: ComposeDeployment) -> None:
        published = {
            member: [
                port for port, at in deployment.inspect(member)["NetworkSettings"]["Ports"].items() if at
            ]
            for member in MEMBERS
        }

        assert published == {member: ["8080/tcp"] if member == "nginx-1" else [] for member in MEMBERS}
        assert list(deployment.inspect(DATABASE)["NetworkSettings"]["Networks"]) == [
            "crewai-runner-test_database"
        ]

    @pytest.mark.parametrize("member", ["api-1", "worker-1", "nginx-1", DATABASE])
    def test_container_is_hardened(self, deployment: ComposeDeployment, member: str) -> None:
        found = deployment.inspect(member)

        assert found["HostConfig"]["ReadonlyRootfs"]
        assert found["HostConfig"]["CapDrop"] == ["ALL"]
        assert found["HostConfig"]["SecurityOpt"] == ["no-new-privileges:true"]
        assert found["Config"]["User"] not in ("", "0", "root")
        assert found["State"]["Health"]["Status"] == "healthy"
        assert "Uid:\t0" not in deployment.execute(member, "cat", "/proc/self/status")
        assert found["HostConfig"]["Memory"] > 0
        assert found["HostConfig"]["PidsLimit"] > 0
        assert found["HostConfig"]["NanoCpus"] > 0

    def test_images_contain_no_build_tools(self, deployment: ComposeDeployment) -> None:
        found = deployment.execute("api-1", "sh", "-c", "command -v gcc make git uv npm node || true")
        installed = deployment.execute(
            "api-1", "python", "-c", "import importlib.util as u; print(u.find_spec('xllamacpp'))"
        )

        assert found == ""
        assert installed.strip() == "None"
        for image in ("crewai-runner-backend", "crewai-runner-nginx"):
            print(image, round(int(docker("image", "inspect", "-f", "{{.Size}}", image)) / 1e6), "MB")


class TestNginx:
    def test_configuration_is_valid(self, deployment: ComposeDeployment) -> None:
        deployment.execute("nginx-1", "nginx", "-t", "-q")

    def test_tls_configuration_serves_https_and_redirects_http(
        self, deployment: ComposeDeployment, tmp_path: Path
    ) -> None:
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
            with httpx.Client(verify=False, trust_env=False) as browser:  # self-signed
                page = browser.get(f"https://localhost:{port}/")
                redirect = browser.get(f"http://localhost:{plain}/runs?state=failed")
        finally:
            docker("kill", name.strip())

        assert (page.status_code, page.headers["strict-transport-security"]) == (200, "max-age=31536000")
        assert (redirect.status_code, redirect.headers["location"]) == (
            308,
            "https://crews.example.org/runs?state=failed",
        )

    def test_static_files_have_the_right_headers(self, deployment: ComposeDeployment) -> None:
        with httpx.Client(base_url=deployment.urls[0], trust_env=False) as browser:
            page, deep_link = browser.get("/"), browser.get("/workflows/some/page")
            asset = page.text.split('src="/assets/')[1].split('"')[0]
            script = browser.get(f"/assets/{asset}")
            missing, docs = browser.get("/assets/gone-1a2b.js"), browser.get("/docs")
            style, metrics = browser.get("/docs/assets/swagger-ui.css"), browser.get("/metrics")

        assert page.text == deep_link.text
        assert page.headers["cache-control"] == "no-cache"
        assert "script-src 'self'" in page.headers["content-security-policy"]
        assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert script.headers["content-encoding"] == "gzip"
        assert len(gzip.compress(script.content)) > int(script.headers["content-length"]) * 0.9
        assert (missing.status_code, docs.status_code, style.status_code) == (404, 200, 200)
        assert metrics.status_code == 404

    def test_api_streams_and_websockets_are_proxied(
        self, deployment: ComposeDeployment, provider: ScriptedProvider
    ) -> None:
        with deployment.client() as client:
            with_request_id = client.http.get("/api/models", headers={"X-Request-Id": "request-id-of-a-test"})
            wrong_key = client.http.get("/api/models", headers={"Authorization": "Bearer wrong"})
            too_large = client.http.post("/api/yaml/validate", content=b"x" * (5 * 1024 * 1024))
            about = client.get("/api/about")
            client.register_provider(f"http://{deployment.provider_host}:{provider.port}/v1")
            run_id = client.start_run(TWO_TASKS)
            client.wait_for_state(run_id, "completed")
            frames = list(client.stream(run_id))
            reply = client.post("/api/chat", {"workflowId": run_id, "message": "What came out?"})
        url = f"ws://127.0.0.1:{deployment.port}/api/v1/runs/{run_id}/ws"
        with connect(url, proxy=None, additional_headers={"Authorization": f"Bearer {API_KEY}"}) as socket:
            first = socket.recv(timeout=20)

        assert with_request_id.headers["x-request-id"] == "request-id-of-a-test"
        assert (wrong_key.status_code, too_large.status_code) == (401, 413)
        assert (about["role"], about["database"], about["workers"]) == ("api", "postgresql", 2)
        assert frames[-1]["type"] == "run.completed"
        assert "run.snapshot" in first
        assert reply["response"]

    def test_sign_in_failures_count_for_the_client_and_not_for_nginx(
        self, deployment: ComposeDeployment
    ) -> None:
        guess = (
            "import urllib.request as r, urllib.error as e\n"
            "def ask(n):\n"
            "    q = r.Request('http://nginx:8080/api/models')\n"
            "    q.add_header('Authorization', 'Bearer wrong')\n"
            "    q.add_header('X-Forwarded-For', f'192.0.2.{n}')\n"
            "    try: return r.urlopen(q).status\n"
            "    except e.HTTPError as error: return error.code\n"
            "print(*{ask(n) for n in range(120)})"
        )
        statuses = deployment.execute("api-1", "python", "-c", guess).split()
        with deployment.client() as client:
            elsewhere = client.http.get("/api/models")

        assert set(statuses) == {"401", "429"}
        assert elsewhere.status_code == 200

    def test_slow_uploads_are_limited_and_stored_nowhere(self, deployment: ComposeDeployment) -> None:
        head = (
            "POST /api/yaml/validate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {API_KEY}\r\nContent-Length: 4000000\r\n\r\n"
        ).encode()
        before = deployment.memory()
        with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
            for _ in range(150):
                upload = socket.create_connection(("127.0.0.1", deployment.port), timeout=60)
                selector.register(stack.enter_context(upload), selectors.EVENT_READ)
                upload.sendall(head + b"x" * 200_000)
            refused = count_status(selector, b"429", expected=150 - 64)
            during = deployment.memory()
            stored = deployment.execute("nginx-1", "du", "-sk", "/tmp").split()[0]
            health = httpx.get(f"{deployment.urls[0]}/nginx-health", trust_env=False)
        with deployment.client() as client:
            after = client.http.get("/api/models")

        print(f"{refused} of 150 uploads refused; memory before {before}, during {during}")
        assert refused == 150 - 64
        assert int(stored) < 100
        assert (health.status_code, after.status_code) == (200, 200)


def count_status(selector: selectors.BaseSelector, status: bytes, expected: int) -> int:
    """Count the connections that are answered with this status, until there are as many as expected."""
    count, end = 0, time.monotonic() + 60
    while count < expected and time.monotonic() < end:
        for key, _ in selector.select(timeout=1):
            connection = key.fileobj
            assert isinstance(connection, socket.socket)
            count += connection.recv(65536).startswith(b"HTTP/1.1 " + status)
            selector.unregister(connection)
    return count


class TestScaling:
    def test_scaling_replicas_fails_no_request(self, deployment: ComposeDeployment) -> None:
        durations: list[float] = []
        errors: list[str] = []
        finished = threading.Event()

        def send_requests() -> None:
            with deployment.client() as client:
                while not finished.is_set():
                    start = time.monotonic()
                    response = client.http.get("/api/models")
                    durations.append(time.monotonic() - start)
                    if response.status_code != 200:
                        errors.append(f"{response.status_code} after {durations[-1]:.1f} s")
                    time.sleep(0.05)

        threads = [threading.Thread(target=send_requests) for _ in range(4)]
        for thread in threads:
            thread.start()
        for replicas in (3, 1, 2):
            deployment.compose(
                "up", "--wait", "--no-recreate", "--scale", f"api={replicas}", "--scale", "worker=2"
            )
            time.sleep(3)
        finished.set()
        for thread in threads:
            thread.join()

        durations.sort()
        print(f"{len(durations)} requests during scaling")
        print(f"p99 {durations[int(len(durations) * 0.99)]:.2f} s, maximum {durations[-1]:.2f} s")
        # How long a request takes depends on the machine; what the configuration promises is that none fails.
        assert not errors

    def test_restarted_workers_requeue_their_runs(
        self, deployment: ComposeDeployment, provider: ScriptedProvider
    ) -> None:
        provider.delay = 2.0
        with deployment.client() as client:
            client.register_provider(f"http://{deployment.provider_host}:{provider.port}/v1")
            runs = [client.start_run(TWO_TASKS) for _ in range(6)]
            time.sleep(1.5)
            deployment.compose("restart", "worker")
            for run_id in runs:
                run = client.wait_for_state(run_id, "completed")
                assert run["attempt"] == 1


class TestKills:
    async def test_no_event_is_lost_and_no_finished_task_is_repeated(
        self, deployment: ComposeDeployment, provider: ScriptedProvider
    ) -> None:
        provider.delay = 3.0
        deployment.wait_for_engine("worker-1")
        deployment.wait_for_engine("worker-2")
        scenario = ChaosScenario(
            deployment, provider, f"http://{deployment.provider_host}:{provider.port}/v1", KILLS, baseline=5
        )
        try:
            await scenario.run()
        except BaseException:
            print(deployment.compose("logs", "--tail", "60", "api", "worker")[-20000:])
            raise
        print(f"\n{scenario.report()}")
