"""The environment variables of a project's process."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from crewai_runner.executor.projects.sandbox.port import BRIDGE_SOCKET, Layout

PROVIDER_KEYS = (
    "ANTHROPIC_API_KEY",
    "AZURE_API_KEY",
    "AZURE_OPENAI_API_KEY",
    "CEREBRAS_API_KEY",
    "COHERE_API_KEY",
    "DASHSCOPE_API_KEY",
    "DEEPINFRA_API_KEY",
    "DEEPSEEK_API_KEY",
    "FIREWORKS_AI_API_KEY",
    "FIREWORKS_API_KEY",
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "GROQ_API_KEY",
    "HF_TOKEN",
    "HUGGINGFACE_API_KEY",
    "MISTRAL_API_KEY",
    "MOONSHOT_API_KEY",
    "NVIDIA_API_KEY",
    "NVIDIA_NIM_API_KEY",
    "OLLAMA_API_KEY",
    "OPENAI_API_KEY",
    "OPENROUTER_API_KEY",
    "PERPLEXITYAI_API_KEY",
    "SAMBANOVA_API_KEY",
    "TOGETHERAI_API_KEY",
    "TOGETHER_API_KEY",
    "VOYAGE_API_KEY",
    "XAI_API_KEY",
)
BASE_URLS = {
    "ANTHROPIC_API_BASE": "api.anthropic.com",
    "ANTHROPIC_BASE_URL": "api.anthropic.com",
    "CEREBRAS_API_BASE": "api.cerebras.ai/v1",
    "CEREBRAS_BASE_URL": "api.cerebras.ai/v1",
    "DEEPSEEK_API_BASE": "api.deepseek.com/v1",
    "DEEPSEEK_BASE_URL": "api.deepseek.com/v1",
    "GROQ_API_BASE": "api.groq.com/openai/v1",
    "NVIDIA_NIM_API_BASE": "integrate.api.nvidia.com/v1",
    "OLLAMA_API_BASE": "localhost:11434",
    "OLLAMA_HOST": "localhost:11434",
    "OPENAI_API_BASE": "api.openai.com/v1",
    "OPENAI_BASE_URL": "api.openai.com/v1",
    "OPENROUTER_API_BASE": "openrouter.ai/api/v1",
    "OPENROUTER_BASE_URL": "openrouter.ai/api/v1",
    "TOGETHERAI_API_BASE": "api.together.xyz/v1",
    "XAI_API_BASE": "api.x.ai/v1",
}
"""Where clients that read a base URL are sent below the gateway's `/_h/`.

Gemini's variable is read in different ways by different versions: its URLs are rewritten inside.
"""
SWITCHES = {
    "ANONYMIZED_TELEMETRY": "false",
    "CREWAI_DISABLE_TELEMETRY": "true",
    "CREWAI_DISABLE_TRACKING": "true",
    "CREWAI_DISABLE_VERSION_CHECK": "true",
    "CREWAI_TESTING": "true",
    "CREWAI_TRACING_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "LANGCHAIN_TRACING_V2": "false",
    "LANGSMITH_TRACING": "false",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_TELEMETRY": "False",
    "OTEL_SDK_DISABLED": "true",
    "POSTHOG_DISABLED": "1",
}
"""Telemetry, tracing and update checks are off. LiteLLM compares with `True` exactly."""
MODEL_NAMES = ("MODEL", "OPENAI_MODEL_NAME")
"""Where CrewAI reads the model of agents that name none. A project may set them."""
NO_PROXY = "127.0.0.1,localhost"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_RESERVED = re.compile(
    r"(PYTHON|LD_|CREWAI_RUNNER_|UV_|PIP_|OTEL_)|(PATH|HOME|TMPDIR|IFS|SHELL|ALL_PROXY)\Z", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class EnvironmentOptions:
    """`token` is the run's token, the only key inside. Paths and URLs are those inside the sandbox."""

    token: str
    gateway_url: str = "http://127.0.0.1:8081"
    egress_url: str = "http://127.0.0.1:8082"
    site: str = "/opt/runner/guest/site"
    project: str = "/project"
    bridge_socket: str = "/run/runner/bridge.sock"
    storage: str = "/tmp/crewai"  # noqa: S108 -- inside the sandbox, whose /tmp is its own
    model: str = "gpt-4o-mini"
    """What code that names no model asks for; the project's model map says which model that is."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """The project's own variables."""

    @classmethod
    def of_layout(
        cls, layout: Layout, token: str, secrets: Mapping[str, str] | None = None
    ) -> "EnvironmentOptions":
        """Return the options for a command in a sandbox."""
        return cls(
            token=token,
            gateway_url=layout.gateway_url,
            egress_url=layout.egress_url,
            site=f"{layout.guest}/site",
            project=layout.work,
            bridge_socket=f"{layout.sockets}/{BRIDGE_SOCKET}",
            storage=f"{layout.variables.get('TMPDIR', '/tmp')}/crewai",  # noqa: S108 -- inside the sandbox
            secrets=secrets or {},
        )


def build_environment(options: EnvironmentOptions) -> dict[str, str]:
    """Return the variables of a project's process, in addition to the sandbox's own.

    The project's variables override defaults, such as the model, and nothing else: names that the runner sets
    or that change how a process is loaded are left out (`list_refused_names`).
    """
    own = _own_variables(options)
    defaults = dict.fromkeys(MODEL_NAMES, options.model) | {"COLUMNS": "120", "NO_COLOR": "1"}
    refused = list_refused_names(options)
    secrets = {name: value for name, value in options.secrets.items() if name not in refused}
    return {**defaults, **secrets, **own}


def list_refused_names(options: EnvironmentOptions) -> frozenset[str]:
    """Return the names of the project's variables that are not set."""
    own = _own_variables(options)
    taken = {name.upper() for name in own}
    return frozenset(
        name
        for name, value in options.secrets.items()
        if name.upper() in taken or not _NAME.match(name) or _RESERVED.match(name) or "\0" in value
    )


def list_provided_names(names: Iterable[str]) -> list[str]:
    """Return the variables that need no value from the user, such as keys of model providers."""
    own = _own_variables(EnvironmentOptions(token=""))
    return [name for name in names if name.upper() in own or name in MODEL_NAMES]


def _own_variables(options: EnvironmentOptions) -> dict[str, str]:
    gateway = options.gateway_url.rstrip("/")
    proxies = {"HTTP_PROXY": options.egress_url, "HTTPS_PROXY": options.egress_url, "NO_PROXY": NO_PROXY}
    return {
        **dict.fromkeys(PROVIDER_KEYS, options.token),
        **{name: f"{gateway}/_h/{place}" for name, place in BASE_URLS.items()},
        **SWITCHES,
        **proxies,
        **{name.lower(): value for name, value in proxies.items()},
        "PYTHONPATH": options.site,
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "CREWAI_STORAGE_DIR": options.storage,
        "CREWAI_RUNNER_BRIDGE": options.bridge_socket,
        "CREWAI_RUNNER_GATEWAY": gateway.removeprefix("http://"),
        "CREWAI_RUNNER_PROJECT": options.project,
        "CREWAI_RUNNER_TOKEN": options.token,
    }
