"""Requests to an issuer: where they may go, and whose answers count."""

import pytest

from crewai_runner.core.issuer_settings import IssuerSettings
from crewai_runner.features.identities.errors import IssuerUnavailable
from crewai_runner.features.identities.issuer_client import IssuerClient
from tests.support.issuers import TestIssuers


class TestOutgoingRequests:
    async def test_only_the_host_of_the_issuer_may_be_private(
        self, issuers: TestIssuers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A discovery document must not lead requests into the network of the server."""
        settings = IssuerSettings(id="x", name="X", issuer=issuers.one.url, client_id="crewai-runner")
        client = IssuerClient(settings)
        metadata = await client.read_metadata()
        elsewhere = metadata.model_copy(update={"jwks_uri": "https://10.0.0.1/keys"})
        monkeypatch.setattr(client, "_metadata", (client._clock(), elsewhere))

        with pytest.raises(IssuerUnavailable) as raised:
            await client.read_keys(None)

        assert "private network" in raised.value.reason
        # Whoever is not signed in learns no addresses.
        assert "10.0.0.1" not in raised.value.detail

    async def test_a_discovery_document_of_another_issuer_is_refused(self, issuers: TestIssuers) -> None:
        url = issuers.one.url.replace("127.0.0.1", "localhost")
        settings = IssuerSettings(id="x", name="X", issuer=url, client_id="crewai-runner")

        with pytest.raises(IssuerUnavailable) as raised:
            await IssuerClient(settings).read_metadata()

        assert "another issuer" in raised.value.reason
