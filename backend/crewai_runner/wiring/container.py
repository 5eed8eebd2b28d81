"""Builds the objects of one process and provides each feature's dependencies."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.api_key import load_api_key
from crewai_runner.core.secret_key import create_cipher
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.core.settings import Settings
from crewai_runner.db.counting_pool import count_pool_timeouts
from crewai_runner.db.row_changes import record_changes
from crewai_runner.db.session import make_engine, make_reader_engine, make_sessions, make_writer_engine
from crewai_runner.db.snapshot_reader import SnapshotReader
from crewai_runner.db.table_changes import watch_tables
from crewai_runner.db.transaction_writer import TransactionWriter
from crewai_runner.db.write_lock import WriteLock
from crewai_runner.domain.committed_events import CommittedEvents
from crewai_runner.executor.loader import ExecutorLoader
from crewai_runner.executor.port import Executor, RunControl
from crewai_runner.executor.project_routing import RoutingExecutor
from crewai_runner.features.amp.deliveries import DeliveryDeps, WebhookDeliveries
from crewai_runner.features.amp.deps import AmpDeps
from crewai_runner.features.amp.dispatcher import WebhookDispatcher
from crewai_runner.features.approvals.deps import ApprovalDeps
from crewai_runner.features.approvals.service import ApprovalService
from crewai_runner.features.audit.middleware import AuditDeps
from crewai_runner.features.auth.service import AuthDeps
from crewai_runner.features.chat.service import ChatDeps
from crewai_runner.features.crewai_plus.service import ExternalRunDeps
from crewai_runner.features.crewai_plus.silent_runs import SilentRuns
from crewai_runner.features.events.deps import EventDeps
from crewai_runner.features.events.feed_registry import FeedRegistry
from crewai_runner.features.executions.control_reader import ControlReader
from crewai_runner.features.executions.event_writer import EventWriter
from crewai_runner.features.executions.execution_deps import ExecutionDeps
from crewai_runner.features.executions.inline_providers import InlineProviders
from crewai_runner.features.executions.service import ExecutionService
from crewai_runner.features.executions.spec_builder import RunSpecBuilder
from crewai_runner.features.executions.spending_guard import SpendingGuard
from crewai_runner.features.health.service import HealthDeps
from crewai_runner.features.identities.service import IdentityDeps
from crewai_runner.features.insights.deps import InsightDeps
from crewai_runner.features.knowledge.service import KnowledgeDeps
from crewai_runner.features.memories.deps import MemoryDeps
from crewai_runner.features.metrics.service import MetricsDeps, Telemetry
from crewai_runner.features.models.model_cache import ModelCache
from crewai_runner.features.models.service import ModelService
from crewai_runner.features.people.sign_in import PeopleDeps
from crewai_runner.features.projects.jobs import ProjectBuildDeps
from crewai_runner.features.projects.service import ProjectDeps
from crewai_runner.features.providers.service import ProviderDeps, ProviderService
from crewai_runner.features.public_links.deps import SHARED_RUN_RATE, PublicLinkDeps
from crewai_runner.features.runs.deletion import RunDeletionService
from crewai_runner.features.runs.deps import RunDeps
from crewai_runner.features.runs.retention import RetentionPeriods, RunRetention
from crewai_runner.features.triggers.service import TriggerDeps
from crewai_runner.features.workflows.deps import WorkflowDeps
from crewai_runner.features.workflows.service import DocumentChecker, registered_names
from crewai_runner.features.workspaces.service import WorkspaceDeps, WorkspaceService
from crewai_runner.features.yaml.deps import YamlDeps
from crewai_runner.http.deps import SessionDeps
from crewai_runner.localmodel.supervisor import LocalModelSupervisor
from crewai_runner.queue.deferred import DeferredQueue
from crewai_runner.stream.notifier import CREDENTIALS_TOPIC, MODELS_TOPIC, QUOTAS_TOPIC, WEBHOOKS_TOPIC
from crewai_runner.wiring.access import Access
from crewai_runner.wiring.adapters import (
    WATCHED_TABLES,
    make_connection_budget,
    make_egress,
    make_environment_builder,
    make_executor,
    make_limiter,
    make_notifier,
    make_project_builds,
    make_project_disk,
    make_project_executor,
    make_rate_limiter,
    make_run_quota,
    make_workspace_quota,
)
from crewai_runner.wiring.audit import make_audit
from crewai_runner.wiring.mcp_endpoint import McpEndpointDeps, McpEndpointFactory
from crewai_runner.wiring.tools import ToolParts
from crewai_runner.wiring.triggers import TriggerParts
from crewai_runner.wiring.webhooks import make_delivery_deps

T = TypeVar("T")


class Container:
    """The objects of one process. Nothing is started here: see `ProcessLifecycle`."""

    def __init__(
        self, settings: Settings, *, mask: SecretMask | None = None, executor: Executor | None = None
    ) -> None:
        self.settings = settings
        self.mask = mask or SecretMask()
        self.cipher, (api_key, _) = create_cipher(settings, self.mask.add), load_api_key(settings)
        self.mask.add(api_key)
        self.egress = make_egress(settings)
        write_lock = WriteLock() if settings.is_embedded else None
        budget = make_connection_budget(settings)
        self.engine = make_engine(settings.database, pool_size=budget.sessions, write_lock=write_lock)
        self.notifier = make_notifier(settings)
        session_class = record_changes(watch_tables(WATCHED_TABLES, self.notifier.publish))
        self.sessions = make_sessions(self.engine, self._on_commit, self.cipher.digest, session_class)
        self.model_cache, self.inline_providers = ModelCache(), InlineProviders(self.mask)
        self.notifier.listen(MODELS_TOPIC, self.model_cache.clear)
        self.reader = SnapshotReader(make_reader_engine(settings.database, budget.reads), budget.reads)
        self.queue, self.feeds = DeferredQueue(), FeedRegistry(self.reader, self.notifier)
        self.audit = make_audit(settings, self.sessions, self.reader, self.cipher)
        access = Access(settings, self.sessions, self.cipher, self.mask, api_key)
        self.grants, self.identities, self.people_deps = access.grants, access.identities, access.people_deps
        self.credentials, self.authenticator = access.credentials, access.authenticator
        self.browser_sessions = access.browser_sessions
        self.notifier.listen(CREDENTIALS_TOPIC, self._forget_credentials)
        self.rate_limiter = make_rate_limiter(settings, self.sessions)
        self.public_link_deps = PublicLinkDeps(make_limiter(settings, self.sessions, SHARED_RUN_RATE))
        self.active_runs: set[tuple[str, int]] = set()
        self.controls: dict[str, RunControl] = {}
        self.telemetry = Telemetry(
            settings, self.sessions, self.queue, self.active_runs, partial(count_pool_timeouts, self.engine)
        )
        self.workspace_quota = make_workspace_quota(settings, self.sessions)
        self.notifier.listen(QUOTAS_TOPIC, self.workspace_quota.clear)
        self.retention = RunRetention(
            RunDeletionService(self.sessions, self.queue),
            RetentionPeriods(settings.runs_kept_days, settings.events_kept_days),
            self.workspace_quota.list_kept_days,
        )
        self.writer = TransactionWriter(
            make_writer_engine(settings.database),
            self.notifier.publish,
            lock=write_lock,
            on_commit=self._on_commit,
        )
        self.event_writer = EventWriter(
            self.writer,
            self.notifier,
            self.mask,
            self.telemetry.upkeep,
            make_run_quota(settings),
            SpendingGuard(self.workspace_quota, self.controls),
        )
        self.control_reader = ControlReader(self.sessions, is_embedded=settings.is_embedded)
        self.project_deps = ProjectDeps(
            self.sessions, self.queue, self.cipher, self.models, self.workspace_quota
        )
        self.local_model = LocalModelSupervisor(settings.local_model)
        self.tools = ToolParts(settings, self.sessions, self.cipher, self.mask, self.egress)
        self.environment_builder = make_environment_builder(settings)
        self.project_disk = make_project_disk(settings, self.environment_builder.store)
        self.projects = make_project_executor(settings, self.egress, self.environment_builder)
        crews = executor or make_executor(settings, self.egress, self.telemetry.upkeep)
        self.loader = ExecutorLoader(crews if executor else RoutingExecutor(crews, self.projects))
        self.knowledge_deps = KnowledgeDeps(
            self.sessions, self.queue, self.models, self.workspace_quota, self.loader
        )
        self.delivery_deps = make_delivery_deps(settings, self.sessions, self.cipher, self.egress, self.mask)
        self.triggers = TriggerParts(settings, self._make_trigger_deps())
        events = EventDeps(self.reader, self.feeds, settings.stream_ping_seconds)
        self._factories: dict[type, Callable[[], object]] = {
            AmpDeps: self._amp,
            AuditDeps: lambda: self.audit.deps,
            ApprovalDeps: lambda: ApprovalDeps(self.queue, self.mask),
            AuthDeps: lambda: AuthDeps(self.authenticator, self.browser_sessions, settings.allowed_origins),
            ChatDeps: self._chat,
            DeferredQueue: lambda: self.queue,
            DeliveryDeps: lambda: self.delivery_deps,
            EventDeps: lambda: events,
            ExecutionDeps: self._executions,
            ExternalRunDeps: self._external_runs,
            HealthDeps: self._health,
            IdentityDeps: lambda: self.identities,
            McpEndpointDeps: McpEndpointFactory(self._executions, lambda: events),
            InsightDeps: lambda: InsightDeps(self.reader, self.mask),
            KnowledgeDeps: lambda: self.knowledge_deps,
            MemoryDeps: lambda: MemoryDeps(self.mask),
            MetricsDeps: lambda: MetricsDeps(self.telemetry, settings.metrics_public),
            PeopleDeps: lambda: self.people_deps,
            ProjectBuildDeps: lambda: make_project_builds(settings, self.sessions, self.environment_builder),
            ProjectDeps: lambda: self.project_deps,
            ProviderDeps: self.provider_deps,
            PublicLinkDeps: lambda: self.public_link_deps,
            RunDeps: lambda: RunDeps(self.sessions, self.reader, self.queue),
            SessionDeps: lambda: SessionDeps(self.sessions, self.notifier.publish),
            SnapshotReader: lambda: self.reader,
            **self.triggers.factories,
            WorkflowDeps: lambda: WorkflowDeps(self.mask, self.models, self._document_checker()),
            WorkspaceDeps: lambda: WorkspaceDeps(
                lambda session, workspace_id: self.models(session).ensure_local(workspace_id),
                self.workspace_quota.limits,
            ),
            **self.tools.factories,
            YamlDeps: lambda: YamlDeps(self._document_checker()),
        }
        self.webhooks = WebhookDispatcher(WebhookDeliveries(self.delivery_deps))
        self.notifier.listen(WEBHOOKS_TOPIC, self.webhooks.wake)

    def provide(self, kind: type[T]) -> T:
        """A feature's dependencies by their type. Raises LookupError for a type that is not provided."""
        if kind not in self._factories:
            raise LookupError(f"The container does not provide {kind.__qualname__}.")
        instance = self._factories[kind]()
        if not isinstance(instance, kind):
            raise TypeError(f"The factory of {kind.__qualname__} returns {type(instance).__qualname__}.")
        return instance

    def models(self, session: AsyncSession) -> ModelService:
        return ModelService(session, self.provider_deps(), self.model_cache)

    def providers(self, session: AsyncSession) -> ProviderService:
        return ProviderService(session, self.provider_deps())

    def workspaces(self, session: AsyncSession) -> WorkspaceService:
        return WorkspaceService(session, self.provide(WorkspaceDeps))

    def provider_deps(self) -> ProviderDeps:
        return ProviderDeps(self.cipher, self.mask, self.egress, self.local_model)

    def _forget_credentials(self) -> None:
        self.credentials.clear()
        self.browser_sessions.clear_cache()

    def _on_commit(self, batch: Sequence[CommittedEvents]) -> None:
        # Telemetry reads through the sessions that report to it, so it is built after them.
        self.feeds.on_commit(batch)
        self.inline_providers.on_commit(batch)
        self.telemetry.on_commit(batch)
        self.webhooks.on_commit(batch)

    def _amp(self) -> AmpDeps:
        return AmpDeps(
            lambda session: ExecutionService(session, self._executions()),
            lambda session: ApprovalService(session, self.queue, self.mask),
            *(self.project_deps, self.cipher, self.egress, self.mask),
        )

    def _make_trigger_deps(self) -> TriggerDeps:
        return TriggerDeps(
            *(self.sessions, self.notifier.publish, self.cipher, self.mask, self.project_deps),
            executions=lambda session: ExecutionService(session, self._executions()),
        )

    def _document_checker(self) -> DocumentChecker:
        return DocumentChecker(self.sessions, self.mask, registered_names(self.models))

    def _chat(self) -> ChatDeps:
        return ChatDeps(
            *(self.settings, self.sessions, self.notifier, self.queue, self.mask, self.loader),
            answering_model=RunSpecBuilder(self._executions()).answering_model,
        )

    def _executions(self) -> ExecutionDeps:
        return ExecutionDeps(
            settings=self.settings,
            sessions=self.sessions,
            writer=self.writer,
            notifier=self.notifier,
            queue=self.queue,
            mask=self.mask,
            loader=self.loader,
            event_writer=self.event_writer,
            control_reader=self.control_reader,
            models=self.models,
            local_model=self.local_model,
            inline_providers=self.inline_providers,
            workspace_quota=self.workspace_quota,
            projects=self.project_deps,
            knowledge=self.knowledge_deps,
            tools=self.tools.registry,
            active_runs=self.active_runs,
            controls=self.controls,
        )

    def silent_runs(self) -> SilentRuns:
        silence, publish = self.settings.run_elsewhere_silence_minutes, self.notifier.publish
        return SilentRuns(self.sessions, self.queue, self.mask, publish, silence)

    def _external_runs(self) -> ExternalRunDeps:
        limits = self.workspace_quota, make_run_quota(self.settings)
        return ExternalRunDeps(self.grants, self.queue, self.mask, *limits)

    def _health(self) -> HealthDeps:
        return HealthDeps(
            settings=self.settings,
            sessions=self.sessions,
            count_readers=self.feeds.reader_count,
            queue=self.queue,
            loader=self.loader,
            local_model=self.local_model,
            active_runs=self.active_runs,
            choose_sandbox=self.projects.choose_sandbox,
        )
