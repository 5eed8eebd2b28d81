"""Builds endpoints from requests and rows, and validates them against the egress policy."""

import asyncio
from dataclasses import replace

from pydantic import SecretStr

from crewai_runner.core.egress import EgressPolicy, HostUnresolved, UrlRefused
from crewai_runner.db.tables.catalog import ProviderRow
from crewai_runner.domain.provider import ProviderType
from crewai_runner.features.providers.endpoint.provider_endpoint import (
    ProviderEndpoint,
    filter_options,
    validate_endpoint,
)
from crewai_runner.features.providers.errors import ProviderInvalid
from crewai_runner.features.providers.schemas import ProviderCreate, ProviderRecord, ProviderUpdate

RESOLVE_TIMEOUT_SECONDS = 3.0


class EndpointValidator:
    """Applies the egress policy. Resolves host names, so call it before a transaction begins."""

    def __init__(self, egress: EgressPolicy) -> None:
        self._egress = egress

    async def validate(self, request: ProviderCreate) -> ProviderEndpoint:
        """Return the endpoint of a new provider. Raises ProviderInvalid."""
        endpoint = endpoint_from_request(request)
        if endpoint.base_url is not None:
            await self.check_url(endpoint.base_url)
        return endpoint

    async def validate_offline(self, request: ProviderCreate) -> ProviderEndpoint:
        """`validate` without name resolution: only IP addresses are checked."""
        return await EndpointValidator(replace(self._egress, resolve=_fail_to_resolve)).validate(request)

    async def check_url(self, url: str) -> None:
        """Raise ProviderInvalid for a URL that the egress policy forbids.

        Unresolvable hosts are accepted: every connection is checked again.
        """
        try:
            async with asyncio.timeout(RESOLVE_TIMEOUT_SECONDS):
                await self._egress.check_url(url)
        except (HostUnresolved, TimeoutError):
            return
        except UrlRefused as error:
            raise ProviderInvalid([("/baseUrl", error.detail)]) from None


def _fail_to_resolve(host: str, _port: int) -> list[str]:
    raise OSError(f"{host} is not resolved")


def endpoint_from_request(request: ProviderCreate) -> ProviderEndpoint:
    """Return the normalized endpoint of a request, without name resolution. Raises ProviderInvalid."""
    options = request.options.model_dump(by_alias=False)
    return _normalize(ProviderEndpoint(request.type, request.base_url, options), request.api_key)


def endpoint_from_row(row: ProviderRow | ProviderRecord) -> ProviderEndpoint:
    return ProviderEndpoint(ProviderType(row.type), row.base_url, row.options)


def endpoint_after_update(row: ProviderRow, request: ProviderUpdate) -> ProviderEndpoint:
    """Return the endpoint of a provider after an update. Raises ProviderInvalid."""
    sent = request.model_fields_set
    provider_type = request.type if "type" in sent else ProviderType(row.type)
    if "options" in sent:
        options = request.options.model_dump(by_alias=False)
    else:
        options = filter_options(provider_type, row.options)
    base_url = request.base_url if "base_url" in sent else row.base_url
    return _normalize(ProviderEndpoint(provider_type, base_url, options), request.api_key)


def _normalize(endpoint: ProviderEndpoint, api_key: SecretStr | None) -> ProviderEndpoint:
    normalized = endpoint.normalize()
    errors = validate_endpoint(normalized, api_key.get_secret_value() if api_key else None)
    if errors:
        raise ProviderInvalid(errors)
    return normalized
