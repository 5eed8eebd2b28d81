"""Tests connections to providers. No database connection is held while waiting for a provider."""

import time

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.principal import Principal
from crewai_runner.db.session import Sessions, read_session
from crewai_runner.domain.provider import ProviderType
from crewai_runner.features.providers.endpoint.endpoint_validator import endpoint_from_request
from crewai_runner.features.providers.errors import ProviderFailed
from crewai_runner.features.providers.probe.connection_probe import ConnectionProbe
from crewai_runner.features.providers.schemas import (
    ConnectionReport,
    ConnectionStage,
    LiveModels,
    ProviderTest,
)
from crewai_runner.features.providers.service import ProviderConnection, ProviderDeps, ProviderService
from crewai_runner.localmodel.status import LocalModelUnavailable

LIMIT_SECONDS = 10.0
# The built-in model listens on a private address, which the configured policy may forbid.
_LOCAL_EGRESS = EgressPolicy(allow_private=True)


class ConnectionTester:
    """Tests stored and unsaved providers; each test takes at most `limit_seconds`."""

    def __init__(
        self, sessions: Sessions, deps: ProviderDeps, *, limit_seconds: float = LIMIT_SECONDS
    ) -> None:
        self._sessions, self._deps = sessions, deps
        self._limit = limit_seconds

    async def test_stored(self, principal: Principal, provider_id: str) -> ConnectionReport:
        """Test a stored provider. Raises ProviderNotFound, SecretUnreadable."""
        connection, expected_models = await self._load(principal, provider_id)
        return await self._probe(connection, expected_models)

    async def test_unsaved(self, request: ProviderTest) -> ConnectionReport:
        """Test a provider without storing it. Raises ProviderInvalid."""
        endpoint = endpoint_from_request(request)
        connection = ProviderConnection(request.name, endpoint.type, endpoint.url, request.api_key)
        return await self._probe(connection, request.models)

    async def list_live_models(self, principal: Principal, provider_id: str) -> LiveModels:
        """List the models of a provider. Raises ProviderNotFound, SecretUnreadable, ProviderFailed."""
        connection, _ = await self._load(principal, provider_id)
        report = await self._probe(connection, [])
        if not report.ok:
            raise ProviderFailed(report.message, stage=report.stage.value)
        return LiveModels(models=report.models)

    async def _load(self, principal: Principal, provider_id: str) -> tuple[ProviderConnection, list[str]]:
        workspace_id = principal.workspace_id
        async with read_session(self._sessions) as session:
            providers = ProviderService(session, self._deps)
            connection = await providers.get_connection(workspace_id, provider_id)
            return connection, await providers.list_expected_models(workspace_id, provider_id)

    async def _probe(self, connection: ProviderConnection, expected_models: list[str]) -> ConnectionReport:
        if connection.type is ProviderType.LOCAL:
            return await self._probe_local(expected_models)
        key = connection.api_key.get_secret_value() if connection.api_key else None
        url = connection.base_url or ""
        probe = ConnectionProbe(self._deps.egress, connection.type, url, key, limit_seconds=self._limit)
        return await probe.run(expected_models)

    async def _probe_local(self, expected_models: list[str]) -> ConnectionReport:
        started = time.perf_counter()
        try:
            endpoint = await self._deps.local_model.endpoint(self._limit / 2)
        except LocalModelUnavailable as error:
            return ConnectionReport(
                ok=False,
                stage=ConnectionStage.CONNECT,
                latency_ms=round((time.perf_counter() - started) * 1000),
                message=error.detail,
                models=[],
            )
        token = endpoint.token.get_secret_value()
        probe = ConnectionProbe(
            _LOCAL_EGRESS, ProviderType.LOCAL, endpoint.base_url, token, limit_seconds=self._limit / 2
        )
        return await probe.run(expected_models)
