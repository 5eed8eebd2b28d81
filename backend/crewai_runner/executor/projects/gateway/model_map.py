"""Which registered model answers for the model that the code asks for. Pure."""

from collections.abc import Mapping

from crewai_runner.domain.provider import ModelKind
from crewai_runner.executor.port import ModelBinding
from crewai_runner.executor.projects.gateway.refusals import GatewayRefusal, RefusalKind

DEFAULT_MODEL = "*"
"""The entry for every language model that has no entry."""
DEFAULT_EMBEDDER = "*embedder"
"""The entry for every embedding model that has no entry."""
MAX_NAME_LENGTH = 256


def resolve_model(
    asked: str,
    kind: ModelKind,
    models: Mapping[str, ModelBinding],
    model_map: Mapping[str, str],
    *,
    page: str,
) -> ModelBinding:
    """Return the model that answers for `asked`: its entry, the registered model of that name, the default.

    `page` says where models are mapped. Raises GatewayRefusal.
    """
    name = asked.removeprefix("models/")
    shown = name[:MAX_NAME_LENGTH]
    default = DEFAULT_EMBEDDER if kind is ModelKind.EMBEDDER else DEFAULT_MODEL
    found = model_map.get(asked) or model_map.get(name) or (name if name in models else None)
    target = found or model_map.get(default)
    noun = "embedding model" if kind is ModelKind.EMBEDDER else "model"
    if target is None:
        raise GatewayRefusal(
            RefusalKind.NOT_FOUND,
            f"The code asks for the {noun} '{shown}', which is mapped to no registered model. "
            f"Map it on {page}.",
        )
    binding = models.get(target)
    if binding is None:
        raise GatewayRefusal(
            RefusalKind.NOT_FOUND,
            f"The {noun} '{shown}' is mapped to '{target}', which is not registered any more. "
            f"Choose another one on {page}.",
        )
    if binding.kind is not kind:
        raise GatewayRefusal(
            RefusalKind.NOT_FOUND,
            f"'{shown}' is called as {_describe(kind)}, and is mapped to '{target}', which is "
            f"{_describe(binding.kind)}. Choose another one on {page}.",
        )
    return binding


def list_model_names(models: Mapping[str, ModelBinding], model_map: Mapping[str, str]) -> list[str]:
    """Return the names that the code can ask for."""
    mapped = [name for name in model_map if name not in {DEFAULT_MODEL, DEFAULT_EMBEDDER}]
    return list(dict.fromkeys([*mapped, *models]))


def _describe(kind: ModelKind) -> str:
    return "an embedding model" if kind is ModelKind.EMBEDDER else "a language model"
