"""The hosts that the tools of a run may contact, with an executor as the server creates it."""

import asyncio
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from crewai_runner.core.settings import Settings
from crewai_runner.domain.network_access import NetworkAccess
from crewai_runner.executor.port import Completed, EngineState, Executor
from crewai_runner.features.metrics.instruments import Instruments
from crewai_runner.features.metrics.upkeep import UpkeepMetrics
from crewai_runner.wiring.adapters import make_egress, make_executor
from tests.executor.crew.harness import EngineHarness, Recorder, agent, workflow
from tests.support.scripted_provider import CallTools, Say, ScriptedProvider

pytestmark = pytest.mark.crew


@pytest.fixture(scope="module")
def executor(tmp_path_factory: pytest.TempPathFactory) -> Executor:
    """Providers may be anywhere; tools may contact one private address."""
    settings = Settings.model_construct(
        data_dir=tmp_path_factory.mktemp("data"), allow_private_hosts=True, tool_private_hosts=["127.0.0.1"]
    )
    created = make_executor(settings, make_egress(settings), UpkeepMetrics(Instruments()))
    asyncio.run(created.load())
    assert created.status().state is EngineState.READY
    return created


@pytest.fixture
def harness(executor: Executor, provider: ScriptedProvider) -> EngineHarness:
    return EngineHarness(executor, provider)


class Website:
    """A web server on every loopback address. `/to/<host>` redirects to a page of another host."""

    def __init__(self) -> None:
        self.hosts: list[str] = []
        website = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                website.hosts.append(self.headers["Host"].partition(":")[0])
                target = self.path.removeprefix("/to/")
                self.send_response(200 if target == self.path else 302)
                self.send_header("Location", f"http://{target}:{website.port}/page")
                self.send_header("Content-Type", "text/plain")
                self.end_headers()
                self.wfile.write(b"The page.")

            def log_message(self, *_: Any) -> None:
                """Write nothing."""

        self.server = ThreadingHTTPServer(("0.0.0.0", 0), Handler)
        self.port = self.server.server_port


@pytest.fixture
def website() -> Iterator[Website]:
    site = Website()
    thread = Thread(target=site.server.serve_forever, args=(0.02,))
    thread.start()
    yield site
    site.server.shutdown()
    site.server.server_close()
    thread.join()


async def fetch(harness: EngineHarness, url: str, **settings: Any) -> Recorder:
    """Run a crew whose agent fetches a URL."""
    harness.provider.then(CallTools([("http_get", {"url": url})]), Say("done"))
    recorder = await harness.run(workflow([agent(tools=["http_get"])], **settings))
    assert isinstance(recorder.outcome, Completed)
    return recorder


def message_to_model(harness: EngineHarness) -> str:
    """The result of the tool call that the model received."""
    return str(harness.provider.requests[1].last_message)


class TestPrivateHosts:
    async def test_listed_host_is_permitted(self, harness: EngineHarness, website: Website) -> None:
        recorder = await fetch(harness, f"http://127.0.0.1:{website.port}/page")

        assert recorder.one("tool.completed").data.output == "The page."
        assert "The page." in message_to_model(harness)

    async def test_other_host_is_refused(self, harness: EngineHarness, website: Website) -> None:
        recorder = await fetch(harness, f"http://127.0.0.2:{website.port}/page")

        assert "private network" in recorder.one("tool.failed").data.message
        assert "private network" in message_to_model(harness)
        assert website.hosts == []

    async def test_redirect_to_another_host_is_refused(
        self, harness: EngineHarness, website: Website
    ) -> None:
        recorder = await fetch(harness, f"http://127.0.0.1:{website.port}/to/127.0.0.2")

        assert "private network" in recorder.one("tool.failed").data.message
        assert website.hosts == ["127.0.0.1"]


class TestNetworkAccess:
    @pytest.mark.parametrize(
        ("settings", "remedy"),
        [
            ({"network": "none"}, "The workflow has `network: none`"),
            ({"network": "none", "allowed_hosts": ["127.0.0.1"]}, "The workflow has `network: none`"),
            ({"network": "listed"}, "add it to `allowed_hosts`"),
            ({"network": "any", "allowed_hosts": []}, "add it to `allowed_hosts`"),
        ],
    )
    async def test_blocks_the_tool_and_lets_the_model_pass(
        self, harness: EngineHarness, website: Website, settings: dict[str, Any], remedy: str
    ) -> None:
        url = f"http://127.0.0.1:{website.port}/page"

        recorder = await fetch(harness, url, **settings)

        assert website.hosts == []
        assert len(harness.provider.requests) == 2
        assert remedy in recorder.one("tool.failed").data.message
        warning = recorder.one("warning.raised").data
        assert warning.code == "host-not-allowed"
        assert f"127.0.0.1:{website.port}" in warning.message
        assert remedy in warning.message

    @pytest.mark.parametrize(
        ("limit", "hosts", "remedy"),
        [("none", ["127.0.0.1"], "An owner can change"), ("listed", None, "add it to `allowed_hosts`")],
    )
    async def test_workspace_limits_every_workflow(
        self,
        harness: EngineHarness,
        website: Website,
        limit: str,
        hosts: list[str] | None,
        remedy: str,
    ) -> None:
        url = f"http://127.0.0.1:{website.port}/page"
        harness.provider.then(CallTools([("http_get", {"url": url})]), Say("done"))
        definition = workflow([agent(tools=["http_get"])], network="any", allowed_hosts=hosts)

        recorder = await harness.run(definition, network_limit=NetworkAccess(limit))

        assert website.hosts == []
        assert remedy in recorder.one("tool.failed").data.message

    async def test_listed_host_is_permitted(self, harness: EngineHarness, website: Website) -> None:
        hosts = [f"127.0.0.1:{website.port}"]
        url = f"http://{hosts[0]}/page"

        recorder = await fetch(harness, url, network="listed", allowed_hosts=hosts)

        assert recorder.one("tool.completed").data.output == "The page."
        assert recorder.all("warning.raised") == []


class TestAllowedHosts:
    async def test_listed_host_is_permitted(self, harness: EngineHarness, website: Website) -> None:
        url = f"http://127.0.0.1:{website.port}/page"

        recorder = await fetch(harness, url, allowed_hosts=[f"127.0.0.1:{website.port}"])

        assert recorder.one("tool.completed").data.output == "The page."

    @pytest.mark.parametrize("allowed", [[], ["api.example.com", "127.0.0.1:1"]])
    async def test_other_host_is_refused(
        self, harness: EngineHarness, website: Website, allowed: list[str]
    ) -> None:
        recorder = await fetch(harness, f"http://127.0.0.1:{website.port}/page", allowed_hosts=allowed)

        assert "allowed_hosts" in recorder.one("tool.failed").data.message
        assert "allowed_hosts" in message_to_model(harness)
        assert website.hosts == []

    async def test_does_not_permit_a_private_host(self, harness: EngineHarness, website: Website) -> None:
        url = f"http://127.0.0.2:{website.port}/page"

        recorder = await fetch(harness, url, allowed_hosts=["127.0.0.2"])

        assert "private network" in recorder.one("tool.failed").data.message
        assert website.hosts == []

    async def test_redirect_from_a_listed_host_is_refused(
        self, harness: EngineHarness, website: Website
    ) -> None:
        url = f"http://127.0.0.1:{website.port}/to/localhost"

        recorder = await fetch(harness, url, allowed_hosts=["127.0.0.1"])

        assert "allowed_hosts" in recorder.one("tool.failed").data.message
        assert website.hosts == ["127.0.0.1"]
