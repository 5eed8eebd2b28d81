"""Chooses the adapter behind each port from the settings."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from crewai_runner.core.answer_limits import MEGABYTE, AnswerLimits
from crewai_runner.core.collection_pause import collection_paused
from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.host_patterns import parse_private_hosts
from crewai_runner.core.setting_choices import ProjectsMode
from crewai_runner.core.settings import Settings
from crewai_runner.db.base import Base
from crewai_runner.db.connection_budget import SQLITE_BUDGET, ConnectionBudget
from crewai_runner.db.session import Sessions
from crewai_runner.db.tables.api_keys import ApiKeyRow
from crewai_runner.db.tables.browser_sessions import BrowserSessionRow
from crewai_runner.db.tables.catalog import ModelRow, ProviderRow
from crewai_runner.db.tables.people import MembershipRow, PersonRow
from crewai_runner.db.tables.workspaces import WorkspaceQuotaRow
from crewai_runner.domain.run_quota import RunQuota
from crewai_runner.executor.hosts.host_config import HostConfig, HostLimits
from crewai_runner.executor.hosts.observer import HostObserver
from crewai_runner.executor.port import Executor
from crewai_runner.executor.projects.build.environment_builder import EnvironmentBuilder
from crewai_runner.executor.projects.build.environment_store import EnvironmentStore
from crewai_runner.executor.projects.disk import BUILDING_SOURCES, DiskLimits, ProjectDisk
from crewai_runner.executor.projects.executor import ProjectConfig, ProjectExecutor
from crewai_runner.executor.projects.mcp_commands import SandboxedCommands
from crewai_runner.executor.projects.sandbox.port import Folders
from crewai_runner.executor.projects.sandbox.selection import SandboxSelector, find_sandbox
from crewai_runner.features.auth.service import SignInLimiter
from crewai_runner.features.auth.shared_sign_in_limiter import SharedSignInLimiter
from crewai_runner.features.auth.sign_in_limiter import MemorySignInLimiter
from crewai_runner.features.projects.jobs import ProjectBuildDeps
from crewai_runner.features.workspaces.service import WorkspaceLimits, WorkspaceQuota
from crewai_runner.http.ratelimit.memory import MemoryRateLimiter
from crewai_runner.http.ratelimit.port import Rate, RateLimiter
from crewai_runner.http.ratelimit.shared import SharedRateLimiter
from crewai_runner.queue.data_dir_lock import DataDirLock
from crewai_runner.queue.port import JobQueue
from crewai_runner.stream.notifier import (
    CREDENTIALS_TOPIC,
    MODELS_TOPIC,
    QUOTAS_TOPIC,
    MemoryNotifier,
    Notifier,
)

PROJECTS_FOLDER = "projects"
"""The folder of sources, environments and runs of projects, in DATA_DIR."""


def rate_limit(settings: Settings) -> Rate | None:
    """The rate limit of each caller; None when there is no limit."""
    per_minute = settings.rate_limit_per_minute
    return Rate(per_minute, settings.rate_limit_burst) if per_minute else None


WATCHED_TABLES: Mapping[str, Collection[type[Base]]] = {
    MODELS_TOPIC: [ModelRow, ProviderRow],
    QUOTAS_TOPIC: [WorkspaceQuotaRow],
    CREDENTIALS_TOPIC: [ApiKeyRow, PersonRow, MembershipRow, BrowserSessionRow],
}
"""The tables of which caches hold rows, by the topic on which their changes are announced."""


def make_rate_limiter(settings: Settings, sessions: Sessions) -> RateLimiter | None:
    rate = rate_limit(settings)
    return None if rate is None else make_limiter(settings, sessions, rate)


def make_limiter(settings: Settings, sessions: Sessions, rate: Rate) -> RateLimiter:
    """With SQLite there is one process, so counting in memory is exact."""
    return MemoryRateLimiter(rate) if settings.is_embedded else SharedRateLimiter(sessions, rate)


def make_sign_in_limiter(settings: Settings, sessions: Sessions) -> SignInLimiter:
    """With SQLite there is one process, so counting in memory is exact."""
    per_minute = settings.auth_failures_per_minute
    if settings.is_embedded:
        return MemorySignInLimiter(per_minute)
    return SharedSignInLimiter(sessions, per_minute)


def make_connection_budget(settings: Settings) -> ConnectionBudget:
    """How the process's database connections are shared between its parts."""
    return SQLITE_BUDGET if settings.is_embedded else ConnectionBudget.split(settings.database_connections)


def make_notifier(settings: Settings) -> Notifier:
    """With SQLite there is one process, so notifications need not leave it."""
    if settings.is_embedded:
        return MemoryNotifier()
    from crewai_runner.stream.postgres import PostgresNotifier  # noqa: PLC0415

    return PostgresNotifier(settings.database)


def make_egress(settings: Settings) -> EgressPolicy:
    """The policy for providers, whose addresses people enter."""
    limits = AnswerLimits(
        max_bytes=int(settings.answer_max_mb * MEGABYTE),
        max_line_bytes=int(settings.answer_line_max_mb * MEGABYTE),
    )
    return EgressPolicy(allow_private=settings.can_use_private_hosts, limits=limits)


def make_tool_egress(settings: Settings) -> EgressPolicy:
    """The policy for tools, whose addresses a model writes: only listed private hosts."""
    return EgressPolicy(allow_private=False, private_hosts=parse_private_hosts(settings.tool_private_hosts))


def make_run_quota(settings: Settings) -> RunQuota:
    return RunQuota(settings.run_max_events, int(settings.run_max_stored_mb * MEGABYTE))


def make_workspace_quota(settings: Settings, sessions: Sessions) -> WorkspaceQuota:
    limits = WorkspaceLimits(
        settings.workspace_max_stored_mb,
        settings.workspace_max_active_runs,
        settings.workspace_max_queued_runs,
        settings.runs_kept_days,
    )
    return WorkspaceQuota(sessions, limits)


def make_environment_builder(settings: Settings) -> EnvironmentBuilder:
    """The builder of projects' environments; interpreters have the path that they have in the sandbox."""
    folder = (settings.environments_dir or settings.data_dir / PROJECTS_FOLDER).absolute()
    sandboxes = SandboxSelector(settings.projects, settings.data_dir.absolute(), settings.sandbox_socket)
    if settings.projects is ProjectsMode.UNSANDBOXED:
        return EnvironmentBuilder(EnvironmentStore(folder), choose_sandbox=sandboxes.choose)
    sandbox, work = find_sandbox(settings.projects, settings.sandbox_socket), Folders(work=folder)
    return EnvironmentBuilder(
        EnvironmentStore(folder),
        choose_sandbox=sandboxes.choose,
        locate_python=lambda interpreter: sandbox.lay_out(work, interpreter).python,
    )


def make_project_executor(
    settings: Settings, egress: EgressPolicy, builder: EnvironmentBuilder
) -> ProjectExecutor:
    data_dir = settings.data_dir.absolute()
    return ProjectExecutor(
        ProjectConfig(
            mode=settings.projects,
            data_dir=data_dir,
            folder=data_dir / PROJECTS_FOLDER,
            builder=builder,
            model_egress=egress,
            tool_egress=make_tool_egress(settings),
            index_url=read_index_url(settings),
            service_socket=settings.sandbox_socket,
        )
    )


def make_project_disk(settings: Settings, store: EnvironmentStore) -> ProjectDisk:
    limits = DiskLimits(int(settings.projects_disk_gb * 1024**3), settings.projects_unused_days * 86_400)
    sockets = None if settings.sandbox_socket is None else settings.sandbox_socket.parent
    return ProjectDisk(settings.data_dir.absolute() / PROJECTS_FOLDER, store, limits, sockets)


def make_mcp_commands(settings: Settings) -> SandboxedCommands:
    """What starts the MCP servers that are commands; it can be sent to crew hosts."""
    data_dir = settings.data_dir.absolute()
    return SandboxedCommands(
        settings.mcp_stdio_commands,
        settings.projects,
        data_dir,
        data_dir / PROJECTS_FOLDER / "mcp",
        settings.sandbox_socket,
    )


def read_index_url(settings: Settings) -> str | None:
    return None if settings.index_url is None else settings.index_url.get_secret_value()


def make_project_builds(
    settings: Settings, sessions: Sessions, builder: EnvironmentBuilder
) -> ProjectBuildDeps:
    return ProjectBuildDeps(
        sessions=sessions,
        builder=builder,
        folder=settings.data_dir.absolute() / PROJECTS_FOLDER / BUILDING_SOURCES,
        index_url=read_index_url(settings),
    )


def make_executor(settings: Settings, egress: EgressPolicy, observer: HostObserver) -> Executor:
    """The executor that runs crews, in this process or in crew hosts. CrewAI is imported by its `load()`."""
    folder, tool_egress = settings.data_dir.absolute() / "engine", make_tool_egress(settings)
    commands = make_mcp_commands(settings)
    if settings.crew_host_count:
        config = HostConfig(folder, egress, tool_egress, mcp_commands=commands)
        return _make_hosted_executor(settings, config, observer)
    from crewai_runner.executor.crew.executor import CrewExecutor  # noqa: PLC0415

    return CrewExecutor(folder, egress=egress, tool_egress=tool_egress, mcp_commands=commands)


def _make_hosted_executor(settings: Settings, config: HostConfig, observer: HostObserver) -> Executor:
    from crewai_runner.executor.hosts.executor import HostedExecutor  # noqa: PLC0415

    config = replace(
        config,
        log_level=settings.log_level,
        log_format=settings.log_format,
        worker_timeout_seconds=None if settings.is_embedded else settings.lease_seconds,
    )
    limits = HostLimits(settings.crew_host_timeout_seconds, settings.crew_host_memory_mb)
    return HostedExecutor(config, settings.crew_host_count, limits, observer)


def make_durable_queue(
    settings: Settings,
    folder_lock: DataDirLock | None,
    *,
    on_worker_retired: Callable[[], None],
    on_submitted: Callable[[], None],
) -> JobQueue:
    """The DBOS queue. Call it in a thread: importing DBOS takes about a second."""
    with collection_paused():
        from crewai_runner.queue.dbos import DbosQueue  # noqa: PLC0415

    return DbosQueue(
        settings.database,
        concurrency=settings.worker_concurrency,
        lease_seconds=settings.lease_seconds,
        on_worker_retired=on_worker_retired,
        on_submitted=on_submitted,
        folder_lock=folder_lock,
    )
