"""API endpoints of HTTP APIs whose operations are tools."""

from http import HTTPStatus

from fastapi import Response

from crewai_runner.core.errors import BadRequest, StaleVersion
from crewai_runner.features.apis.deps import ApisToRead, ApisToWrite, Reader, RequireWriter, Writer
from crewai_runner.features.apis.errors import ApiInvalid, ApiNameTaken, ApiNotFound, TooManyApis
from crewai_runner.features.apis.schemas import (
    ApiAnswer,
    ApiCreate,
    ApiDocumentSource,
    ApiList,
    ApiPreview,
)
from crewai_runner.features.idempotency.deps import IdempotencyKey
from crewai_runner.features.idempotency.errors import IdempotencyKeyReused
from crewai_runner.http.deps import IfMatch, set_etag
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.problems import problems
from crewai_runner.http.unaudited import unaudited

router = PrefixedRouter(prefix="/apis", tags=["apis"])


@router.get("")
async def list_apis(principal: Reader, apis: ApisToRead) -> ApiList:
    """List the HTTP APIs whose operations are tools, by name."""
    return await apis.list_all(principal)


@router.post(
    "/preview",
    dependencies=[RequireWriter],
    responses=problems(ApiInvalid),
    **unaudited("It stores nothing."),
)
async def preview_api(body: ApiDocumentSource, apis: ApisToRead) -> ApiPreview:
    """List the operations of an OpenAPI 3 document, to choose those that become tools."""
    return await apis.preview(body)


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    responses=problems(ApiNameTaken, TooManyApis, IdempotencyKeyReused, ApiInvalid),
)
async def create_api(
    body: ApiCreate,
    principal: Writer,
    apis: ApisToWrite,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> ApiAnswer:
    """Add operations of an OpenAPI 3 document as tools, named `api:NAME/OPERATION` in workflows.

    They are kept as the document describes them now: a later version of it changes nothing. References to
    other documents are not followed.
    """
    answer = await apis.create(principal, body, idempotency_key)
    set_etag(response, answer.api.version)
    return answer


@router.delete(
    "/{api_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(BadRequest, ApiNotFound, StaleVersion),
)
async def delete_api(api_id: str, principal: Writer, apis: ApisToWrite, expected: IfMatch) -> None:
    """Delete an API and its tools. Runs whose workflows name them can then not be started."""
    await apis.delete(principal, api_id, expected)
