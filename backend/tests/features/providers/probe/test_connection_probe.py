"""The connection probe against real sockets, failing at every stage."""

import json
import socket
import threading
from pathlib import Path

import pytest

from crewai_runner.core.egress import EgressPolicy, guarded_blocking_client
from crewai_runner.domain.provider import ProviderType
from crewai_runner.features.providers.probe.connection_probe import ConnectionProbe
from crewai_runner.features.providers.schemas import ConnectionReport, ConnectionStage
from tests.support.scripted_provider import ScriptedProvider
from tests.support.servers import (
    Behaviour,
    always,
    flood,
    http_server,
    self_signed_context,
    send_text,
    server,
    silence,
)

KEY = "sk-canary-7c1f0b9e2d8a4c63-LAST"
ALLOW_ALL = EgressPolicy(allow_private=True)
T = ProviderType
SHORT = 2.0


@pytest.fixture(autouse=True, scope="module")
def _load_certificates() -> None:
    """Load the certificates before any timeout: the first client of a process is slow."""
    guarded_blocking_client(ALLOW_ALL).close()


async def probe(
    url: str,
    *,
    provider_type: ProviderType = T.OPENAI_COMPATIBLE,
    key: str | None = KEY,
    egress: EgressPolicy = ALLOW_ALL,
    limit: float = 10.0,
    expected_models: tuple[str, ...] = (),
) -> ConnectionReport:
    report = await ConnectionProbe(egress, provider_type, url, key, limit_seconds=limit).run(expected_models)
    assert KEY not in report.model_dump_json()
    return report


async def probe_server(behaviour: Behaviour, **options: object) -> ConnectionReport:
    async with server(behaviour) as port:
        return await probe(f"http://127.0.0.1:{port}/v1", **options)  # type: ignore[arg-type]


def failed_stage(report: ConnectionReport) -> ConnectionStage:
    assert not report.ok
    assert report.message
    assert report.latency_ms >= 0
    return report.stage


class TestDns:
    async def test_unknown_host(self) -> None:
        def unknown(_host: str, _port: int) -> list[str]:
            raise OSError("unknown")

        report = await probe("http://nowhere.example/v1", egress=EgressPolicy(True, unknown))

        assert failed_stage(report) is ConnectionStage.DNS
        assert "nowhere.example was not found" in report.message

    async def test_slow_name_resolution(self) -> None:
        release = threading.Event()

        def slow(_host: str, _port: int) -> list[str]:
            release.wait(60)
            return ["127.0.0.1"]

        try:
            report = await probe("http://slow.example/v1", egress=EgressPolicy(True, slow), limit=SHORT)
        finally:
            release.set()

        assert failed_stage(report) is ConnectionStage.DNS
        assert "2 s" in report.message

    @pytest.mark.parametrize("url", ["http://127.0.0.1:9/v1", "http://169.254.169.254/v1"])
    async def test_forbidden_address(self, url: str) -> None:
        report = await probe(url, egress=EgressPolicy(allow_private=False))

        assert failed_stage(report) is ConnectionStage.DNS


class TestConnect:
    async def test_closed_port(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]

            report = await probe(f"http://127.0.0.1:{port}/v1")

        assert failed_stage(report) is ConnectionStage.CONNECT
        assert f"127.0.0.1:{port} failed: connection refused" in report.message


class TestTls:
    async def test_port_without_tls(self) -> None:
        async with server(send_text(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
            report = await probe(f"https://127.0.0.1:{port}/v1")

        assert failed_stage(report) is ConnectionStage.TLS
        assert "http://" in report.message
        assert "_ssl.c" not in report.message

    async def test_untrusted_certificate(self, tmp_path: Path) -> None:
        async with server(silence, self_signed_context(tmp_path)) as port:
            report = await probe(f"https://127.0.0.1:{port}/v1")

        assert failed_stage(report) is ConnectionStage.TLS
        assert "certificate is not trusted (self-signed certificate)" in report.message

    async def test_handshake_timeout(self) -> None:
        async with server(silence) as port:
            report = await probe(f"https://127.0.0.1:{port}/v1", limit=SHORT)

        assert failed_stage(report) is ConnectionStage.TLS
        assert "did not respond within 2 s" in report.message


class TestAuth:
    async def test_invalid_key_quotes_the_provider(self) -> None:
        body = json.dumps({"error": {"message": f"Incorrect API key provided: {KEY}."}})

        report = await probe_server(always(401, body))

        assert failed_stage(report) is ConnectionStage.AUTH
        assert "Incorrect API key provided: ••••••." in report.message
        assert "rejected the API key (HTTP 401)" in report.message

    async def test_missing_key(self) -> None:
        report = await probe_server(always(403, "{}"), key=None)

        assert failed_stage(report) is ConnectionStage.AUTH
        assert "requires an API key" in report.message

    async def test_invalid_gemini_key(self) -> None:
        body = json.dumps([{"error": {"code": 400, "message": "API key not valid."}}])

        report = await probe_server(always(400, body), provider_type=T.GEMINI)

        assert failed_stage(report) is ConnectionStage.AUTH

    async def test_invalid_openrouter_key(self) -> None:
        def respond(head: str) -> tuple[int, str, str]:
            if head.startswith("GET /v1/key "):
                return 401, "application/json", '{"error": {"message": "No auth credentials found"}}'
            return 200, "application/json", '{"data": [{"id": "x"}]}'

        report = await probe_server(http_server(respond), provider_type=T.OPENROUTER)

        assert failed_stage(report) is ConnectionStage.AUTH

    async def test_response_timeout(self) -> None:
        report = await probe_server(silence, limit=SHORT)

        assert failed_stage(report) is ConnectionStage.AUTH
        assert "did not respond within 2 s" in report.message

    async def test_other_protocol(self) -> None:
        report = await probe_server(send_text(b"220 mail.example ESMTP\r\n"))

        assert failed_stage(report) is ConnectionStage.AUTH
        assert "invalid HTTP response" in report.message


class TestModel:
    @pytest.mark.parametrize(
        ("status", "body", "content_type", "message"),
        [
            (200, "<html></html>", "text/html", "not with a list of models"),
            (200, "{}", "application/json", "not with a list of models"),
            (404, '{"error": "no route"}', "application/json", "“no route”"),
            (404, "{}", "application/json", "/v1"),
            (429, '{"error": {"message": "slow down"}}', "application/json", "“slow down”"),
            (500, "boom", "text/plain", "“boom”"),
            (302, "", "text/plain", "redirects"),
        ],
    )
    async def test_response_is_not_a_list_of_models(
        self, status: int, body: str, content_type: str, message: str
    ) -> None:
        report = await probe_server(always(status, body, content_type))

        assert failed_stage(report) is ConnectionStage.MODEL
        assert message in report.message

    async def test_redirects_are_not_followed(self) -> None:
        heads: list[str] = []

        await probe_server(http_server(lambda _head: (302, "text/plain", ""), heads))

        assert len(heads) == 1

    async def test_endless_response(self) -> None:
        report = await probe_server(flood)

        assert not report.ok
        assert "more than" in report.message

    async def test_expected_models_are_missing(self) -> None:
        report = await probe_server(always(200, '{"data": [{"id": "a"}]}'), expected_models=("a", "b"))

        assert failed_stage(report) is ConnectionStage.MODEL
        assert "`b`" in report.message
        assert report.models == ["a"]

    async def test_key_in_model_names_is_masked(self) -> None:
        report = await probe_server(always(200, json.dumps({"data": [{"id": f"x-{KEY}"}]})))

        assert report.models == ["x-••••••"]

    async def test_parts_of_a_bedrock_key_are_masked(self) -> None:
        async with server(always(403, '{"message": "bad secret-part-1 token-part-2"}')) as port:
            probe_with_parts = ConnectionProbe(
                ALLOW_ALL, T.OPENAI, f"http://127.0.0.1:{port}", "AKID:secret-part-1:token-part-2"
            )
            report = await probe_with_parts.run()

        assert "secret-part-1" not in report.message
        assert "token-part-2" not in report.message


class TestDone:
    async def test_valid_key(self) -> None:
        with ScriptedProvider(api_key=KEY, models=("alpha", "beta")) as provider:
            report = await probe(provider.base_url, expected_models=("beta",))

        assert report.ok
        assert report.stage is ConnectionStage.DONE
        assert report.models == ["alpha", "beta"]
        assert "2 models" in report.message

    async def test_invalid_key(self) -> None:
        with ScriptedProvider(api_key="another-key", models=("alpha",)) as provider:
            report = await probe(provider.base_url)

        assert failed_stage(report) is ConnectionStage.AUTH

    async def test_anthropic_headers(self) -> None:
        heads: list[str] = []
        behaviour = http_server(
            lambda _head: (200, "application/json", '{"data": [{"id": "claude"}]}'), heads
        )

        report = await probe_server(behaviour, provider_type=T.ANTHROPIC)

        assert report.ok
        assert heads[0].startswith("GET /v1/models?limit=1000 ")
        assert f"x-api-key: {KEY}" in heads[0]
        assert "anthropic-version: 2023-06-01" in heads[0]
        assert "authorization" not in heads[0].lower()

    async def test_azure_caveat(self) -> None:
        behaviour = always(200, '{"data": [{"id": "gpt-4o-2024-08-06"}]}')

        report = await probe_server(behaviour, provider_type=T.AZURE, expected_models=("my-deployment",))

        assert report.ok
        assert "deployments" in report.message

    async def test_custom_bedrock_address_accepts_any_response(self) -> None:
        report = await probe_server(always(403, "{}"), provider_type=T.BEDROCK, key="AKID:secret")

        assert report.ok
        assert "Only the connection was tested" in report.message
