"""The Prometheus endpoint."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from starlette.requests import HTTPConnection

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.auth.errors import InvalidApiKey, ScopeMissing, TooManySignInFailures
from crewai_runner.features.metrics.instruments import TEXT
from crewai_runner.features.metrics.service import MetricsDeps
from crewai_runner.http.deps import Provided, provided
from crewai_runner.http.problems import problems

router = APIRouter(tags=["health"])
PATH = "/metrics"


class MayScrape(Requires):
    """Requires the scope to read metrics, unless METRICS_PUBLIC is set."""

    async def __call__(self, connection: HTTPConnection) -> Principal | None:  # type: ignore[override]
        if provided(connection, MetricsDeps).is_public:
            return None
        return await super().__call__(connection)


@router.get(
    PATH,
    response_class=Response,
    responses=problems(InvalidApiKey, TooManySignInFailures, ScopeMissing)
    | {200: {"description": "Prometheus' text format", "content": {"text/plain": {}}}},
)
async def get_metrics(
    scraper: Annotated[Principal | None, Depends(MayScrape(Scope.METRICS_READ))],  # noqa: ARG001
    deps: Annotated[MetricsDeps, Depends(Provided(MetricsDeps))],
) -> Response:
    """Metrics of this process in Prometheus' text format.

    Needs the API key unless METRICS_PUBLIC is set. Each process has its own metrics; those read
    from the database (`crewai_runner_runs`, `crewai_runner_queue_…`) are the same in all processes.
    """
    return Response(await deps.telemetry.text(), media_type=TEXT, headers={"Cache-Control": "no-store"})
