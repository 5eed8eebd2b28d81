"""Endpoints for liveness, readiness and versions."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.health.schemas import About, Alive, Readiness
from crewai_runner.features.health.service import HealthDeps, HealthService
from crewai_runner.http.deps import Provided

LIVENESS = "/health"
READINESS = "/health/ready"
router = APIRouter(tags=["health"])
about_router = APIRouter(tags=["health"])
Reader = Annotated[Principal, Depends(Requires(Scope.RUNS_READ))]
Deps = Annotated[HealthDeps, Depends(Provided(HealthDeps))]


@router.get(LIVENESS)
async def get_health() -> Alive:
    """The process is alive."""
    return Alive()


@router.get(READINESS, responses={503: {"model": Readiness, "description": "A part is not ready"}})
async def get_readiness(deps: Deps, request: Request, response: Response) -> Readiness:
    """Check every part this process needs; 503 if one is not ready. With a key, each part has a message."""
    found = await HealthService(deps).readiness()
    if found.status != "ready":
        response.status_code = 503
    return found if "principal" in request.scope else found.without_messages()


@about_router.get("/about")
async def get_about(reader: Reader, deps: Deps) -> About:  # noqa: ARG001  # the right is the point
    """The versions and states of this server's parts."""
    return await HealthService(deps).about()
