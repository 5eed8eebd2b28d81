"""Models, for those who call them."""

import asyncio
from decimal import Decimal
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.encryption import SecretCipher, SecretUnreadable
from crewai_runner.core.logging import SecretMask
from crewai_runner.core.principal import BUILTIN_WORKSPACE, Principal
from crewai_runner.domain.provider import ModelKind, ProviderType
from crewai_runner.executor.port import ModelBinding
from crewai_runner.features.models.errors import ModelNotRegistered
from crewai_runner.features.models.schemas import ModelCreate
from crewai_runner.features.providers.errors import ProviderInvalid
from crewai_runner.features.providers.schemas import ProviderCreate
from crewai_runner.localmodel.status import LocalModelUnavailable
from crewai_runner.wiring.container import Container
from tests.support.catalog import CANARY, OWNER, STRANGER, Catalog

WORKSPACE = BUILTIN_WORKSPACE
TOKEN = "token-of-the-built-in-model"


async def provide(catalog: Catalog, principal: Principal = OWNER, **fields: Any) -> str:
    request = ProviderCreate.model_validate({"name": "Work", "type": "openai", "apiKey": CANARY, **fields})
    answer = await catalog.provider_editor(lambda editor: editor.create(principal, request))
    return str(answer.provider.id)


async def register(catalog: Catalog, provider_id: str, principal: Principal = OWNER, **fields: Any) -> str:
    request = ModelCreate.model_validate({"providerId": provider_id, **fields})
    answer = await catalog.editor(lambda editor: editor.create(principal, request))
    return str(answer.model.id)


async def bind(catalog: Catalog, *names: str) -> dict[str, ModelBinding]:
    bindings: dict[str, ModelBinding] = await catalog.models(lambda m: m.bindings(WORKSPACE, names))
    return bindings


class TestBindings:
    async def test_carry_all_that_a_call_needs(self, catalog: Catalog, container: Container) -> None:
        provider_id = await provide(catalog, baseUrl="https://gateway.example/v1")
        await register(
            catalog,
            provider_id,
            name="smart",
            endpoint="gpt-4o",
            settings={"temperature": 0.5, "maxTokens": 9, "extraBody": {"top_k": 1}},
            capabilities={"tools": True, "contextWindow": 1000},
            pricing={"inputPerMillion": "2.5", "outputPerMillion": "10"},
        )
        container.mask = SecretMask()

        binding = (await bind(catalog, "smart"))["smart"]

        assert binding.name == "smart"
        assert binding.model == "gpt-4o"
        assert (binding.provider_name, binding.provider_type) == ("Work", ProviderType.OPENAI)
        assert binding.base_url == "https://gateway.example/v1"
        assert binding.api_key is not None
        assert binding.api_key.get_secret_value() == CANARY
        assert binding.settings.temperature == 0.5
        assert binding.settings.extra_body == {"top_k": 1}
        assert binding.pricing is not None
        assert binding.pricing.input_per_million == Decimal("2.5")
        assert (binding.supports_tools, binding.context_window) == (True, 1000)
        assert CANARY not in repr(binding)
        assert container.mask(CANARY) == "••••••"

    async def test_are_found_by_provider_and_endpoint_and_keep_the_name_asked_for(
        self, catalog: Catalog
    ) -> None:
        provider_id = await provide(catalog)
        await register(catalog, provider_id, name="smart", endpoint="gpt-4o")
        await register(catalog, provider_id, name="embed", type="embedder")

        bindings = await bind(catalog, "openai/gpt-4o", "Work/gpt-4o", "embed")

        assert set(bindings) == {"openai/gpt-4o", "Work/gpt-4o", "embed"}
        assert {binding.model for binding in bindings.values()} == {"gpt-4o", "embed"}
        assert bindings["openai/gpt-4o"].name == "smart"
        assert bindings["embed"].kind is ModelKind.EMBEDDER

    async def test_options_are_worked_into_the_address(self, catalog: Catalog) -> None:
        azure = await provide(
            catalog,
            name="Azure",
            type="azure",
            baseUrl="https://x.openai.azure.com",
            options={"apiVersion": "2024-10-21"},
        )
        bedrock = await provide(
            catalog, name="AWS", type="bedrock", apiKey="AKID:secret-part", options={"region": "eu-west-1"}
        )
        await register(catalog, azure, name="a")
        await register(catalog, bedrock, name="b")

        bindings = await bind(catalog, "a", "b")

        assert bindings["a"].base_url == "https://x.openai.azure.com?api-version=2024-10-21"
        assert bindings["b"].base_url == "https://bedrock-runtime.eu-west-1.amazonaws.com"

    async def test_name_every_missing_model_with_what_may_have_been_meant(self, catalog: Catalog) -> None:
        await register(catalog, await provide(catalog), name="gpt-4o")

        with pytest.raises(ModelNotRegistered) as raised:
            await bind(catalog, "gpt4o", "zzzzzz", "gpt-4o")

        assert raised.value.extra["missing"] == [
            {"name": "gpt4o", "suggestions": ["gpt-4o"]},
            {"name": "zzzzzz", "suggestions": []},
        ]
        assert "did you mean 'gpt-4o'?" in raised.value.detail

    async def test_anothers_models_are_not_registered_here(self, catalog: Catalog) -> None:
        theirs = await provide(catalog, STRANGER)
        await register(catalog, theirs, STRANGER, name="gpt-4o")

        with pytest.raises(ModelNotRegistered) as raised:
            await bind(catalog, "gpt-4o")

        assert raised.value.extra["missing"] == [{"name": "gpt-4o", "suggestions": []}]

    async def test_a_key_sealed_under_another_secret_is_said_so(
        self, catalog: Catalog, container: Container
    ) -> None:
        await register(catalog, await provide(catalog), name="gpt-4o")
        container.cipher = SecretCipher(Fernet.generate_key().decode())

        with pytest.raises(SecretUnreadable):
            await bind(catalog, "gpt-4o")

    async def test_the_built_in_model_is_bound_to_the_address_it_has_now(
        self, catalog: Catalog, container: Container
    ) -> None:
        container.local_model.serve("http://127.0.0.1:4567/v1", TOKEN)
        await catalog.models(lambda models: models.ensure_local())

        binding = (await bind(catalog, "smollm2-135m"))["smollm2-135m"]

        assert binding.provider_type is ProviderType.LOCAL
        assert binding.base_url == "http://127.0.0.1:4567/v1"
        assert binding.api_key is not None
        assert binding.api_key.get_secret_value() == TOKEN
        assert container.mask(TOKEN) == "••••••"
        assert binding.supports_tools is False

    async def test_the_built_in_model_is_waited_for_only_when_asked_for(
        self, catalog: Catalog, container: Container
    ) -> None:
        container.local_model.serve("http://127.0.0.1:4567/v1", TOKEN)
        await catalog.models(lambda models: models.ensure_local())
        await register(catalog, await provide(catalog), name="gpt-4o")
        container.local_model.at = None

        await bind(catalog, "gpt-4o")

        assert container.local_model.asked == 0
        with pytest.raises(LocalModelUnavailable):
            await bind(catalog, "smollm2-135m")


class TestNames:
    async def test_are_parted_by_kind_and_workspace(self, catalog: Catalog) -> None:
        provider_id = await provide(catalog)
        await register(catalog, provider_id, name="smart", endpoint="gpt-4o")
        await register(catalog, provider_id, name="embed", type="embedder")
        await register(catalog, await provide(catalog, STRANGER), STRANGER, name="theirs")

        llms, embedders = await catalog.models(lambda models: models.names(WORKSPACE))

        assert {"smart", "openai/gpt-4o"} <= llms
        assert "embed" in embedders
        assert not any("theirs" in name for name in llms | embedders)

    async def test_the_default_is_the_workspaces_own(self, catalog: Catalog) -> None:
        await register(catalog, await provide(catalog, STRANGER), STRANGER, name="theirs")
        before = await catalog.models(lambda models: models.default_name(WORKSPACE, ModelKind.LLM))
        await register(catalog, await provide(catalog), name="mine")

        after = await catalog.models(lambda models: models.default_name(WORKSPACE, ModelKind.LLM))

        assert (before, after) == (None, "mine")

    async def test_check_refuses_an_embedder_where_a_language_model_is_needed(self, catalog: Catalog) -> None:
        await register(catalog, await provide(catalog), name="embed", type="embedder")

        await catalog.models(lambda models: models.check_registered(WORKSPACE, ["embed"], ModelKind.EMBEDDER))
        with pytest.raises(ModelNotRegistered):
            await catalog.models(lambda models: models.check_registered(WORKSPACE, ["embed"]))

    async def test_local_names_are_those_the_built_in_provider_serves(
        self, catalog: Catalog, container: Container
    ) -> None:
        container.local_model.serve("http://127.0.0.1:4567/v1", TOKEN)
        await catalog.models(lambda models: models.ensure_local())
        await register(catalog, await provide(catalog), name="gpt-4o")

        names = await catalog.models(lambda models: models.local_names(WORKSPACE))

        assert names == {"smollm2-135m", "local/smollm2-135m"}


class TestEnsureLocal:
    async def test_makes_nothing_while_the_model_is_not_available(self, catalog: Catalog) -> None:
        made = await catalog.models(lambda models: models.ensure_local())

        assert made is None
        assert await catalog.models(lambda models: models.default_name(WORKSPACE, ModelKind.LLM)) is None

    async def test_makes_one_however_often_and_by_however_many_it_is_called(
        self, catalog: Catalog, container: Container, client: httpx.AsyncClient
    ) -> None:
        container.local_model.serve("http://127.0.0.1:4567/v1", TOKEN)

        made = await asyncio.gather(*(catalog.models(lambda models: models.ensure_local()) for _ in range(4)))

        assert len(set(made)) == 1
        assert len((await client.get("/models")).json()["models"]) == 1
        assert len((await client.get("/providers")).json()["providers"]) == 1

    async def test_leaves_the_default_where_there_is_one(
        self, catalog: Catalog, container: Container
    ) -> None:
        await register(catalog, await provide(catalog), name="gpt-4o")
        container.local_model.serve("http://127.0.0.1:4567/v1", TOKEN)

        await catalog.models(lambda models: models.ensure_local())

        assert await catalog.models(lambda m: m.default_name(WORKSPACE, ModelKind.LLM)) == "gpt-4o"

    async def test_finds_other_names_where_a_person_has_taken_its_own(
        self, catalog: Catalog, container: Container, client: httpx.AsyncClient
    ) -> None:
        await register(catalog, await provide(catalog, name="local"), name="smollm2-135m")
        container.local_model.serve("http://127.0.0.1:4567/v1", TOKEN)

        model_id = await catalog.models(lambda models: models.ensure_local())

        made = (await client.get(f"/models/{model_id}")).json()
        assert made["name"] == "smollm2-135m (built-in 1)"
        assert made["providerName"] == "local (built-in 1)"

    async def test_keeps_what_a_person_changed(
        self, catalog: Catalog, container: Container, client: httpx.AsyncClient
    ) -> None:
        container.local_model.serve("http://127.0.0.1:4567/v1", TOKEN)
        model_id = await catalog.models(lambda models: models.ensure_local())
        await client.patch(f"/models/{model_id}", json={"name": "demo", "default": False})

        again = await catalog.models(lambda models: models.ensure_local())

        model = (await client.get(f"/models/{model_id}")).json()
        assert again == model_id
        assert (model["name"], model["default"]) == ("demo", False)


class TestInline:
    @staticmethod
    def config(**fields: Any) -> ProviderCreate:
        return ProviderCreate.model_validate(
            {"name": "Mine", "type": "openai", "apiKey": CANARY, "models": ["a/b"], **fields}
        )

    async def test_binds_every_name_to_the_one_provider_and_stores_nothing(
        self, catalog: Catalog, container: Container, client: httpx.AsyncClient
    ) -> None:
        container.mask = SecretMask()

        async def make(models: Any) -> dict[str, ModelBinding]:
            made: dict[str, ModelBinding] = models.inline_bindings(
                self.config(), ["gpt-4o", "openai/gpt-4o", "Mine/x", "a/b"], ["embed"]
            )
            return made

        bindings = await catalog.models(make)

        assert {name: binding.model for name, binding in bindings.items()} == {
            "gpt-4o": "gpt-4o",
            "openai/gpt-4o": "gpt-4o",
            "Mine/x": "x",
            "a/b": "a/b",
            "embed": "embed",
        }
        assert bindings["embed"].kind is ModelKind.EMBEDDER
        assert bindings["gpt-4o"].base_url == "https://api.openai.com/v1"
        assert bindings["gpt-4o"].api_key is not None
        assert bindings["gpt-4o"].api_key.get_secret_value() == CANARY
        assert bindings["gpt-4o"].pricing is None
        assert container.mask(CANARY) == "••••••"
        assert (await client.get("/providers")).json()["providers"] == []

    async def test_is_judged_like_a_stored_one(self, catalog: Catalog, container: Container) -> None:
        container.egress = EgressPolicy(allow_private=False)

        with pytest.raises(ProviderInvalid):
            await catalog.models(lambda m: m.check_inline(self.config(baseUrl="http://127.0.0.1:1/v1")))
        with pytest.raises(ProviderInvalid):
            await catalog.models(lambda m: m.check_inline(self.config(type="azure")))
