"""From what was sent or stored to the place a provider's calls go to, judged."""

import asyncio
from dataclasses import replace

from pydantic import SecretStr

from crewai_runner.core.egress import EgressPolicy, HostUnresolved, UrlRefused
from crewai_runner.db.tables.catalog import ProviderRow
from crewai_runner.domain.provider import ProviderType
from crewai_runner.features.providers.errors import ProviderInvalid
from crewai_runner.features.providers.rules import Place, flaws_of, options_for, tidy_place
from crewai_runner.features.providers.schemas import ProviderCreate, ProviderUpdate

LOOK_UP_SECONDS = 3.0


class Places:
    """Judges addresses by the server's egress policy. Looks names up: call it before a transaction."""

    def __init__(self, egress: EgressPolicy) -> None:
        self._egress = egress

    async def admit(self, request: ProviderCreate) -> Place:
        """The place a new provider is reached at. Raises ProviderInvalid."""
        place = place_of(request)
        if place.base_url is not None:
            await self.refuse_forbidden(place.base_url)
        return place

    async def admit_as_written(self, request: ProviderCreate) -> Place:
        """`admit` without looking anything up: an address is judged, the name of a host is not."""
        return await Places(replace(self._egress, resolve=_unknown)).admit(request)

    async def refuse_forbidden(self, url: str) -> None:
        """Raise ProviderInvalid for a URL that leads where this server may not go.

        A host that is not found now may be there later, and is judged again at every connection.
        """
        try:
            async with asyncio.timeout(LOOK_UP_SECONDS):
                await self._egress.check_url(url)
        except (HostUnresolved, TimeoutError):
            return
        except UrlRefused as refusal:
            raise ProviderInvalid([("/baseUrl", refusal.detail)]) from None


def _unknown(host: str, _port: int) -> list[str]:
    raise OSError(f"{host} is not looked up")


def place_of(request: ProviderCreate) -> Place:
    """The place as written, before anything is looked up. Raises ProviderInvalid."""
    options = request.options.model_dump(by_alias=False)
    return _whole(Place(request.type, request.base_url, options), request.api_key)


def stored_place(row: ProviderRow) -> Place:
    return Place(ProviderType(row.type), row.base_url, row.options)


def moved(row: ProviderRow, request: ProviderUpdate) -> Place:
    """The place after a change. Raises ProviderInvalid."""
    given = request.model_fields_set
    kind = request.type if "type" in given else ProviderType(row.type)
    if "options" in given:
        options = request.options.model_dump(by_alias=False)
    else:
        options = options_for(kind, row.options)
    base_url = request.base_url if "base_url" in given else row.base_url
    return _whole(Place(kind, base_url, options), request.api_key)


def _whole(place: Place, api_key: SecretStr | None) -> Place:
    tidied = tidy_place(place)
    flaws = flaws_of(tidied, api_key.get_secret_value() if api_key else None)
    if flaws:
        raise ProviderInvalid(flaws)
    return tidied
