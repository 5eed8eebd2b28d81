"""Endpoints that start, stop, retry, resume and fork runs."""

from http import HTTPStatus

from fastapi import Response

from crewai_runner.core.errors import BadRequest, Unavailable, Unprocessable
from crewai_runner.domain.run import IllegalTransition
from crewai_runner.features.executions.deps import (
    Executions,
    ExecutionsToRead,
    FileStartsDep,
    Preflights,
    Reader,
    RunFormDep,
    RunsToRead,
    Stops,
    Writer,
)
from crewai_runner.features.executions.errors import (
    DefinitionInvalid,
    NoEmbedder,
    NoModel,
    ProviderConfigNotHere,
    RunFilesRefused,
    RunFilesTooLarge,
    TaskUnknown,
)
from crewai_runner.features.executions.run_form import RUN_FORM
from crewai_runner.features.executions.schemas import (
    ForkBody,
    ResumeBody,
    RetryBody,
    RunAnswer,
    RunPreflight,
    RunStart,
    RunStartAnswer,
    StopAnswer,
    StopBody,
    StopRequest,
    WorkflowStatus,
)
from crewai_runner.features.idempotency.deps import IdempotencyKey
from crewai_runner.features.idempotency.errors import IdempotencyKeyReused
from crewai_runner.features.models.errors import ModelUnusable
from crewai_runner.features.projects.errors import (
    ProjectInvalid,
    ProjectNotFound,
    ProjectNotReady,
    ProjectVersionNotFound,
)
from crewai_runner.features.runs.errors import (
    InputsInvalid,
    RunAlreadyFinished,
    RunElsewhere,
    RunNotFound,
    RunNotResumable,
)
from crewai_runner.features.workflows.errors import VersionNotFound, WorkflowNotFound
from crewai_runner.features.workspaces.errors import TooManyRuns, WorkspaceStorageFull
from crewai_runner.http.deps import Conditional, NoTimeout, QueueOpen, respond_with_etag
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.problems import problems
from crewai_runner.http.unaudited import unaudited

router = PrefixedRouter(prefix="/runs", tags=["executions"])
first_version = PrefixedRouter(prefix="/workflows", tags=["executions"])

START_PROBLEMS = problems(
    DefinitionInvalid,
    InputsInvalid,
    NoModel,
    NoEmbedder,
    ModelUnusable,
    ProviderConfigNotHere,
    WorkflowNotFound,
    VersionNotFound,
    ProjectNotFound,
    ProjectVersionNotFound,
    ProjectNotReady,
    ProjectInvalid,
    IdempotencyKeyReused,
    TooManyRuns,
    WorkspaceStorageFull,
)
AGAIN_PROBLEMS = problems(
    RunNotFound,
    RunElsewhere,
    InputsInvalid,
    NoModel,
    NoEmbedder,
    ModelUnusable,
    ProviderConfigNotHere,
    IdempotencyKeyReused,
    TooManyRuns,
    WorkspaceStorageFull,
    Unavailable,
)

STOP_PROBLEMS = problems(RunNotFound, RunAlreadyFinished, RunElsewhere)


@first_version.post("/start", dependencies=[QueueOpen], responses=START_PROBLEMS)
async def start_workflow(
    body: RunStart, writer: Writer, executions: Executions, key: IdempotencyKey = None
) -> RunStartAnswer:
    """Start a run of a definition, a saved workflow or a project; follow it at `/runs/{id}/stream`."""
    return await executions.start(writer, body, key)


@router.post("", dependencies=[QueueOpen], status_code=HTTPStatus.ACCEPTED, responses=START_PROBLEMS)
async def start_run(
    body: RunStart, writer: Writer, executions: Executions, key: IdempotencyKey = None
) -> RunStartAnswer:
    """Start a run, as `POST /workflows/start`."""
    return await executions.start(writer, body, key)


@router.post(
    "/with-files",
    dependencies=[NoTimeout, QueueOpen],
    status_code=HTTPStatus.ACCEPTED,
    responses=START_PROBLEMS | problems(BadRequest, RunFilesRefused, RunFilesTooLarge),
    openapi_extra=RUN_FORM,
)
async def start_run_with_files(
    form: RunFormDep, writer: Writer, starts: FileStartsDep, key: IdempotencyKey = None
) -> RunStartAnswer:
    """Start a run of a workflow with files: at most 20, of 10 MiB each and 50 MiB together.

    The tools `list_files`, `read_file`, `read_pdf`, `read_table` and `write_file` read and write the files of
    the run. They are its artifacts, together with what tasks write.
    """
    return await starts.start(writer, form.request, form.files, key)


@router.post(
    "/preflight",
    **unaudited("It starts nothing."),
    responses=problems(WorkflowNotFound, VersionNotFound, ProjectNotFound, ProjectVersionNotFound),
)
async def check_start(body: RunStart, writer: Writer, preflights: Preflights) -> RunPreflight:
    """Check a `POST /runs` request without starting a run: all problems, models, warnings and the budget.

    No provider is contacted. The answer is 200 whether or not the run could start; see `ready`.
    """
    return await preflights.check(writer, body)


@first_version.post(
    "/stop", dependencies=[NoTimeout], responses=problems(RunNotFound, RunAlreadyFinished, RunElsewhere)
)
async def stop_workflow(body: StopRequest, writer: Writer, stops: Stops) -> StopAnswer:
    """Stop a run and wait for its end; the receipt says what the stop did at the provider."""
    return await stops.stop(writer, body.workflow_id, body.mode)


@router.post(
    "/{run_id}/stop",
    dependencies=[NoTimeout],
    responses=problems(RunNotFound, RunAlreadyFinished, RunElsewhere),
)
async def stop_run(run_id: str, writer: Writer, stops: Stops, body: StopBody | None = None) -> StopAnswer:
    """Stop a run: `now` aborts model calls, `after-step` lets the current call finish first."""
    return await stops.stop(writer, run_id, (body or StopBody()).mode)


@first_version.get("/{workflow_id}/status", responses=problems(RunNotFound))
async def get_status(workflow_id: str, reader: Reader, executions: ExecutionsToRead) -> WorkflowStatus:
    """The status of a run (`run_…`), or of the newest run of a workflow (`wf_…`)."""
    return await executions.status(reader, workflow_id)


@router.get(
    "/{run_id}", dependencies=[Conditional], response_model=RunAnswer, responses=problems(RunNotFound)
)
async def get_run(run_id: str, reader: Reader, runs: RunsToRead) -> Response:
    """One run with its definition, inputs, result or error, usage and stop receipt."""
    return respond_with_etag(RunAnswer(run=await runs.get(reader, run_id)))


@router.post(
    "/{run_id}/retry",
    dependencies=[QueueOpen],
    status_code=HTTPStatus.ACCEPTED,
    responses=AGAIN_PROBLEMS,
)
async def retry_run(
    run_id: str,
    writer: Writer,
    executions: Executions,
    body: RetryBody | None = None,
    key: IdempotencyKey = None,
) -> RunAnswer:
    """Start a new run of the same definition, with the same or other inputs."""
    return await executions.retry(writer, run_id, body or RetryBody(), key)


@router.post(
    "/{run_id}/resume",
    status_code=HTTPStatus.ACCEPTED,
    responses=problems(
        RunNotFound, RunElsewhere, RunNotResumable, IllegalTransition, Unprocessable, Unavailable
    ),
)
async def resume_run(
    run_id: str, writer: Writer, executions: Executions, body: ResumeBody | None = None
) -> RunAnswer:
    """Continue after the last finished task; finished tasks are not repeated.

    The run's time limit starts again; its budget keeps counting and can be raised here.
    """
    return RunAnswer(run=await executions.resume(writer, run_id, body or ResumeBody()))


@router.post(
    "/{run_id}/fork",
    dependencies=[QueueOpen],
    status_code=HTTPStatus.ACCEPTED,
    responses=AGAIN_PROBLEMS | problems(RunNotFound, TaskUnknown, IdempotencyKeyReused, Unavailable),
)
async def fork_run(
    run_id: str, body: ForkBody, writer: Writer, executions: Executions, key: IdempotencyKey = None
) -> RunAnswer:
    """Start a new run that reuses the outputs of the tasks before `fromTask`."""
    return await executions.fork(writer, run_id, body, key)
