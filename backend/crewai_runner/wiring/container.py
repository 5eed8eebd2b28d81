"""Builds the objects of one process and provides each feature's dependencies."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.api_key import load_api_key
from crewai_runner.core.secret_key import create_cipher
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.core.settings import Settings
from crewai_runner.core.webhook_secret import load_webhook_secret
from crewai_runner.db.counting_pool import count_pool_timeouts
from crewai_runner.db.session import make_engine, make_reader_engine, make_sessions, make_writer_engine
from crewai_runner.db.snapshot_reader import SnapshotReader
from crewai_runner.db.table_changes import watch_tables
from crewai_runner.db.transaction_writer import TransactionWriter
from crewai_runner.db.write_lock import WriteLock
from crewai_runner.domain.committed_events import CommittedEvents
from crewai_runner.executor.loader import ExecutorLoader
from crewai_runner.executor.port import Executor, RunControl
from crewai_runner.executor.project_routing import RoutingExecutor
from crewai_runner.executor.projects.disk import BUILDING_SOURCES
from crewai_runner.features.amp.deliveries import DeliveryDeps, WebhookDeliveries
from crewai_runner.features.amp.deps import AmpDeps
from crewai_runner.features.amp.dispatcher import WebhookDispatcher
from crewai_runner.features.approvals.deps import ApprovalDeps
from crewai_runner.features.approvals.service import ApprovalService
from crewai_runner.features.auth.browser_sessions import BrowserSessions
from crewai_runner.features.auth.credentials import Credentials
from crewai_runner.features.auth.service import AuthDeps, Authenticator, AuthService
from crewai_runner.features.chat.service import ChatDeps
from crewai_runner.features.crewai_plus.grants import GrantAuthenticator, TraceGrants
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
from crewai_runner.features.health.service import HealthDeps
from crewai_runner.features.insights.deps import InsightDeps
from crewai_runner.features.metrics.service import MetricsDeps, Telemetry
from crewai_runner.features.models.model_cache import ModelCache
from crewai_runner.features.models.service import ModelService
from crewai_runner.features.people.passwords import Passwords
from crewai_runner.features.people.sign_in import PeopleDeps
from crewai_runner.features.projects.jobs import ProjectBuildDeps
from crewai_runner.features.projects.service import ProjectDeps
from crewai_runner.features.providers.service import ProviderDeps, ProviderService
from crewai_runner.features.runs.deletion import RunDeletionService
from crewai_runner.features.runs.deps import RunDeps
from crewai_runner.features.runs.retention import RetentionPeriods, RunRetention
from crewai_runner.features.workflows.deps import WorkflowDeps
from crewai_runner.features.workflows.service import DocumentChecker, registered_names
from crewai_runner.features.workspaces.service import WorkspaceDeps, WorkspaceService
from crewai_runner.features.yaml.deps import YamlDeps
from crewai_runner.http.deps import SessionDeps
from crewai_runner.localmodel.supervisor import LocalModelSupervisor
from crewai_runner.queue.deferred import DeferredQueue
from crewai_runner.stream.notifier import CREDENTIALS_TOPIC, MODELS_TOPIC, WEBHOOKS_TOPIC
from crewai_runner.wiring.adapters import (
    PROJECTS_FOLDER,
    WATCHED_TABLES,
    make_connection_budget,
    make_egress,
    make_environment_builder,
    make_executor,
    make_notifier,
    make_project_disk,
    make_project_executor,
    make_rate_limiter,
    make_run_quota,
    make_sign_in_limiter,
    make_workspace_quota,
    read_index_url,
)

T = TypeVar("T")


class Container:
    """The objects of one process. Nothing is started here: see `ProcessLifecycle`."""

    def __init__(
        self, settings: Settings, *, mask: SecretMask | None = None, executor: Executor | None = None
    ) -> None:
        self.settings = settings
        self.mask = mask or SecretMask()
        self.cipher = create_cipher(settings, self.mask.add)
        api_key, _ = load_api_key(settings)
        self.mask.add(api_key)
        self.egress = make_egress(settings)
        write_lock = WriteLock() if settings.is_embedded else None
        budget = make_connection_budget(settings)
        self.engine = make_engine(settings.database, pool_size=budget.sessions, write_lock=write_lock)
        self.notifier = make_notifier(settings)
        session_class = watch_tables(WATCHED_TABLES, self.notifier.publish)
        self.sessions = make_sessions(self.engine, self._on_commit, self.cipher.digest, session_class)
        self.model_cache = ModelCache()
        self.notifier.listen(MODELS_TOPIC, self.model_cache.clear)
        self.reader = SnapshotReader(make_reader_engine(settings.database, budget.reads), budget.reads)
        self.feeds = FeedRegistry(self.reader, self.notifier)
        limiter = make_sign_in_limiter(settings, self.sessions)
        self.grants = TraceGrants(self.cipher)
        self.credentials = Credentials(self.sessions)
        self.authenticator: Authenticator = GrantAuthenticator(
            self.grants, AuthService(api_key, limiter, self.credentials)
        )
        self.browser_sessions = BrowserSessions(self.sessions, self.cipher, api_key, self.credentials)
        self.notifier.listen(CREDENTIALS_TOPIC, self._forget_credentials)
        self.people_deps = PeopleDeps(self.sessions, self.cipher, limiter, Passwords())
        self.rate_limiter = make_rate_limiter(settings, self.sessions)
        self.queue = DeferredQueue()
        self.active_runs: set[tuple[str, int]] = set()
        self.controls: dict[str, RunControl] = {}
        self.telemetry = Telemetry(
            settings, self.sessions, self.queue, self.active_runs, partial(count_pool_timeouts, self.engine)
        )
        self.retention = RunRetention(
            RunDeletionService(self.sessions, self.queue),
            RetentionPeriods(settings.runs_kept_days, settings.events_kept_days),
        )
        self.writer = TransactionWriter(
            make_writer_engine(settings.database),
            self.notifier.publish,
            lock=write_lock,
            on_commit=self._on_commit,
        )
        self.event_writer = EventWriter(
            self.writer, self.notifier, self.mask, self.telemetry.upkeep, make_run_quota(settings)
        )
        self.control_reader = ControlReader(self.sessions, is_embedded=settings.is_embedded)
        self.inline_providers = InlineProviders(self.mask)
        self.workspace_quota = make_workspace_quota(settings, self.sessions)
        self.project_deps = ProjectDeps(
            self.sessions, self.queue, self.cipher, self.models, self.workspace_quota
        )
        self.local_model = LocalModelSupervisor(settings.local_model)
        self.environment_builder = make_environment_builder(settings)
        self.project_disk = make_project_disk(settings, self.environment_builder.store)
        self.projects = make_project_executor(settings, self.egress, self.environment_builder)
        crews = executor or make_executor(settings, self.egress, self.telemetry.upkeep)
        self.loader = ExecutorLoader(crews if executor else RoutingExecutor(crews, self.projects))
        self._factories: dict[type, Callable[[], object]] = {
            AmpDeps: self._amp,
            ApprovalDeps: lambda: ApprovalDeps(self.queue, self.mask),
            AuthDeps: lambda: AuthDeps(self.authenticator, self.browser_sessions, settings.allowed_origins),
            ChatDeps: self._chat,
            DeferredQueue: lambda: self.queue,
            DeliveryDeps: self._deliveries,
            EventDeps: self._events,
            ExecutionDeps: self._executions,
            ExternalRunDeps: self._external_runs,
            HealthDeps: self._health,
            InsightDeps: lambda: InsightDeps(self.reader, self.mask),
            MetricsDeps: lambda: MetricsDeps(self.telemetry, settings.metrics_public),
            PeopleDeps: lambda: self.people_deps,
            ProjectBuildDeps: self._project_builds,
            ProjectDeps: lambda: self.project_deps,
            ProviderDeps: self.provider_deps,
            RunDeps: lambda: RunDeps(self.sessions, self.reader, self.queue),
            SessionDeps: lambda: SessionDeps(self.sessions, self.notifier.publish),
            SnapshotReader: lambda: self.reader,
            WorkflowDeps: lambda: WorkflowDeps(self.mask, self.models, self._document_checker()),
            WorkspaceDeps: lambda: WorkspaceDeps(
                lambda session, workspace_id: self.models(session).ensure_local(workspace_id)
            ),
            YamlDeps: lambda: YamlDeps(self._document_checker()),
        }
        self.webhooks = self._make_webhooks()
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

    def _make_webhooks(self) -> WebhookDispatcher:
        self.mask.add(load_webhook_secret(self.settings, self.cipher))
        return WebhookDispatcher(WebhookDeliveries(self.provide(DeliveryDeps)))

    def _deliveries(self) -> DeliveryDeps:
        secret = load_webhook_secret(self.settings, self.cipher)
        return DeliveryDeps(self.sessions, self.cipher, self.egress, self.mask, secret)

    def _amp(self) -> AmpDeps:
        return AmpDeps(
            executions=lambda session: ExecutionService(session, self._executions()),
            approvals=lambda session: ApprovalService(session, self.queue, self.mask),
            projects=self.project_deps,
            cipher=self.cipher,
            egress=self.egress,
            mask=self.mask,
        )

    def _document_checker(self) -> DocumentChecker:
        return DocumentChecker(self.sessions, self.mask, registered_names(self.models))

    def _chat(self) -> ChatDeps:
        return ChatDeps(
            settings=self.settings,
            sessions=self.sessions,
            notifier=self.notifier,
            queue=self.queue,
            mask=self.mask,
            loader=self.loader,
            answering_model=RunSpecBuilder(self._executions()).answering_model,
        )

    def _project_builds(self) -> ProjectBuildDeps:
        return ProjectBuildDeps(
            sessions=self.sessions,
            builder=self.environment_builder,
            folder=self.settings.data_dir.absolute() / PROJECTS_FOLDER / BUILDING_SOURCES,
            index_url=read_index_url(self.settings),
        )

    def _events(self) -> EventDeps:
        return EventDeps(
            reader=self.reader,
            feeds=self.feeds,
            ping_seconds=self.settings.stream_ping_seconds,
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
            active_runs=self.active_runs,
            controls=self.controls,
        )

    def silent_runs(self) -> SilentRuns:
        minutes = self.settings.run_elsewhere_silence_minutes
        return SilentRuns(self.sessions, self.queue, self.mask, self.notifier.publish, minutes)

    def _external_runs(self) -> ExternalRunDeps:
        return ExternalRunDeps(
            grants=self.grants,
            queue=self.queue,
            mask=self.mask,
            workspace_quota=self.workspace_quota,
            run_quota=make_run_quota(self.settings),
        )

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
