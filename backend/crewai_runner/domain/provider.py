"""The types of model providers, and the settings each needs."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class ProviderType(StrEnum):
    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    GEMINI = "gemini"
    AZURE = "azure"
    BEDROCK = "bedrock"
    OLLAMA = "ollama"
    OPENROUTER = "openrouter"
    GROQ = "groq"
    MISTRAL = "mistral"
    DEEPSEEK = "deepseek"
    OPENAI_COMPATIBLE = "openai_compatible"
    LOCAL = "local"


class ModelKind(StrEnum):
    LLM = "llm"
    EMBEDDER = "embedder"


P = ProviderType

PROVIDER_TITLES: Mapping[ProviderType, str] = MappingProxyType(
    {
        P.OPENAI: "OpenAI",
        P.ANTHROPIC: "Anthropic",
        P.GEMINI: "Google Gemini",
        P.AZURE: "Azure OpenAI",
        P.BEDROCK: "Amazon Bedrock",
        P.OLLAMA: "Ollama",
        P.OPENROUTER: "OpenRouter",
        P.GROQ: "Groq",
        P.MISTRAL: "Mistral",
        P.DEEPSEEK: "DeepSeek",
        P.OPENAI_COMPATIBLE: "OpenAI-compatible server",
        P.LOCAL: "Built-in local model",
    }
)

DEFAULT_BASE_URLS: Mapping[ProviderType, str] = MappingProxyType(
    {
        P.OPENAI: "https://api.openai.com/v1",
        P.ANTHROPIC: "https://api.anthropic.com",
        P.GEMINI: "https://generativelanguage.googleapis.com",
        P.BEDROCK: "https://bedrock-runtime.us-east-1.amazonaws.com",
        P.OLLAMA: "http://localhost:11434/v1",
        P.OPENROUTER: "https://openrouter.ai/api/v1",
        P.GROQ: "https://api.groq.com/openai/v1",
        P.MISTRAL: "https://api.mistral.ai/v1",
        P.DEEPSEEK: "https://api.deepseek.com/v1",
    }
)
"""The base URL of a provider that has none."""

AZURE_API_VERSION = "2024-10-21"
"""The version of Azure's API that is called unless the base URL names another one."""

KEY_REQUIRED_TYPES: frozenset[ProviderType] = frozenset(
    {P.OPENAI, P.ANTHROPIC, P.GEMINI, P.AZURE, P.BEDROCK, P.OPENROUTER, P.GROQ, P.MISTRAL, P.DEEPSEEK}
)
"""Types whose own service requires a key.

Bedrock's key is `ACCESS_KEY_ID:SECRET_ACCESS_KEY`, with `:SESSION_TOKEN` appended for temporary credentials.
"""

BASE_URL_REQUIRED_TYPES: frozenset[ProviderType] = frozenset({P.AZURE, P.OPENAI_COMPATIBLE})
"""Types without a default base URL.

Azure: the resource, `https://NAME.openai.azure.com`, optionally with `?api-version=`.
Bedrock: the region, `https://bedrock-runtime.REGION.amazonaws.com`.
The built-in local model's address is known to the server and never set by users.
"""

OPENAI_PROTOCOL_TYPES: frozenset[ProviderType] = frozenset(P) - {P.ANTHROPIC, P.GEMINI, P.BEDROCK}
"""Types with the OpenAI protocol, where `GET {base_url}/models` lists models (except for Azure)."""

PROVIDER_EXTRAS: Mapping[ProviderType, str] = MappingProxyType(
    {P.ANTHROPIC: "anthropic", P.GEMINI: "gemini", P.BEDROCK: "bedrock"}
)
"""The optional extra of this package that crews need to call a type."""


def resolve_base_url(kind: ProviderType, base_url: str | None) -> str | None:
    """Return the normalized base URL, or the type's default; None when there is neither."""
    url = (base_url or "").strip() or DEFAULT_BASE_URLS.get(kind)
    if url is None:
        return None
    url = url.rstrip("/")
    if kind is P.OLLAMA and not url.endswith("/v1"):
        url += "/v1"
    return url
