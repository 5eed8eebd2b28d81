"""API endpoints of models."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Query, Response

from crewai_runner.core.errors import BadRequest, StaleVersion
from crewai_runner.domain.provider import ModelKind
from crewai_runner.features.idempotency.deps import IdempotencyKey
from crewai_runner.features.idempotency.errors import IdempotencyKeyReused
from crewai_runner.features.models.deps import Models, ModelsToRead, Reader, Writer
from crewai_runner.features.models.errors import ModelBuiltIn, ModelInvalid, ModelNameTaken, ModelNotFound
from crewai_runner.features.models.schemas import (
    ModelAnswer,
    ModelEnvelope,
    ModelList,
    ModelRead,
    ModelUpdateEnvelope,
)
from crewai_runner.http.deps import LIMIT, Conditional, Cursor, IfMatch, Limit, set_etag
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.problems import problems

router = PrefixedRouter(prefix="/models", tags=["models"])


@router.get("", responses=problems(BadRequest))
async def list_models(
    principal: Reader,
    models: ModelsToRead,
    kind: Annotated[ModelKind | None, Query(alias="type", description="Only this type.")] = None,
    provider_id: Annotated[
        str | None,
        Query(
            alias="providerId",
            max_length=64,
            pattern=r"^[0-9A-Za-z_]+$",
            description="Only models of this provider.",
        ),
    ] = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> ModelList:
    """List the models of the workspace, oldest first."""
    return await models.list_page(principal, kind, provider_id, limit, cursor)


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    responses=problems(ModelNameTaken, IdempotencyKeyReused, ModelInvalid),
)
async def create_model(
    body: ModelEnvelope,
    principal: Writer,
    models: Models,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> ModelAnswer:
    """Register a model of a provider, so that workflows can use it.

    With `default: true` it replaces the default model of its type. The body may also be the model itself,
    without the enclosing `model` member.
    """
    answer = await models.create(principal, body.model, idempotency_key)
    set_etag(response, answer.model.version)
    return answer


@router.get("/{model_id}", dependencies=[Conditional], responses=problems(ModelNotFound))
async def get_model(model_id: str, principal: Reader, models: ModelsToRead, response: Response) -> ModelRead:
    """Get one model; its version is in the ETag."""
    model = await models.get(principal, model_id)
    set_etag(response, model.version)
    return model


@router.patch(
    "/{model_id}",
    responses=problems(BadRequest, ModelNotFound, ModelNameTaken, StaleVersion, ModelInvalid),
)
async def update_model(
    model_id: str,
    body: ModelUpdateEnvelope,
    principal: Writer,
    models: Models,
    response: Response,
    expected: IfMatch,
) -> ModelRead:
    """Change the fields that are sent. `default: true` replaces the default model of the type."""
    model = await models.update(principal, model_id, body.model, expected)
    set_etag(response, model.version)
    return model


@router.delete(
    "/{model_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(BadRequest, ModelNotFound, ModelBuiltIn, StaleVersion),
)
async def delete_model(model_id: str, principal: Writer, models: Models, expected: IfMatch) -> None:
    """Delete a model. Workflows that use it cannot be started until it is registered again."""
    await models.delete(principal, model_id, expected)
