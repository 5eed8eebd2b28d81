"""The model service: bindings, names, the built-in model and inline providers."""

import asyncio
from decimal import Decimal
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.encryption import SecretCipher, SecretUnreadable
from crewai_runner.core.principal import BUILTIN_WORKSPACE, Principal
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.domain.provider import ModelKind, ProviderType
from crewai_runner.executor.port import ModelBinding
from crewai_runner.features.models.errors import ModelNotRegistered
from crewai_runner.features.models.schemas import ModelCreate
from crewai_runner.features.providers.errors import ProviderInvalid
from crewai_runner.features.providers.schemas import ProviderCreate
from crewai_runner.localmodel.status import LocalModelUnavailable
from crewai_runner.wiring.container import Container
from tests.support.catalog import PROVIDER_KEY, CatalogHarness
from tests.support.principals import OWNER, STRANGER

pytestmark = pytest.mark.harness(seed_models=False, fake_local_model=True, allow_private_hosts=True)

WORKSPACE = BUILTIN_WORKSPACE
TOKEN = "token-of-the-built-in-model"


async def create_provider(catalog: CatalogHarness, principal: Principal = OWNER, **fields: Any) -> str:
    request = ProviderCreate.model_validate(
        {"name": "Work", "type": "openai", "apiKey": PROVIDER_KEY, **fields}
    )
    answer = await catalog.provider_catalog(lambda providers: providers.create(principal, request))
    return str(answer.provider.id)


async def create_model(
    catalog: CatalogHarness, provider_id: str, principal: Principal = OWNER, **fields: Any
) -> str:
    request = ModelCreate.model_validate({"providerId": provider_id, **fields})
    answer = await catalog.model_catalog(lambda providers: providers.create(principal, request))
    return str(answer.model.id)


async def get_bindings(catalog: CatalogHarness, *names: str) -> dict[str, ModelBinding]:
    bindings: dict[str, ModelBinding] = await catalog.models(lambda m: m.get_bindings(WORKSPACE, names))
    return bindings


class TestBindings:
    async def test_contain_all_call_parameters(self, catalog: CatalogHarness, container: Container) -> None:
        provider_id = await create_provider(catalog, baseUrl="https://gateway.example/v1")
        await create_model(
            catalog,
            provider_id,
            name="smart",
            provider_model="gpt-4o",
            settings={"temperature": 0.5, "maxTokens": 9, "extraBody": {"top_k": 1}},
            capabilities={"tools": True, "contextWindow": 1000},
            pricing={"inputPerMillion": "2.5", "outputPerMillion": "10"},
        )
        container.mask = SecretMask()

        binding = (await get_bindings(catalog, "smart"))["smart"]

        assert binding.name == "smart"
        assert binding.model == "gpt-4o"
        assert (binding.provider_name, binding.provider_type) == ("Work", ProviderType.OPENAI)
        assert binding.base_url == "https://gateway.example/v1"
        assert binding.api_key is not None
        assert binding.api_key.get_secret_value() == PROVIDER_KEY
        assert binding.settings.temperature == 0.5
        assert binding.settings.extra_body == {"top_k": 1}
        assert binding.pricing is not None
        assert binding.pricing.input_per_million == Decimal("2.5")
        assert (binding.supports_tools, binding.context_window) == (True, 1000)
        assert PROVIDER_KEY not in repr(binding)
        assert container.mask(PROVIDER_KEY) == "••••••"

    async def test_are_found_by_alias(self, catalog: CatalogHarness) -> None:
        provider_id = await create_provider(catalog)
        await create_model(catalog, provider_id, name="smart", provider_model="gpt-4o")
        await create_model(catalog, provider_id, name="embed", type="embedder")

        bindings = await get_bindings(catalog, "openai/gpt-4o", "Work/gpt-4o", "embed")

        assert set(bindings) == {"openai/gpt-4o", "Work/gpt-4o", "embed"}
        assert {binding.model for binding in bindings.values()} == {"gpt-4o", "embed"}
        assert bindings["openai/gpt-4o"].name == "smart"
        assert bindings["embed"].kind is ModelKind.EMBEDDER

    async def test_options_are_applied_to_the_url(self, catalog: CatalogHarness) -> None:
        azure = await create_provider(
            catalog,
            name="Azure",
            type="azure",
            baseUrl="https://x.openai.azure.com",
            options={"apiVersion": "2024-10-21"},
        )
        bedrock = await create_provider(
            catalog,
            name="AWS",
            type="bedrock",
            apiKey="AKID:secret-part-1234",
            options={"region": "eu-west-1"},
        )
        await create_model(catalog, azure, name="a")
        await create_model(catalog, bedrock, name="b")

        bindings = await get_bindings(catalog, "a", "b")

        assert bindings["a"].base_url == "https://x.openai.azure.com?api-version=2024-10-21"
        assert bindings["b"].base_url == "https://bedrock-runtime.eu-west-1.amazonaws.com"

    async def test_missing_models_are_listed_with_suggestions(self, catalog: CatalogHarness) -> None:
        await create_model(catalog, await create_provider(catalog), name="gpt-4o")

        with pytest.raises(ModelNotRegistered) as raised:
            await get_bindings(catalog, "gpt4o", "zzzzzz", "gpt-4o")

        assert raised.value.extra["missing"] == [
            {"name": "gpt4o", "suggestions": ["gpt-4o"]},
            {"name": "zzzzzz", "suggestions": []},
        ]
        assert "did you mean 'gpt-4o'?" in raised.value.detail

    async def test_models_of_other_workspaces_are_not_found(self, catalog: CatalogHarness) -> None:
        other = await create_provider(catalog, STRANGER)
        await create_model(catalog, other, STRANGER, name="gpt-4o")

        with pytest.raises(ModelNotRegistered) as raised:
            await get_bindings(catalog, "gpt-4o")

        assert raised.value.extra["missing"] == [{"name": "gpt-4o", "suggestions": []}]

    async def test_undecryptable_key_is_reported(self, catalog: CatalogHarness, container: Container) -> None:
        await create_model(catalog, await create_provider(catalog), name="gpt-4o")
        container.cipher = SecretCipher(Fernet.generate_key().decode())

        with pytest.raises(SecretUnreadable):
            await get_bindings(catalog, "gpt-4o")

    async def test_built_in_model_has_its_current_url(
        self, catalog: CatalogHarness, container: Container
    ) -> None:
        container.local_model.serve("http://127.0.0.1:4567/v1", TOKEN)
        await catalog.models(lambda models: models.ensure_local())

        binding = (await get_bindings(catalog, "smollm2-135m"))["smollm2-135m"]

        assert binding.provider_type is ProviderType.LOCAL
        assert binding.base_url == "http://127.0.0.1:4567/v1"
        assert binding.api_key is not None
        assert binding.api_key.get_secret_value() == TOKEN
        assert container.mask(TOKEN) == "••••••"
        assert binding.supports_tools is False

    async def test_waits_for_the_built_in_model_only_if_requested(
        self, catalog: CatalogHarness, container: Container
    ) -> None:
        container.local_model.serve("http://127.0.0.1:4567/v1", TOKEN)
        await catalog.models(lambda models: models.ensure_local())
        await create_model(catalog, await create_provider(catalog), name="gpt-4o")
        container.local_model.address = None

        await get_bindings(catalog, "gpt-4o")

        assert container.local_model.calls == 0
        with pytest.raises(LocalModelUnavailable):
            await get_bindings(catalog, "smollm2-135m")


class TestNames:
    async def test_are_separated_by_kind_and_workspace(self, catalog: CatalogHarness) -> None:
        provider_id = await create_provider(catalog)
        await create_model(catalog, provider_id, name="smart", provider_model="gpt-4o")
        await create_model(catalog, provider_id, name="embed", type="embedder")
        await create_model(catalog, await create_provider(catalog, STRANGER), STRANGER, name="other")

        llms, embedders = await catalog.models(lambda models: models.list_names(WORKSPACE))

        assert {"smart", "openai/gpt-4o"} <= llms
        assert "embed" in embedders
        assert not any("other" in name for name in llms | embedders)

    async def test_default_belongs_to_the_workspace(self, catalog: CatalogHarness) -> None:
        await create_model(catalog, await create_provider(catalog, STRANGER), STRANGER, name="other")
        before = await catalog.models(lambda models: models.get_default_name(WORKSPACE, ModelKind.LLM))
        await create_model(catalog, await create_provider(catalog), name="mine")

        after = await catalog.models(lambda models: models.get_default_name(WORKSPACE, ModelKind.LLM))

        assert (before, after) == (None, "mine")

    async def test_check_usable_compares_the_kind(self, catalog: CatalogHarness) -> None:
        await create_model(catalog, await create_provider(catalog), name="embed", type="embedder")

        await catalog.models(lambda models: models.check_usable(WORKSPACE, ["embed"], ModelKind.EMBEDDER))
        with pytest.raises(ModelNotRegistered):
            await catalog.models(lambda models: models.check_usable(WORKSPACE, ["embed"]))

    async def test_local_names_are_those_of_the_built_in_model(
        self, catalog: CatalogHarness, container: Container
    ) -> None:
        container.local_model.serve("http://127.0.0.1:4567/v1", TOKEN)
        await catalog.models(lambda models: models.ensure_local())
        await create_model(catalog, await create_provider(catalog), name="gpt-4o")

        names = await catalog.models(lambda models: models.list_local_names(WORKSPACE))

        assert names == {"smollm2-135m", "local/smollm2-135m"}


class TestEnsureLocal:
    async def test_creates_nothing_while_unavailable(self, catalog: CatalogHarness) -> None:
        created = await catalog.models(lambda models: models.ensure_local())

        assert created is None
        assert await catalog.models(lambda models: models.get_default_name(WORKSPACE, ModelKind.LLM)) is None

    @pytest.mark.each_database
    async def test_concurrent_calls_create_one_model(
        self, catalog: CatalogHarness, container: Container, client: httpx.AsyncClient
    ) -> None:
        container.local_model.serve("http://127.0.0.1:4567/v1", TOKEN)

        created = await asyncio.gather(
            *(catalog.models(lambda models: models.ensure_local()) for _ in range(4))
        )

        assert len(set(created)) == 1
        assert len((await client.get("/models")).json()["models"]) == 1
        assert len((await client.get("/providers")).json()["providers"]) == 1

    async def test_keeps_the_default_model(self, catalog: CatalogHarness, container: Container) -> None:
        await create_model(catalog, await create_provider(catalog), name="gpt-4o")
        container.local_model.serve("http://127.0.0.1:4567/v1", TOKEN)

        await catalog.models(lambda models: models.ensure_local())

        assert await catalog.models(lambda m: m.get_default_name(WORKSPACE, ModelKind.LLM)) == "gpt-4o"

    async def test_numbers_names_that_are_taken(
        self, catalog: CatalogHarness, container: Container, client: httpx.AsyncClient
    ) -> None:
        await create_model(catalog, await create_provider(catalog, name="local"), name="smollm2-135m")
        container.local_model.serve("http://127.0.0.1:4567/v1", TOKEN)

        model_id = await catalog.models(lambda models: models.ensure_local())

        created = (await client.get(f"/models/{model_id}")).json()
        assert created["name"] == "smollm2-135m (built-in 1)"
        assert created["providerName"] == "local (built-in 1)"

    async def test_keeps_changes_of_users(
        self, catalog: CatalogHarness, container: Container, client: httpx.AsyncClient
    ) -> None:
        container.local_model.serve("http://127.0.0.1:4567/v1", TOKEN)
        model_id = await catalog.models(lambda models: models.ensure_local())
        await client.patch(f"/models/{model_id}", json={"name": "demo", "default": False})

        again = await catalog.models(lambda models: models.ensure_local())

        model = (await client.get(f"/models/{model_id}")).json()
        assert again == model_id
        assert (model["name"], model["default"]) == ("demo", False)


class TestInlineProvider:
    @staticmethod
    def config(**fields: Any) -> ProviderCreate:
        return ProviderCreate.model_validate(
            {"name": "Mine", "type": "openai", "apiKey": PROVIDER_KEY, "models": ["a/b"], **fields}
        )

    async def test_binds_all_names_and_stores_nothing(
        self, catalog: CatalogHarness, container: Container, client: httpx.AsyncClient
    ) -> None:
        async def build(models: Any) -> dict[str, ModelBinding]:
            created: dict[str, ModelBinding] = models.build_inline_bindings(
                self.config(), ["gpt-4o", "openai/gpt-4o", "Mine/x", "a/b"], ["embed"]
            )
            return created

        bindings = await catalog.models(build)

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
        assert bindings["gpt-4o"].api_key.get_secret_value() == PROVIDER_KEY
        assert bindings["gpt-4o"].pricing is None
        assert (await client.get("/providers")).json()["providers"] == []

    async def test_is_validated_like_a_stored_provider(
        self, catalog: CatalogHarness, container: Container
    ) -> None:
        container.egress = EgressPolicy(allow_private=False)

        with pytest.raises(ProviderInvalid):
            await catalog.models(
                lambda m: m.validate_inline_provider(self.config(baseUrl="http://127.0.0.1:1/v1"))
            )
        with pytest.raises(ProviderInvalid):
            await catalog.models(lambda m: m.validate_inline_provider(self.config(type="azure")))
