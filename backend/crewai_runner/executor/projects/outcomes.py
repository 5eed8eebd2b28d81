"""Outcomes of projects whose process has ended by itself."""

from crewai_runner.domain.run import RunFailure, RunResult
from crewai_runner.executor.port import Completed
from crewai_runner.executor.projects.bridge.messages import EntryFailedMessage
from crewai_runner.executor.projects.bridge.server import BridgeServer, EntryResult
from crewai_runner.executor.projects.bridge.translator import PROJECT_ERROR, BridgeTranslator
from crewai_runner.executor.projects.sandbox.port import EndCause, SandboxExit

_LIMIT_MESSAGES = {
    EndCause.WORK_TOO_LARGE: "The project wrote more files or bytes than a run may.",
    EndCause.OUT_OF_MEMORY: "The project needed more memory than a run may have.",
}


def find_failure(exited: SandboxExit, result: EntryResult | None) -> RunFailure | None:
    """Return why the project failed, or None."""
    if isinstance(result, EntryFailedMessage):
        return RunFailure(code=PROJECT_ERROR, message=result.message, hint="The log has its output.")
    if exited.cause in _LIMIT_MESSAGES:
        return RunFailure(code="project-limit", message=_LIMIT_MESSAGES[exited.cause])
    if exited.cause is EndCause.SERVICE_LOST:
        message = (
            "The sandbox service ended while the project ran: it was restarted, or needed too much memory."
        )
        return RunFailure(
            code="sandbox-failed", message=message, hint="Resume the run; see the service's log."
        )
    if result is None and exited.status != 0:
        message = f"The process of the project ended with status {exited.status}."
        return RunFailure(code="project-exited", message=message, hint="The log has its output.")
    return None


def build_completed(bridge: BridgeServer, translator: BridgeTranslator) -> Completed:
    """Return the result of the entry point, or of the last crew if there is none."""
    result = bridge.result or bridge.last_crew
    tasks = translator.as_results()
    if result is None or isinstance(result, EntryFailedMessage):
        return Completed(RunResult(raw="", tasks=tasks))
    return Completed(RunResult(raw=result.raw, json_output=result.json_output, tasks=tasks))
