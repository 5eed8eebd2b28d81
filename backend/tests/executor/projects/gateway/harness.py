"""Opens a gateway for one run on a Unix socket, in front of the scripted provider."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from crewai_runner.domain.model_settings import RegisteredModelSettings
from crewai_runner.domain.provider import ModelKind, ProviderType
from crewai_runner.domain.run_events import RunEvent
from crewai_runner.domain.usage import Pricing
from crewai_runner.executor.port import ModelBinding, RunControl
from crewai_runner.executor.projects.gateway.limits import GatewayLimits
from crewai_runner.executor.projects.gateway.server import serve_gateway
from crewai_runner.executor.projects.gateway.session import GatewaySession, GatewaySpec
from tests.support.scripted_provider import ScriptedProvider

KEY = "canary-of-a-provider-key-0123456789"
CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Say hello"}]}


def model(
    provider: ScriptedProvider,
    provider_type: ProviderType = ProviderType.OPENAI_COMPATIBLE,
    /,
    **changes: Any,
) -> ModelBinding:
    """A registered model of this type of provider, whose key is a canary."""
    url = (
        provider.url if provider_type in {ProviderType.ANTHROPIC, ProviderType.GEMINI} else provider.base_url
    )
    fields: dict[str, Any] = {
        "name": "main",
        "provider_name": "scripted",
        "provider_type": provider_type,
        "model": "test-model",
        "base_url": url,
        "api_key": SecretStr(KEY),
        "settings": RegisteredModelSettings(),
        "pricing": Pricing(input_per_million=1, output_per_million=2),
    }
    return ModelBinding(**fields | changes)


def embedder(provider: ScriptedProvider, **changes: Any) -> ModelBinding:
    return model(provider, name="vectors", model="embed-model", kind=ModelKind.EMBEDDER, **changes)


@dataclass
class Gateway:
    """A served session, and what it emitted."""

    session: GatewaySession
    path: Path
    control: RunControl
    events: list[RunEvent] = field(default_factory=list)

    def client(self, key: str | None = None) -> httpx.AsyncClient:
        """An HTTP client for the socket, with the session's token by default."""
        return httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(self.path)),
            base_url="http://gateway",
            headers={"authorization": f"Bearer {self.session.token if key is None else key}"},
            timeout=10,
        )

    def of(self, event_type: str) -> list[Any]:
        """The events of a type."""
        return [event for event in self.events if event.type == event_type]

    async def wait_for(self, event_type: str, count: int = 1) -> list[Any]:
        async with asyncio.timeout(10):
            while len(found := self.of(event_type)) < count:
                await asyncio.sleep(0.005)
        return found


@asynccontextmanager
async def open_gateway(
    directory: Path,
    models: Mapping[str, ModelBinding] | ModelBinding,
    *,
    control: RunControl | None = None,
    limits: GatewayLimits | None = None,
    **spec: Any,
) -> AsyncIterator[Gateway]:
    """Serve a session; a single model answers for every name."""
    if isinstance(models, ModelBinding):
        models = {models.name: models}
        spec.setdefault("model_map", {"*": next(iter(models)), "*embedder": next(iter(models))})
    control = control or RunControl()
    events: list[RunEvent] = []
    session = GatewaySession(GatewaySpec("run_1", models, **spec), events.append, control)
    gateway = Gateway(session, directory / "gateway.sock", control, events)
    async with serve_gateway(session, gateway.path, limits=limits):
        yield gateway


@contextmanager
def forwarded(path: Path) -> Iterator[str]:
    """Forward a TCP port to the socket, as the sandbox does; yields the base URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []
    sockets = [listener]

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                upstream = socket.socket(socket.AF_UNIX)
                sockets.extend((client, upstream))
                upstream.connect(str(path))
                for pair in ((client, upstream), (upstream, client)):
                    threads.append(threading.Thread(target=_pump, args=pair, daemon=True))
                    threads[-1].start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        for one in sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for running in (thread, *threads):
            running.join(5)
        for one in sockets:
            one.close()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
