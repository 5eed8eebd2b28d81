"""Tries providers out. No database connection is held while a provider is waited for."""

import time

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.encryption import SecretCipher
from crewai_runner.core.logging import SecretMask
from crewai_runner.core.principal import Principal
from crewai_runner.db.session import Sessions, read_session
from crewai_runner.domain.provider import ProviderType
from crewai_runner.features.providers.errors import ProviderFailed
from crewai_runner.features.providers.places import place_of
from crewai_runner.features.providers.probe import Probe
from crewai_runner.features.providers.schemas import ConnectionReport, LiveModels, ProviderTest, Stage
from crewai_runner.features.providers.service import Access, ProviderService
from crewai_runner.localmodel.status import LocalModelUnavailable
from crewai_runner.localmodel.supervisor import LocalModelSupervisor

LIMIT_SECONDS = 10.0
# The built-in model's own address is on this machine, whatever is allowed to users.
_OWN_ADDRESS = EgressPolicy(allow_private=True)


class ConnectionService:
    """`limit_seconds` bounds one test."""

    def __init__(
        self,
        sessions: Sessions,
        *,
        cipher: SecretCipher,
        mask: SecretMask,
        egress: EgressPolicy,
        local: LocalModelSupervisor,
        limit_seconds: float = LIMIT_SECONDS,
    ) -> None:
        self._sessions = sessions
        self._cipher, self._mask, self._egress = cipher, mask, egress
        self._local = local
        self._limit = limit_seconds

    async def test(self, principal: Principal, provider_id: str) -> ConnectionReport:
        """Try a stored provider; what it does is in the report. Raises ProviderNotFound, SecretUnreadable."""
        access, wanted = await self._stored(principal, provider_id)
        return await self._probe(access, wanted)

    async def test_unsaved(self, request: ProviderTest) -> ConnectionReport:
        """Try what was sent, and forget it. Raises ProviderInvalid."""
        place = place_of(request)
        return await self._probe(Access(request.name, place.type, place.url, request.api_key), request.models)

    async def live_models(self, principal: Principal, provider_id: str) -> LiveModels:
        """The models a stored provider has now. Raises ProviderNotFound, SecretUnreadable, ProviderFailed."""
        access, _ = await self._stored(principal, provider_id)
        report = await self._probe(access, [])
        if not report.ok:
            raise ProviderFailed(report.message, stage=report.stage.value)
        return LiveModels(models=report.models)

    async def _stored(self, principal: Principal, provider_id: str) -> tuple[Access, list[str]]:
        workspace_id = principal.workspace_id
        async with read_session(self._sessions) as session:
            providers = ProviderService(
                session, cipher=self._cipher, mask=self._mask, egress=self._egress, local=self._local
            )
            access = await providers.stored(workspace_id, provider_id)
            return access, await providers.expected_models(workspace_id, provider_id)

    async def _probe(self, access: Access, wanted: list[str]) -> ConnectionReport:
        if access.type is ProviderType.LOCAL:
            return await self._probe_local(wanted)
        key = access.api_key.get_secret_value() if access.api_key else None
        probe = Probe(self._egress, access.type, access.base_url or "", key, limit_seconds=self._limit)
        return await probe.run(wanted)

    async def _probe_local(self, wanted: list[str]) -> ConnectionReport:
        began = time.perf_counter()
        try:
            endpoint = await self._local.endpoint(self._limit / 2)
        except LocalModelUnavailable as reason:
            waited = round((time.perf_counter() - began) * 1000)
            return ConnectionReport(
                ok=False, stage=Stage.CONNECT, latency_ms=waited, message=reason.detail, models=[]
            )
        token = endpoint.token.get_secret_value()
        probe = Probe(
            _OWN_ADDRESS, ProviderType.LOCAL, endpoint.base_url, token, limit_seconds=self._limit / 2
        )
        return await probe.run(wanted)
