"""Endpoints with the paths and fields of a CrewAI AMP deployment, for its clients."""

from crewai_runner.core.egress import HostUnresolved, UrlRefused
from crewai_runner.core.errors import Unprocessable
from crewai_runner.features.amp.deps import (
    Author,
    Automations,
    AutomationsToRead,
    KickoffId,
    Reader,
    Reviewer,
    Slug,
    Writer,
)
from crewai_runner.features.amp.errors import (
    AutomationNotFound,
    ExecutionNotFound,
    InputsMissing,
    NothingToReview,
    WebhookEventsUnknown,
)
from crewai_runner.features.amp.schemas import (
    AutomationInputs,
    ExecutionStatus,
    Kickoff,
    KickoffAnswer,
    Resume,
    ResumeAnswer,
)
from crewai_runner.features.approvals.errors import ApprovalAlreadyResolved, ApprovalDeadlinePassed
from crewai_runner.features.executions.errors import DefinitionInvalid, NoEmbedder, NoModel
from crewai_runner.features.idempotency.deps import IdempotencyKey
from crewai_runner.features.idempotency.errors import IdempotencyKeyReused
from crewai_runner.features.models.errors import ModelUnusable
from crewai_runner.features.projects.errors import ProjectInvalid, ProjectNotReady
from crewai_runner.features.runs.errors import InputsInvalid
from crewai_runner.features.workspaces.errors import TooManyRuns, WorkspaceStorageFull
from crewai_runner.http.deps import QueueOpen
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.problems import problems

PREFIX = "/amp"
router = PrefixedRouter(prefix=PREFIX, tags=["amp"])


@router.get("/{slug}/inputs", responses=problems(AutomationNotFound))
async def list_inputs(slug: Slug, author: Author, automations: AutomationsToRead) -> AutomationInputs:
    """List the names of the inputs that a kickoff takes."""
    return await automations.list_inputs(author, slug)


@router.post(
    "/{slug}/kickoff",
    dependencies=[QueueOpen],
    responses=problems(
        AutomationNotFound,
        InputsMissing,
        InputsInvalid,
        UrlRefused,
        HostUnresolved,
        WebhookEventsUnknown,
        DefinitionInvalid,
        NoModel,
        NoEmbedder,
        ModelUnusable,
        IdempotencyKeyReused,
        ProjectNotReady,
        ProjectInvalid,
        TooManyRuns,
        WorkspaceStorageFull,
    ),
)
async def start_kickoff(
    slug: Slug, body: Kickoff, writer: Writer, automations: Automations, key: IdempotencyKey = None
) -> KickoffAnswer:
    """Start an execution; `GET status/{kickoff_id}` follows it.

    Of a project, the newest version that is built is executed; without one the answer is 409.
    `details.missing_inputs` of a 422 lists the inputs without a value. Webhooks are signed (Standard
    Webhooks) and sent in order, at least once.
    """
    return await automations.kickoff(writer, slug, body, key)


@router.get("/{slug}/status/{kickoff_id}", responses=problems(AutomationNotFound, ExecutionNotFound))
async def get_status(
    slug: Slug, kickoff_id: KickoffId, reader: Reader, automations: AutomationsToRead
) -> ExecutionStatus:
    """Get the state of an execution, and its result once it has one."""
    return await automations.get_status(reader, slug, kickoff_id)


@router.get("/{slug}/{kickoff_id}/status", responses=problems(AutomationNotFound, ExecutionNotFound))
async def get_execution_status(
    slug: Slug, kickoff_id: KickoffId, reader: Reader, automations: AutomationsToRead
) -> ExecutionStatus:
    """Get the state of an execution, as `GET status/{kickoff_id}`."""
    return await automations.get_status(reader, slug, kickoff_id)


@router.post(
    "/{slug}/resume",
    dependencies=[QueueOpen],
    responses=problems(
        AutomationNotFound,
        ExecutionNotFound,
        NothingToReview,
        ApprovalAlreadyResolved,
        ApprovalDeadlinePassed,
        UrlRefused,
        HostUnresolved,
        Unprocessable,
    ),
)
async def resume_execution(
    slug: Slug, body: Resume, reviewer: Reviewer, automations: Automations
) -> ResumeAnswer:
    """Give feedback on the task that an execution waits for: accept its output, or have it revised."""
    return await automations.resume(reviewer, slug, body)
