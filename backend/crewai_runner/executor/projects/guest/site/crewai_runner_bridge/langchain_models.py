"""Accepts the models of langchain, which CrewAI before 0.70 called itself.

Later versions take only the name out of them, and expect LiteLLM's prefix of the provider in it, which
langchain's names lack. The gateway finds a model by that name alone: it is asked for in OpenAI's protocol.
"""

import functools
import sys
from typing import Any

AGENT_MODELS = ("llm", "function_calling_llm")
CREW_MODELS = ("manager_llm", "function_calling_llm", "planning_llm", "chat_llm")
_UNDERSTOOD = frozenset({"ChatOpenAI", "OpenAI"})
_NAMES = ("model_name", "model", "deployment_name", "azure_deployment", "repo_id", "model_id")


def accept_langchain_models(kind: Any, parameters: tuple[str, ...]) -> None:
    """Let the constructor of agents or crews replace models of langchain by CrewAI's own."""
    original = kind.__init__

    @functools.wraps(original)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        for name in parameters:
            if kwargs.get(name) is not None:
                kwargs[name] = translate_model(kwargs[name])
        original(self, *args, **kwargs)

    kind.__init__ = init


def translate_model(model: Any) -> Any:
    """Return CrewAI's object for a model of langchain; anything else is returned as it is."""
    kind = type(model)
    if kind.__module__.partition(".")[0].partition("_")[0] != "langchain" or kind.__name__ in _UNDERSTOOD:
        return model
    names = (getattr(model, name, None) for name in _NAMES)
    name = next((found for found in names if isinstance(found, str) and found), None)
    llm = getattr(sys.modules.get("crewai"), "LLM", None)
    if name is None or llm is None:
        return model
    settings = {key: getattr(model, key, None) for key in ("temperature", "max_tokens")}
    settings = {key: value for key, value in settings.items() if isinstance(value, int | float)}
    name = name.removeprefix("models/")
    if _has_native_providers():
        return llm(model=name, provider="openai", **settings)
    return llm(model=f"openai/{name}", **settings)


def _has_native_providers() -> bool:
    version = str(getattr(sys.modules["crewai"], "__version__", "0"))
    return int(version.partition(".")[0] or 0) >= 1
