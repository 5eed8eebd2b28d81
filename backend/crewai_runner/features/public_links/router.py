"""API endpoints of public links: those of a run, and the one that needs no credentials."""

from http import HTTPStatus

from fastapi import Response

from crewai_runner.features.public_links.deps import (
    PublicLinks,
    PublicLinksToRead,
    Reader,
    Sharer,
    WithinRate,
)
from crewai_runner.features.public_links.errors import (
    PublicLinkNotFound,
    PublicLinksOff,
    SharedRunNotFound,
    TooManyPublicLinks,
)
from crewai_runner.features.public_links.schemas import (
    CreatedPublicLink,
    PublicLinkCreate,
    PublicLinkList,
    SharedRun,
    SharedRunRequest,
)
from crewai_runner.features.runs.errors import RunNotFound
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.problems import problems
from crewai_runner.http.unaudited import unaudited

SHARED_RUN_PATHS = ("/shared-run",)
"""They need no credentials."""
router = PrefixedRouter(prefix="/runs", tags=["sharing"])
shared_router = PrefixedRouter(prefix="/shared-run", tags=["sharing"])


@router.get("/{run_id}/public-links", responses=problems(RunNotFound))
async def list_public_links(run_id: str, reader: Reader, links: PublicLinksToRead) -> PublicLinkList:
    """List the public links to a run that work, newest first."""
    return await links.list_valid(reader, run_id)


@router.post(
    "/{run_id}/public-links",
    status_code=HTTPStatus.CREATED,
    responses=problems(RunNotFound, PublicLinksOff, TooManyPublicLinks),
)
async def create_public_link(
    run_id: str, body: PublicLinkCreate, sharer: Sharer, links: PublicLinks
) -> CreatedPublicLink:
    """Create a link with which anyone who has it can read the run, without an account, until it expires.

    An owner of the workspace must have allowed it.
    """
    return await links.create(sharer, run_id, body)


@router.delete(
    "/{run_id}/public-links/{public_link_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(RunNotFound, PublicLinkNotFound),
)
async def revoke_public_link(run_id: str, public_link_id: str, sharer: Sharer, links: PublicLinks) -> None:
    """Make a public link invalid at once."""
    await links.revoke(sharer, run_id, public_link_id)


@shared_router.post(
    "",
    dependencies=[WithinRate],
    **unaudited("It only reads."),
    responses=problems(SharedRunNotFound),
)
async def read_shared_run(body: SharedRunRequest, links: PublicLinksToRead, response: Response) -> SharedRun:
    """Read the run of a public link. No credentials are needed."""
    response.headers["Cache-Control"] = "no-store"
    return await links.read(body.token.get_secret_value())
