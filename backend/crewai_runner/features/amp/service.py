"""Runs saved workflows for clients of CrewAI AMP."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.core.egress import EgressPolicy, UrlRefused
from crewai_runner.core.encryption import SecretCipher
from crewai_runner.core.errors import Unprocessable
from crewai_runner.core.principal import Principal
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.db.session import add_notification, read_phase
from crewai_runner.db.tables.run_webhooks import RunWebhookRow
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.domain.audit_entry import get_entry
from crewai_runner.domain.run import RunFailure, RunResult, RunState, TaskResult
from crewai_runner.domain.run_events import RunEvent
from crewai_runner.features.amp.automations import Automations
from crewai_runner.features.amp.errors import (
    ExecutionNotFound,
    InputsMissing,
    NothingToReview,
    WebhookEventsUnknown,
)
from crewai_runner.features.amp.repository import WebhookRepository
from crewai_runner.features.amp.rules import (
    STEP_TYPES,
    STREAM_EVENTS,
    PayloadBuilder,
    describe_state,
    list_missing_inputs,
)
from crewai_runner.features.amp.schemas import (
    AutomationInputs,
    EventStream,
    ExecutionStatus,
    Kickoff,
    KickoffAnswer,
    Progress,
    Resume,
    ResumeAnswer,
    WebhookTargets,
    WebhookUrls,
)
from crewai_runner.features.approvals.schemas import make_resolution
from crewai_runner.features.approvals.service import ApprovalService
from crewai_runner.features.events.service import EventService
from crewai_runner.features.executions.service import ExecutionService, StartExtension
from crewai_runner.features.projects.service import ProjectDeps
from crewai_runner.features.runs.errors import RunNotFound
from crewai_runner.features.runs.schemas import RunTaskRead
from crewai_runner.features.runs.service import RunService
from crewai_runner.stream.notifier import WEBHOOKS_TOPIC

DONE = ("completed", "reused")
CONTEXT_EVENTS = 50


@dataclass(frozen=True, slots=True)
class AmpServices:
    """The services of one session that the run API is built on."""

    executions: ExecutionService
    approvals: ApprovalService
    projects: ProjectDeps
    cipher: SecretCipher
    egress: EgressPolicy
    mask: SecretMask


class AmpService:
    """Every method takes the slug or id of a workflow or project. Raises AutomationNotFound."""

    def __init__(self, session: AsyncSession, services: AmpServices) -> None:
        self._session, self._services = session, services
        self._automations = Automations(session, services.projects, services.mask)
        self._runs = RunService(session)
        self._webhooks = WebhookRepository(session)

    async def list_inputs(self, principal: Principal, slug: str) -> AutomationInputs:
        inputs = await self._automations.list_inputs(principal, slug)
        return AutomationInputs(inputs=[declared.name for declared in inputs])

    async def kickoff(
        self, principal: Principal, slug: str, request: Kickoff, key: str | None
    ) -> KickoffAnswer:
        """Start a run, and store where its progress is reported to, in one transaction.

        Raises InputsMissing, UrlRefused, WebhookEventsUnknown, ProjectNotReady and what
        `ExecutionService.start` raises.
        """
        async with read_phase(self._session):
            automation = await self._automations.resolve(principal, slug)
        missing = list_missing_inputs(automation.inputs, request.inputs)
        if missing:
            raise InputsMissing(missing)
        targets = await self._check_targets(request, request.webhooks)
        extension = None
        if targets.list_urls() or key is not None:

            async def store(run_id: str) -> None:
                if targets.list_urls():
                    await self._add_webhooks(run_id, principal, targets)

            extension = StartExtension(f"amp/{automation.automation.id}/kickoff", request, store)
        start = automation.make_start(inputs=request.inputs, metadata=request.meta)
        started = await self._services.executions.start(principal, start, key, extension)
        return KickoffAnswer(kickoff_id=started.run_id)

    async def _check_targets(self, request: WebhookUrls, stream: EventStream | None = None) -> WebhookTargets:
        """Return the addresses of a request. Raises UrlRefused, WebhookEventsUnknown."""
        unknown = sorted(set(stream.events) - STREAM_EVENTS) if stream else []
        if unknown:
            raise WebhookEventsUnknown(
                f"This server does not send {', '.join(unknown[:10])}. "
                f"`webhooks.events` may name: {', '.join(sorted(STREAM_EVENTS))}."
            )
        targets = WebhookTargets.of(request, stream)
        for name, url in targets.list_urls():
            try:
                await self._services.egress.check_url(url)
            except UrlRefused as refused:
                errors = [{"pointer": f"/{name}", "detail": refused.detail}]
                raise type(refused)(f"{name}: {refused.detail}", errors=errors) from None
        return targets

    async def _add_webhooks(self, run_id: str, principal: Principal, targets: WebhookTargets) -> None:
        row = RunWebhookRow(run_id=run_id, workspace_id=principal.workspace_id)
        row.sealed_targets = self._services.cipher.encrypt(targets.model_dump_json())
        await self._webhooks.add(row)
        add_notification(self._session, WEBHOOKS_TOPIC)

    async def get_status(self, principal: Principal, slug: str, kickoff_id: str) -> ExecutionStatus:
        """Return how far an execution has come. Raises ExecutionNotFound, also for another automation's."""
        run = await self._get_run(principal, slug, kickoff_id)
        tasks = await self._runs.list_tasks(run.id)
        webhooks = await self._webhooks.get(run.id, principal.workspace_id)
        builder = PayloadBuilder(run.id, run.parsed_definition, run.extra)
        last_step = await self._find_last_step(run, builder)
        has_step = last_step is not None or any(task.status in DONE for task in tasks)
        state, status = describe_state(RunState(run.state), run.wait_reason, has_step=has_step)
        error = None if run.error is None else RunFailure.model_validate(run.error).message
        if run.state == RunState.STOPPED:
            error = "The run was stopped."
        result = None if run.result is None else RunResult.model_validate(run.result)
        return ExecutionStatus.model_validate(
            {
                "kickoff_id": run.id,
                "state": state,
                "status": status,
                "progress": Progress(
                    completed_tasks=sum(task.status in DONE for task in tasks), total_tasks=len(tasks)
                ),
                "current_task": next((t.key for t in tasks if t.status in ("running", "waiting")), None),
                "last_step": last_step,
                "last_executed_task": _describe_last_task(builder, tasks),
                "result": error if result is None else result.raw,
                "result_json": None if result is None else result.json_output,
                "error": error,
                "execution_time": _measure_seconds(run.started_at, run.finished_at),
                "webhook_error": None if webhooks is None else webhooks.error,
            }
        )

    async def _find_last_step(self, run: RunRow, builder: PayloadBuilder) -> dict[str, object] | None:
        events = EventService(self._session, self._services.mask)
        seq = await events.find_last_seq(run.id, STEP_TYPES)
        if seq is None:
            return None
        last: RunEvent | None = None
        for event in await events.list_after(run.id, max(0, seq - CONTEXT_EVENTS), CONTEXT_EVENTS):
            if event.seq <= seq:
                builder.observe(event)
                last = event
        return None if last is None else builder.build_step(last)

    async def resume(self, principal: Principal, slug: str, request: Resume) -> ResumeAnswer:
        """Resolve the approval that an execution waits for.

        Raises ExecutionNotFound, NothingToReview, UrlRefused and what `ApprovalService.resolve` raises.
        """
        targets = await self._check_targets(request)
        run = await self._get_run(principal, slug, request.execution_id)
        get_entry().set_target("run", run.id)
        waiting = await self._services.approvals.find_open(principal, run.id)
        if waiting is None or waiting.task_key not in ("", request.task_id):
            waits_for = "no task" if waiting is None else f"`{waiting.task_key}`"
            raise NothingToReview(
                f"Task `{request.task_id}` of the execution waits for no feedback; it waits for {waits_for}."
            )
        if not request.is_approve and not request.human_feedback.strip():
            raise Unprocessable("`human_feedback` must say what to change when `is_approve` is false.")
        resolution = make_resolution(waiting, request.human_feedback, is_approval=request.is_approve)
        await self._services.approvals.resolve(principal, waiting.id, resolution)
        if targets.list_urls():
            await self._replace_webhooks(run, principal, targets)
        return ResumeAnswer()

    async def _replace_webhooks(self, run: RunRow, principal: Principal, targets: WebhookTargets) -> None:
        row = await self._webhooks.get(run.id, principal.workspace_id)
        if row is None:
            await self._add_webhooks(run.id, principal, targets)
            return
        stored = WebhookTargets.model_validate_json(self._services.cipher.decrypt(row.sealed_targets))
        row.sealed_targets = self._services.cipher.encrypt(stored.updated_by(targets).model_dump_json())
        row.failures, row.error = 0, None

    async def _get_run(self, principal: Principal, slug: str, kickoff_id: str) -> RunRow:
        automation = await self._automations.find(principal, slug)
        try:
            run = await self._runs.get(principal, kickoff_id)
        except RunNotFound:
            raise ExecutionNotFound(kickoff_id) from None
        if not automation.has_run(run):
            raise ExecutionNotFound(kickoff_id)
        return run


def _describe_last_task(builder: PayloadBuilder, tasks: list[RunTaskRead]) -> dict[str, object] | None:
    done = [task for task in tasks if task.status in DONE and task.result is not None]
    if not done:
        return None
    last = max(done, key=lambda task: task.finished_at or datetime.min.replace(tzinfo=UTC))
    return builder.describe_task(last.key, last.result or TaskResult(raw=""))


def _measure_seconds(started_at: datetime | None, finished_at: datetime | None) -> float:
    if started_at is None:
        return 0.0
    return round(((finished_at or now()) - started_at).total_seconds(), 3)
