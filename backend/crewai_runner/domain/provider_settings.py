"""Which settings of a model its provider takes. Pure."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from crewai_runner.domain.model_settings import ModelChoice, ModelSettings, RegisteredModelSettings
from crewai_runner.domain.provider import OPENAI_PROTOCOL_TYPES, PROVIDER_TITLES, ProviderType
from crewai_runner.domain.workflow import WorkflowDefinition

SPECIAL_SETTINGS = ("seed", "frequency_penalty", "presence_penalty", "reasoning_effort", "extra_body")
"""The settings that not every provider takes; CrewAI sends all others to each of them."""

SPECIAL_REQUEST_SETTINGS = (*SPECIAL_SETTINGS, "max_tokens_parameter", "system_role")
"""The same for registered models, which have more settings."""

SETTINGS_TAKEN: Mapping[ProviderType, frozenset[str]] = MappingProxyType(
    {
        **dict.fromkeys(OPENAI_PROTOCOL_TYPES, frozenset(SPECIAL_REQUEST_SETTINGS)),
        ProviderType.ANTHROPIC: frozenset(),
        ProviderType.GEMINI: frozenset(),
        ProviderType.BEDROCK: frozenset(),
    }
)
"""The special settings that decide about requests to each type of provider."""


def has_special_settings(choice: ModelChoice) -> bool:
    """Return whether the choice sets what some provider ignores."""
    return any(getattr(choice.settings, name) is not None for name in SPECIAL_SETTINGS)


def list_ignored_settings(definition: WorkflowDefinition, providers: Mapping[str, ProviderType]) -> list[str]:
    """Return a warning for each model whose provider ignores settings; `providers` are by model name."""
    ignored: dict[str, dict[str, None]] = {}
    for choice in definition.model_choices():
        if choice.name in providers:
            names = _find_ignored(choice.settings, SPECIAL_SETTINGS, providers[choice.name])
            ignored.setdefault(choice.name, {}).update(dict.fromkeys(names))
    return [
        f"The settings {_quote(names)} of model `{model}` have no effect: "
        f"{PROVIDER_TITLES[providers[model]]} does not take them. Remove them."
        for model, names in ignored.items()
        if names
    ]


def describe_ignored_settings(
    model: str, settings: RegisteredModelSettings, provider: ProviderType
) -> str | None:
    """Return a warning about the settings of a registered model that its provider ignores; None if none."""
    names = _find_ignored(settings, SPECIAL_REQUEST_SETTINGS, provider)
    if not names:
        return None
    fields = RegisteredModelSettings.model_fields
    members = _quote(str(fields[name].alias or name) for name in names)
    return (
        f"The settings {members} with which model `{model}` is registered have no effect: "
        f"{PROVIDER_TITLES[provider]} does not take them. Remove them from the registered model."
    )


def _find_ignored(settings: ModelSettings, special: Iterable[str], provider: ProviderType) -> list[str]:
    taken = SETTINGS_TAKEN[provider]
    return [name for name in special if name not in taken and getattr(settings, name) is not None]


def _quote(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
