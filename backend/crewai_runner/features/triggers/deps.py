"""FastAPI dependencies of triggers, and of the endpoint that receives deliveries."""

import hashlib
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from crewai_runner.core.client_address import get_limited_address
from crewai_runner.core.errors import TooLarge
from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.triggers.delivery_log import DeliveryLog
from crewai_runner.features.triggers.errors import HookBusy, HookTypeUnsupported
from crewai_runner.features.triggers.receiver import HookReceiver
from crewai_runner.features.triggers.service import TriggerDeps, TriggerService
from crewai_runner.http.client_address import get_client_address
from crewai_runner.http.deps import Provided, ReadSessionDep, SessionDep
from crewai_runner.http.ratelimit.port import Rate, RateLimiter

HOOK_RATE = Rate(per_minute=120, burst=60)
"""How often one address may send, and how often one trigger receives."""
MAX_BODY_BYTES = 256 * 1024

Reader = Annotated[Principal, Depends(Requires(Scope.WORKFLOWS_READ))]
RunReader = Annotated[Principal, Depends(Requires(Scope.RUNS_READ))]
Editor = Annotated[Principal, Depends(Requires(Scope.WORKFLOWS_WRITE))]


@dataclass(frozen=True, slots=True)
class HookDeps:
    """Dependencies of the endpoint without credentials, built by the container."""

    limiter: RateLimiter


_Deps = Annotated[TriggerDeps, Depends(Provided(TriggerDeps))]
_HookDeps = Annotated[HookDeps, Depends(Provided(HookDeps))]


async def _triggers(deps: _Deps, session: SessionDep) -> TriggerService:
    return TriggerService(session, deps)


async def _triggers_to_read(deps: _Deps, session: ReadSessionDep) -> TriggerService:
    return TriggerService(session, deps)


async def _delivery_log(deps: _Deps) -> DeliveryLog:
    return DeliveryLog(deps)


async def _receiver(deps: _Deps) -> HookReceiver:
    return HookReceiver(deps)


async def _read_body(token: str, request: Request, deps: _HookDeps) -> bytes:
    """Return the raw body, once the sender may send and its type and size are known to be right."""
    address = get_limited_address(get_client_address(request.scope))
    for bucket in (f"hook-address/{address}", f"hook/{hash_token(token)}"):
        decision = await deps.limiter.take(bucket)
        if not decision.allowed:
            raise HookBusy(decision.retry_seconds)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise HookTypeUnsupported
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise TooLarge(f"The body exceeds the limit of {MAX_BODY_BYTES} bytes.")
    return bytes(body)


def hash_token(token: str) -> str:
    """Return a digest: the keys of rate limits are stored, and the address is confidential."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


Triggers = Annotated[TriggerService, Depends(_triggers, scope="function")]
TriggersToRead = Annotated[TriggerService, Depends(_triggers_to_read, scope="function")]
Deliveries = Annotated[DeliveryLog, Depends(_delivery_log)]
Receiver = Annotated[HookReceiver, Depends(_receiver)]
HookBody = Annotated[bytes, Depends(_read_body)]
