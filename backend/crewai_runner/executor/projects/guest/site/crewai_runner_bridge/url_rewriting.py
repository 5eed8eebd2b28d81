"""Sends the requests of every model client to the model gateway.

`https://api.openai.com/v1/chat/completions` becomes
`http://127.0.0.1:8081/_h/api.openai.com/v1/chat/completions`: the path names the provider. Requests to the
gateway get its key, because some clients send none (Ollama's), or one that is written in the code.
"""

import functools
import os
import sys
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit, urlunsplit

GATEWAY = os.environ.get("CREWAI_RUNNER_GATEWAY", "127.0.0.1:8081")
AUTHORIZATION = f"Bearer {os.environ.get('CREWAI_RUNNER_TOKEN', '')}"
PROVIDER_HOSTS = frozenset(
    {
        "api.openai.com",
        "api.anthropic.com",
        "generativelanguage.googleapis.com",
        "api.groq.com",
        "api.mistral.ai",
        "codestral.mistral.ai",
        "api.deepseek.com",
        "openrouter.ai",
        "integrate.api.nvidia.com",
        "ai.api.nvidia.com",
        "api.x.ai",
        "api.cerebras.ai",
        "api.together.xyz",
        "api.together.ai",
        "api.fireworks.ai",
        "api.perplexity.ai",
        "api.cohere.com",
        "api.cohere.ai",
        "api.sambanova.ai",
        "api.deepinfra.com",
        "api.moonshot.ai",
        "api.moonshot.cn",
        "api.voyageai.com",
        "api.hyperbolic.xyz",
        "api.studio.nebius.com",
        "api.z.ai",
        "open.bigmodel.cn",
        "dashscope.aliyuncs.com",
        "dashscope-intl.aliyuncs.com",
        "api-inference.huggingface.co",
        "router.huggingface.co",
        "models.github.ai",
        "models.inference.ai.azure.com",
    }
)
PROVIDER_SUFFIXES = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "0.0.0.0", "::1", "host.docker.internal"})  # noqa: S104
LOCAL_PORTS = frozenset({11434, 1234})
"""Ollama and LM Studio."""
MODEL_PATH = "/chat/completions"
"""Only models have it: it is redirected for every host, such as one that a variable of the project names."""


def rewrite(url: str) -> str | None:
    """Return the gateway's URL for a provider's, or None if the URL is not a provider's."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or parts.netloc == GATEWAY:
        return None
    if host in LOCAL_HOSTS and port in LOCAL_PORTS:
        name = f"localhost:{port}"
    elif host in PROVIDER_HOSTS or host.endswith(PROVIDER_SUFFIXES):
        name = host
    elif host and parts.path.endswith(MODEL_PATH):
        name = host if port is None else f"{host}:{port}"
    else:
        return None
    return urlunsplit(("http", GATEWAY, f"/_h/{name}{parts.path or '/'}", parts.query, ""))


def _is_gateway(url: str) -> bool:
    return url.startswith(f"http://{GATEWAY}/")


def patch_httpx(module: ModuleType) -> None:
    send, asend = module.Client.send, module.AsyncClient.send

    def redirect(request: Any) -> None:
        url = rewrite(str(request.url))
        if url is not None:
            request.url = module.URL(url)
            request.headers["Host"] = GATEWAY
        if _is_gateway(str(request.url)):
            request.headers["Authorization"] = AUTHORIZATION

    @functools.wraps(send)
    def sync_send(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        redirect(request)
        return send(self, request, *args, **kwargs)

    @functools.wraps(asend)
    async def async_send(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        redirect(request)
        return await asend(self, request, *args, **kwargs)

    module.Client.send, module.AsyncClient.send = sync_send, async_send


def patch_requests(module: ModuleType) -> None:
    send = module.Session.send

    @functools.wraps(send)
    def gateway_send(self: Any, request: Any, **kwargs: Any) -> Any:
        url = rewrite(request.url or "")
        if url is not None:
            request.url = url
            request.headers["Host"] = GATEWAY
            # Chosen for the provider's URL: the egress proxy.
            kwargs["proxies"] = {}
        if _is_gateway(request.url or ""):
            request.headers["Authorization"] = AUTHORIZATION
        return send(self, request, **kwargs)

    module.Session.send = gateway_send


def patch_aiohttp(module: ModuleType) -> None:
    session = module.ClientSession
    init, request = session.__init__, session._request

    @functools.wraps(init)
    def init_with_proxy(self: Any, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("trust_env", True)
        init(self, *args, **kwargs)

    @functools.wraps(request)
    async def gateway_request(self: Any, method: str, str_or_url: Any, **kwargs: Any) -> Any:
        build = getattr(self, "_build_url", str)
        asked = str(build(str_or_url))
        url = rewrite(asked)
        if url is not None:
            str_or_url = url
            kwargs["proxy"] = None
        if url is not None or _is_gateway(asked):
            headers = sys.modules["multidict"].CIMultiDict(kwargs.get("headers") or ())
            headers["Authorization"] = AUTHORIZATION
            kwargs["headers"] = headers
        return await request(self, method, str_or_url, **kwargs)

    session.__init__, session._request = init_with_proxy, gateway_request
