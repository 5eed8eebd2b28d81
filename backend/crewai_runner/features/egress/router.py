"""The endpoint of a run's connections."""

from typing import Annotated

from fastapi import Query

from crewai_runner.core.paging import MAX_LIMIT
from crewai_runner.features.egress.deps import Egress, Reader
from crewai_runner.features.egress.schemas import RunConnectionPage
from crewai_runner.features.runs.errors import RunNotFound
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.problems import problems

router = PrefixedRouter(prefix="/runs", tags=["egress"])


@router.get("/{run_id}/egress", responses=problems(RunNotFound))
async def list_connections(
    run_id: str,
    reader: Reader,
    egress: Egress,
    cursor: Annotated[str | None, Query(max_length=200, description="From `nextCursor`.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="Maximum number of connections.")] = MAX_LIMIT,
) -> RunConnectionPage:
    """List the connections of a run to other servers: who made them, what they carried, what was refused.

    Of models, embedders and tools each request is an entry, redirects included; of a project's code each
    tunnel. After the first 500 requests of an attempt, entries are sums by host. Entries are stored with the
    events that follow them, so a request in progress is missing.
    """
    return await egress.list_page(reader, run_id, cursor, limit)
