"""What the execution of runs needs from the process."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.core.settings import Settings
from crewai_runner.db.session import Sessions
from crewai_runner.db.transaction_writer import TransactionWriter
from crewai_runner.executor.loader import ExecutorLoader
from crewai_runner.executor.port import RunControl
from crewai_runner.features.executions.control_reader import ControlReader
from crewai_runner.features.executions.event_writer import EventWriter
from crewai_runner.features.executions.inline_providers import InlineProviders
from crewai_runner.features.knowledge.service import KnowledgeDeps
from crewai_runner.features.models.service import ModelService
from crewai_runner.features.projects.service import ProjectDeps
from crewai_runner.features.tools.service import ToolRegistry
from crewai_runner.features.workspaces.service import WorkspaceQuota
from crewai_runner.localmodel.supervisor import LocalModelSupervisor
from crewai_runner.queue.deferred import DeferredQueue
from crewai_runner.stream.notifier import Notifier


@dataclass(frozen=True, slots=True)
class ExecutionDeps:
    """What the container provides for starting, running and stopping runs."""

    settings: Settings
    sessions: Sessions
    writer: TransactionWriter
    notifier: Notifier
    queue: DeferredQueue
    mask: SecretMask
    loader: ExecutorLoader
    event_writer: EventWriter
    control_reader: ControlReader
    models: Callable[[AsyncSession], ModelService]
    local_model: LocalModelSupervisor
    inline_providers: InlineProviders
    workspace_quota: WorkspaceQuota
    projects: ProjectDeps
    knowledge: KnowledgeDeps
    tools: ToolRegistry
    active_runs: set[tuple[str, int]]
    """The runs that this process runs now, each with its attempt."""
    controls: dict[str, RunControl]
    """The control of each crew that runs in this process, by run id."""
