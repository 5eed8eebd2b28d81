"""The environment variables of a project's process."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewai_runner.executor.projects.bridge.environment import (
    BASE_URLS,
    PROVIDER_KEYS,
    SWITCHES,
    EnvironmentOptions,
    build_environment,
    list_provided_names,
    list_refused_names,
)


def build(**secrets: str) -> dict[str, str]:
    return build_environment(EnvironmentOptions(token="run-token", secrets=secrets))


def test_provided_names() -> None:
    names = ["MODEL", "OPENAI_API_KEY", "OPENAI_BASE_URL", "SERPER_API_KEY", "OTEL_SDK_DISABLED"]

    assert list_provided_names(names) == ["MODEL", "OPENAI_API_KEY", "OPENAI_BASE_URL", "OTEL_SDK_DISABLED"]


class TestBuildEnvironment:
    def test_the_only_key_is_the_token(self) -> None:
        environment = build()

        assert {environment[name] for name in PROVIDER_KEYS} == {"run-token"}

    def test_base_urls_name_the_provider(self) -> None:
        environment = build()

        assert environment["OPENAI_BASE_URL"] == environment["OPENAI_API_BASE"]
        assert environment["OPENAI_BASE_URL"] == "http://127.0.0.1:8081/_h/api.openai.com/v1"
        assert all(environment[name].startswith("http://127.0.0.1:8081/_h/") for name in BASE_URLS)

    def test_requests_to_the_gateway_use_no_proxy(self) -> None:
        environment = build()

        assert environment["HTTPS_PROXY"] == environment["https_proxy"] == "http://127.0.0.1:8082"
        assert environment["NO_PROXY"] == environment["no_proxy"] == "127.0.0.1,localhost"

    def test_litellm_compares_with_this_text(self) -> None:
        assert build()["LITELLM_LOCAL_MODEL_COST_MAP"] == "True"

    def test_a_secret_of_the_project(self) -> None:
        assert build(SERPER_API_KEY="serper-secret")["SERPER_API_KEY"] == "serper-secret"

    def test_the_project_may_choose_its_model(self) -> None:
        assert build(MODEL="groq/llama-3.3-70b")["MODEL"] == "groq/llama-3.3-70b"
        assert build()["MODEL"] == build()["OPENAI_MODEL_NAME"] == "gpt-4o-mini"

    @pytest.mark.parametrize(
        "name",
        [
            "OPENAI_API_KEY",
            "openai_api_base",
            "NO_PROXY",
            "Https_Proxy",
            "ALL_PROXY",
            "PYTHONPATH",
            "PYTHONHOME",
            "LD_PRELOAD",
            "PATH",
            "HOME",
            "CREWAI_RUNNER_BRIDGE",
            "CREWAI_TRACING_ENABLED",
            "not a name",
            "A=B",
        ],
    )
    def test_a_secret_does_not_replace_what_the_runner_sets(self, name: str) -> None:
        options = EnvironmentOptions(token="run-token", secrets={name: "replaced"})

        assert list_refused_names(options) == {name}
        assert "replaced" not in build_environment(options).values()

    @given(
        st.dictionaries(st.text(max_size=20) | st.sampled_from(sorted({*SWITCHES, *BASE_URLS})), st.text())
    )
    def test_no_secrets_change_the_runners_variables(self, secrets: dict[str, str]) -> None:
        own = build()
        environment = build_environment(EnvironmentOptions(token="run-token", secrets=secrets))

        overridable = {"MODEL", "OPENAI_MODEL_NAME", "COLUMNS", "NO_COLOR"}
        assert {name: environment[name] for name in own if name not in overridable} == {
            name: value for name, value in own.items() if name not in overridable
        }
        assert not any("\0" in value or "=" in name for name, value in environment.items())
