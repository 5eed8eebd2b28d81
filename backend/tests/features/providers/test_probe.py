"""The connection test against real sockets: every stage fails in its own way."""

import json
import socket
import threading
from pathlib import Path

import pytest

from crewai_runner.core.egress import EgressPolicy, guarded_blocking_client
from crewai_runner.domain.provider import ProviderType
from crewai_runner.features.providers.probe import Probe
from crewai_runner.features.providers.schemas import ConnectionReport, Stage
from tests.support.scripted_provider import ScriptedProvider
from tests.support.servers import (
    Behaviour,
    always,
    answering,
    flood,
    saying,
    self_signed,
    server,
    silence,
)

KEY = "sk-canary-7c1f0b9e2d8a4c63-LAST"
LENIENT = EgressPolicy(allow_private=True)
T = ProviderType
SHORT = 2.0


@pytest.fixture(autouse=True, scope="module")
def _certificates() -> None:
    """Read once, before any clock runs: the first client of a process takes its time."""
    guarded_blocking_client(LENIENT).close()


async def probe(
    url: str,
    *,
    kind: ProviderType = T.OPENAI_COMPATIBLE,
    key: str | None = KEY,
    egress: EgressPolicy = LENIENT,
    limit: float = 10.0,
    wanted: tuple[str, ...] = (),
) -> ConnectionReport:
    report = await Probe(egress, kind, url, key, limit_seconds=limit).run(wanted)
    assert KEY not in report.model_dump_json()
    return report


async def probe_server(behaviour: Behaviour, **options: object) -> ConnectionReport:
    async with server(behaviour) as port:
        return await probe(f"http://127.0.0.1:{port}/v1", **options)  # type: ignore[arg-type]


def failed_at(report: ConnectionReport) -> Stage:
    assert not report.ok
    assert report.message
    assert report.latency_ms >= 0
    return report.stage


class TestDns:
    async def test_a_name_that_is_not_found(self) -> None:
        def unknown(_host: str, _port: int) -> list[str]:
            raise OSError("unknown")

        report = await probe("http://nowhere.example/v1", egress=EgressPolicy(True, unknown))

        assert failed_at(report) is Stage.DNS
        assert "nowhere.example was not found" in report.message

    async def test_a_look_up_that_takes_for_ever(self) -> None:
        release = threading.Event()

        def slow(_host: str, _port: int) -> list[str]:
            release.wait(60)
            return ["127.0.0.1"]

        try:
            report = await probe("http://slow.example/v1", egress=EgressPolicy(True, slow), limit=SHORT)
        finally:
            release.set()

        assert failed_at(report) is Stage.DNS
        assert "2 s" in report.message

    @pytest.mark.parametrize("url", ["http://127.0.0.1:9/v1", "http://169.254.169.254/v1"])
    async def test_an_address_where_this_server_may_not_go(self, url: str) -> None:
        report = await probe(url, egress=EgressPolicy(allow_private=False))

        assert failed_at(report) is Stage.DNS


class TestConnect:
    async def test_a_closed_port(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]

            report = await probe(f"http://127.0.0.1:{port}/v1")

        assert failed_at(report) is Stage.CONNECT
        assert f"127.0.0.1:{port}: nothing listens there" in report.message


class TestTls:
    async def test_a_port_without_tls(self) -> None:
        async with server(saying(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
            report = await probe(f"https://127.0.0.1:{port}/v1")

        assert failed_at(report) is Stage.TLS
        assert "http://" in report.message
        assert "_ssl.c" not in report.message

    async def test_a_certificate_nobody_trusts(self, tmp_path: Path) -> None:
        async with server(silence, self_signed(tmp_path)) as port:
            report = await probe(f"https://127.0.0.1:{port}/v1")

        assert failed_at(report) is Stage.TLS
        assert "certificate is not trusted (self-signed certificate)" in report.message

    async def test_a_server_that_never_shakes_hands(self) -> None:
        async with server(silence) as port:
            report = await probe(f"https://127.0.0.1:{port}/v1", limit=SHORT)

        assert failed_at(report) is Stage.TLS
        assert "did not answer within 2 s" in report.message


class TestAuth:
    async def test_a_wrong_key_in_the_providers_words(self) -> None:
        body = json.dumps({"error": {"message": f"Incorrect API key provided: {KEY}."}})

        report = await probe_server(always(401, body))

        assert failed_at(report) is Stage.AUTH
        assert "Incorrect API key provided: ••••••." in report.message
        assert "does not take this API key (HTTP 401)" in report.message

    async def test_a_missing_key(self) -> None:
        report = await probe_server(always(403, "{}"), key=None)

        assert failed_at(report) is Stage.AUTH
        assert "wants an API key" in report.message

    async def test_a_wrong_key_of_gemini(self) -> None:
        body = json.dumps([{"error": {"code": 400, "message": "API key not valid."}}])

        report = await probe_server(always(400, body), kind=T.GEMINI)

        assert failed_at(report) is Stage.AUTH

    async def test_openrouters_public_list_does_not_hide_a_wrong_key(self) -> None:
        def respond(head: str) -> tuple[int, str, str]:
            if head.startswith("GET /v1/key "):
                return 401, "application/json", '{"error": {"message": "No auth credentials found"}}'
            return 200, "application/json", '{"data": [{"id": "x"}]}'

        report = await probe_server(answering(respond), kind=T.OPENROUTER)

        assert failed_at(report) is Stage.AUTH

    async def test_a_server_that_never_answers(self) -> None:
        report = await probe_server(silence, limit=SHORT)

        assert failed_at(report) is Stage.AUTH
        assert "did not answer within 2 s" in report.message

    async def test_a_port_that_speaks_something_else(self) -> None:
        report = await probe_server(saying(b"220 mail.example ESMTP\r\n"))

        assert failed_at(report) is Stage.AUTH
        assert "does not speak HTTP" in report.message


class TestModel:
    @pytest.mark.parametrize(
        ("status", "body", "kind", "words"),
        [
            (200, "<html></html>", "text/html", "not with a list of models"),
            (200, "{}", "application/json", "not with a list of models"),
            (404, '{"error": "no route"}', "application/json", "“no route”"),
            (404, "{}", "application/json", "/v1"),
            (429, '{"error": {"message": "slow down"}}', "application/json", "“slow down”"),
            (500, "boom", "text/plain", "“boom”"),
            (302, "", "text/plain", "leads elsewhere"),
        ],
    )
    async def test_an_answer_that_is_no_list_of_models(
        self, status: int, body: str, kind: str, words: str
    ) -> None:
        report = await probe_server(always(status, body, kind))

        assert failed_at(report) is Stage.MODEL
        assert words in report.message

    async def test_a_redirect_is_not_followed_with_the_key(self) -> None:
        heads: list[str] = []

        await probe_server(answering(lambda _head: (302, "text/plain", ""), heads))

        assert len(heads) == 1

    async def test_an_answer_without_an_end(self) -> None:
        report = await probe_server(flood)

        assert not report.ok
        assert "more than" in report.message

    async def test_models_that_are_counted_on_but_not_there(self) -> None:
        report = await probe_server(always(200, '{"data": [{"id": "a"}]}'), wanted=("a", "b"))

        assert failed_at(report) is Stage.MODEL
        assert "`b`" in report.message
        assert report.models == ["a"]

    async def test_a_key_hidden_in_the_names_is_masked(self) -> None:
        report = await probe_server(always(200, json.dumps({"data": [{"id": f"x-{KEY}"}]})))

        assert report.models == ["x-••••••"]

    async def test_every_part_of_a_bedrock_key_is_masked(self) -> None:
        async with server(always(403, '{"message": "bad secret-part-1 token-part-2"}')) as port:
            dialed = Probe(LENIENT, T.OPENAI, f"http://127.0.0.1:{port}", "AKID:secret-part-1:token-part-2")
            report = await dialed.run()

        assert "secret-part-1" not in report.message
        assert "token-part-2" not in report.message


class TestDone:
    async def test_a_good_provider_with_a_good_key(self) -> None:
        with ScriptedProvider(api_key=KEY, models=("alpha", "beta")) as provider:
            report = await probe(provider.base_url, wanted=("beta",))

        assert report.ok
        assert report.stage is Stage.DONE
        assert report.models == ["alpha", "beta"]
        assert "2 models" in report.message

    async def test_the_same_provider_with_a_wrong_key(self) -> None:
        with ScriptedProvider(api_key="another-key", models=("alpha",)) as provider:
            report = await probe(provider.base_url)

        assert failed_at(report) is Stage.AUTH

    async def test_anthropic_hears_its_own_headers(self) -> None:
        heads: list[str] = []
        respond = answering(lambda _head: (200, "application/json", '{"data": [{"id": "claude"}]}'), heads)

        report = await probe_server(respond, kind=T.ANTHROPIC)

        assert report.ok
        assert heads[0].startswith("GET /v1/models?limit=1000 ")
        assert f"x-api-key: {KEY}" in heads[0]
        assert "anthropic-version: 2023-06-01" in heads[0]
        assert "authorization" not in heads[0].lower()

    async def test_azure_says_what_it_cannot_tell(self) -> None:
        behaviour = always(200, '{"data": [{"id": "gpt-4o-2024-08-06"}]}')

        report = await probe_server(behaviour, kind=T.AZURE, wanted=("my-deployment",))

        assert report.ok
        assert "deployments" in report.message

    async def test_a_bedrock_address_of_ones_own_counts_as_reached_whatever_it_says(self) -> None:
        report = await probe_server(always(403, "{}"), kind=T.BEDROCK, key="AKID:secret")

        assert report.ok
        assert "Only the connection was tried" in report.message
