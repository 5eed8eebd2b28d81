"""Settings that a provider does not take are named, and requests contain exactly the others."""

import pytest

from crewai_runner.domain.model_settings import ModelChoice, ModelSettings, RegisteredModelSettings
from crewai_runner.domain.provider import OPENAI_PROTOCOL_TYPES, ProviderType
from crewai_runner.domain.provider_settings import (
    SETTINGS_TAKEN,
    SPECIAL_REQUEST_SETTINGS,
    SPECIAL_SETTINGS,
    describe_ignored_settings,
    has_special_settings,
    list_ignored_settings,
)
from tests.support.builders import definition

SETTINGS = ModelSettings(seed=1, reasoning_effort="low", temperature=0.5)
CHOICE = ModelChoice(name="m", settings=SETTINGS)


def test_table_has_every_provider() -> None:
    assert SETTINGS_TAKEN.keys() == set(ProviderType)
    assert set(SPECIAL_SETTINGS) < ModelSettings.model_fields.keys()
    assert set(SPECIAL_REQUEST_SETTINGS) < RegisteredModelSettings.model_fields.keys()


@pytest.mark.parametrize("kind", ProviderType)
def test_one_warning_for_each_model(kind: ProviderType) -> None:
    workflow = definition(manager_model=CHOICE)

    warnings = list_ignored_settings(workflow, {"m": kind})

    if kind in OPENAI_PROTOCOL_TYPES:
        assert warnings == []
    else:
        (warning,) = warnings
        assert "`seed`, `reasoning_effort` of model `m`" in warning


def test_usual_settings_need_no_look_up() -> None:
    assert has_special_settings(CHOICE)
    assert not has_special_settings(ModelChoice(name="m", settings=ModelSettings(temperature=1, stop=["x"])))


@pytest.mark.parametrize("kind", ProviderType)
def test_settings_of_registered_models(kind: ProviderType) -> None:
    settings = RegisteredModelSettings(temperature=1, stream=False, seed=1, system_role="user")

    warning = describe_ignored_settings("m", settings, kind)

    if kind in OPENAI_PROTOCOL_TYPES:
        assert warning is None
    else:
        assert warning is not None
        assert "`seed`, `systemRole` with which model `m` is registered" in warning
    assert describe_ignored_settings("m", RegisteredModelSettings(temperature=1, stream=False), kind) is None
