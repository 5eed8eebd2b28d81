"""API endpoints of triggers, and the one that receives deliveries."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Path, Request, Response

from crewai_runner.core.errors import BadRequest, StaleVersion, TooLarge
from crewai_runner.features.executions.errors import DefinitionInvalid, NoEmbedder, NoModel
from crewai_runner.features.models.errors import ModelUnusable
from crewai_runner.features.projects.errors import ProjectInvalid, ProjectNotReady
from crewai_runner.features.runs.errors import InputsInvalid
from crewai_runner.features.triggers.deps import (
    Deliveries,
    Editor,
    HookBody,
    Reader,
    Receiver,
    RunReader,
    Triggers,
    TriggersToRead,
)
from crewai_runner.features.triggers.errors import (
    DeliveryBodyGone,
    DeliveryNotFound,
    HookBodyInvalid,
    HookBusy,
    HookNotAccepted,
    HookSignatureInvalid,
    HookTypeUnsupported,
    HookUnknown,
    TooManyTriggers,
    TriggerInvalid,
    TriggerNameTaken,
    TriggerNotFound,
)
from crewai_runner.features.triggers.schemas import (
    MappingPreview,
    MappingPreviewRequest,
    TriggerDelivery,
    TriggerDeliveryList,
    TriggerDeliveryRead,
    TriggerEnvelope,
    TriggerList,
    TriggerRead,
    TriggerSecret,
    TriggerUpdateEnvelope,
)
from crewai_runner.features.triggers.service import HOOKS_PATH
from crewai_runner.features.workspaces.errors import TooManyRuns, WorkspaceStorageFull
from crewai_runner.http.deps import LIMIT, Conditional, Cursor, IfMatch, Limit, QueueOpen, set_etag
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.problems import problems
from crewai_runner.http.unaudited import unaudited

router = PrefixedRouter(prefix="/triggers", tags=["triggers"])
hook_router = PrefixedRouter(prefix=HOOKS_PATH, tags=["triggers"])
_DELIVERY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"description": "Any JSON."}}},
    }
}


@router.get("")
async def list_triggers(reader: Reader, triggers: TriggersToRead) -> TriggerList:
    """List the triggers, by name. Secrets are never returned."""
    return await triggers.list_all(reader)


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    responses=problems(TriggerInvalid, TriggerNameTaken, TooManyTriggers),
)
async def create_trigger(
    body: TriggerEnvelope, editor: Editor, triggers: Triggers, response: Response
) -> TriggerSecret:
    """Create a trigger. Its secret is in this answer only."""
    created = await triggers.create(editor, body.trigger)
    set_etag(response, created.trigger.version)
    return created


@router.get("/{trigger_id}", dependencies=[Conditional], responses=problems(TriggerNotFound))
async def get_trigger(
    trigger_id: str, reader: Reader, triggers: TriggersToRead, response: Response
) -> TriggerRead:
    """Get one trigger; its version is in the ETag."""
    trigger = await triggers.get(reader, trigger_id)
    set_etag(response, trigger.version)
    return trigger


@router.patch(
    "/{trigger_id}",
    responses=problems(BadRequest, TriggerNotFound, TriggerNameTaken, StaleVersion, TriggerInvalid),
)
async def update_trigger(
    trigger_id: str,
    body: TriggerUpdateEnvelope,
    editor: Editor,
    triggers: Triggers,
    response: Response,
    expected: IfMatch,
) -> TriggerRead:
    """Change the fields that are sent: with `secret`, the secret that a sender has made."""
    trigger = await triggers.update(editor, trigger_id, body.trigger, expected)
    set_etag(response, trigger.version)
    return trigger


@router.delete(
    "/{trigger_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(BadRequest, TriggerNotFound, StaleVersion),
)
async def delete_trigger(trigger_id: str, editor: Editor, triggers: Triggers, expected: IfMatch) -> None:
    """Delete a trigger and its delivery log. Runs that it started stay."""
    await triggers.delete(editor, trigger_id, expected)


@router.post("/{trigger_id}/rotate", responses=problems(BadRequest, TriggerNotFound, StaleVersion))
async def rotate_trigger(
    trigger_id: str, editor: Editor, triggers: Triggers, response: Response, expected: IfMatch
) -> TriggerSecret:
    """Replace the address and the secret. The old ones are invalid at once."""
    rotated = await triggers.rotate(editor, trigger_id, expected)
    set_etag(response, rotated.trigger.version)
    return rotated


@router.post(
    "/{trigger_id}/preview",
    **unaudited("It stores nothing."),
    responses=problems(TriggerNotFound, TriggerInvalid),
)
async def preview_mapping(
    trigger_id: str, body: MappingPreviewRequest, editor: Editor, deliveries: Deliveries
) -> MappingPreview:
    """Show what the last received body would become with these pointers."""
    return await deliveries.preview(editor, trigger_id, body)


@router.get("/{trigger_id}/deliveries", responses=problems(BadRequest, TriggerNotFound))
async def list_trigger_deliveries(
    trigger_id: str, reader: RunReader, deliveries: Deliveries, limit: Limit = LIMIT, cursor: Cursor = None
) -> TriggerDeliveryList:
    """List the deliveries of a trigger, newest first."""
    return await deliveries.list_page(reader, trigger_id, limit, cursor)


@router.get(
    "/{trigger_id}/deliveries/{trigger_delivery_id}", responses=problems(TriggerNotFound, DeliveryNotFound)
)
async def get_trigger_delivery(
    trigger_id: str, trigger_delivery_id: str, reader: RunReader, deliveries: Deliveries
) -> TriggerDeliveryRead:
    """Get one delivery with its body."""
    return await deliveries.get(reader, trigger_id, trigger_delivery_id)


@router.post(
    "/{trigger_id}/deliveries/{trigger_delivery_id}/replay",
    status_code=HTTPStatus.CREATED,
    dependencies=[QueueOpen],
    responses=problems(
        TriggerNotFound,
        DeliveryNotFound,
        DeliveryBodyGone,
        InputsInvalid,
        DefinitionInvalid,
        NoModel,
        NoEmbedder,
        ModelUnusable,
        ProjectNotReady,
        ProjectInvalid,
        TooManyRuns,
        WorkspaceStorageFull,
    ),
)
async def replay_trigger_delivery(
    trigger_id: str, trigger_delivery_id: str, editor: Editor, deliveries: Deliveries
) -> TriggerDelivery:
    """Start a run with the body of a delivery again, with the current mapping."""
    return await deliveries.replay(editor, trigger_id, trigger_delivery_id)


@hook_router.post(
    "/{token}",
    status_code=HTTPStatus.ACCEPTED,
    response_class=Response,
    openapi_extra=_DELIVERY,
    responses={
        200: {"description": "The answer to Slack's check of the address.", "content": {"text/plain": {}}},
        **problems(
            HookUnknown,
            HookSignatureInvalid,
            HookTypeUnsupported,
            HookBodyInvalid,
            HookNotAccepted,
            HookBusy,
            TooLarge,
        ),
    },
)
async def receive_delivery(
    token: Annotated[str, Path(max_length=100, description="From the trigger's `path`.")],
    body: HookBody,
    request: Request,
    receiver: Receiver,
) -> Response:
    """Receive a delivery of an outside sender, and start a run.

    It must be signed as the trigger says, at most 256 KB of JSON, and is accepted once: a repeated one is
    answered with 202 and starts nothing.
    """
    challenge = await receiver.receive(token, dict(request.headers), body)
    if challenge is not None:
        return Response(challenge, media_type="text/plain")
    return Response(status_code=HTTPStatus.ACCEPTED)
