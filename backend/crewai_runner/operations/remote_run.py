"""The commands `run`, `stop`, `logs`, `validate`, `import` and `export`: what a server does for a terminal.

Results go to standard output; progress, and everything else that is for people, to standard error.
"""

import json
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any

import yaml

from crewai_runner.client import ApiError, Client, ClientError, Event, Run, Unreachable, Validation
from crewai_runner.client.calls import ExportFormat, StopMode
from crewai_runner.core.settings import Settings
from crewai_runner.operations.embedded_server import embedded_server, is_server_running
from crewai_runner.operations.errors import OperationError
from crewai_runner.operations.run_progress import describe_events
from crewai_runner.operations.server_access import find_key, find_url, is_url_given

DOCUMENT_SUFFIXES = (".yaml", ".yml", ".json")
INVALID_STATUSES = (404, 409, 422)


class ExitCode(IntEnum):
    """What the commands exit with, by outcome."""

    COMPLETED = 0
    FAILED = 1
    USAGE = 2
    STOPPED = 3
    TIMED_OUT = 4
    WAITING = 5
    INVALID = 6
    UNREACHABLE = 7


_OF_STATUS = {
    "completed": ExitCode.COMPLETED,
    "failed": ExitCode.FAILED,
    "crashed": ExitCode.FAILED,
    "stopped": ExitCode.STOPPED,
    "waiting": ExitCode.WAITING,
}


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What to run: a document's file, or the slug, name or id of a stored workflow or a project.

    `timeout`: seconds after which the run is stopped. `waits` is always true for an embedded server.
    """

    source: str
    server: str | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)
    timeout: float | None = None
    waits: bool = False
    prints_json: bool = False


@contextmanager
def open_client(
    settings: Settings, server: str | None, *, embeds: bool = False
) -> Iterator[tuple[Client, bool]]:
    """Yield a client, and whether its server is embedded: only for this command.

    With `embeds` a server is started if none is named and none runs on this machine. Raises OperationError.
    """
    url = find_url(settings, server)
    if embeds and not is_url_given(server) and not is_server_running(url):
        say("Starting an embedded server ...")
        with embedded_server(settings) as (address, key), Client(address, key) as client:
            yield client, True
        return
    with Client(url, find_key(settings, url)) as client:
        yield client, False


def run(settings: Settings, request: RunRequest) -> ExitCode:
    """Start a run and, with `waits`, follow it to its end. Raises OperationError, ClientError, OSError."""
    with open_client(settings, request.server, embeds=True) as (client, is_embedded):
        started = client.start_run(**_find_source(client, request.source), inputs=request.inputs)
        for warning in started.warnings:
            say(f"Warning: {warning}")
        if not (request.waits or is_embedded):
            print(json.dumps({"runId": started.run_id}) if request.prints_json else started.run_id)  # noqa: T201
            return ExitCode.COMPLETED
        page = f"{client.url}/runs/{started.run_id}"
        say(f"Run {started.run_id}: {page}")
        is_timed_out = _follow(client, started.run_id, page, request.timeout)
        ended = client.get_run(started.run_id)
        _print_outcome(ended, prints_json=request.prints_json)
        return ExitCode.TIMED_OUT if is_timed_out else _OF_STATUS.get(ended.status, ExitCode.FAILED)


def follow_log(settings: Settings, server: str | None, run_id: str) -> ExitCode:
    """Print the steps of a run until its end."""
    with open_client(settings, server) as (client, _):
        for line in describe_events(client.events(run_id), f"{client.url}/runs/{run_id}"):
            print(line, flush=True)  # noqa: T201
        return _OF_STATUS.get(client.get_run(run_id).status, ExitCode.FAILED)


def stop(settings: Settings, server: str | None, run_id: str, mode: StopMode) -> ExitCode:
    with open_client(settings, server) as (client, _):
        client.stop_run(run_id, mode)
        print(client.get_run(run_id).status)  # noqa: T201
    return ExitCode.COMPLETED


def validate(settings: Settings, server: str | None, file: Path) -> ExitCode:
    """Check a document; prints its problems as `file:line:column: message`."""
    text = file.read_text()
    with open_client(settings, server, embeds=True) as (client, _):
        report = client.validate(text)
    _print_problems(report, file)
    return ExitCode.COMPLETED if report.valid else ExitCode.INVALID


def import_document(settings: Settings, server: str | None, file: Path) -> ExitCode:
    text = file.read_text()
    with open_client(settings, server) as (client, _):
        workflow = client.import_workflow(text)
        say(f"{workflow.name}: {client.url}/workflows/{workflow.id}")
        print(workflow.id)  # noqa: T201
    return ExitCode.COMPLETED


def export_document(settings: Settings, server: str | None, name: str, format_: ExportFormat) -> ExitCode:
    """Write a stored workflow to standard output."""
    with open_client(settings, server) as (client, _):
        workflow = client.find_workflow(name)
        if workflow is None:
            raise OperationError(f"There is no workflow {name} on {client.url}.")
        sys.stdout.buffer.write(client.export_workflow(workflow.id, format_))
        sys.stdout.buffer.flush()
    return ExitCode.COMPLETED


def read_inputs(pairs: list[str], file: Path | None) -> dict[str, Any]:
    """Return the inputs of a JSON or YAML file, and over them those given as `name=text`.

    Raises OperationError.
    """
    inputs: dict[str, Any] = {}
    if file is not None:
        try:
            given = yaml.safe_load(file.read_text())
        except yaml.YAMLError as error:
            raise OperationError(f"{file} is neither JSON nor YAML: {error}") from None
        if not isinstance(given, dict):
            raise OperationError(f"{file} must contain an object of inputs by name.")
        inputs |= given
    for pair in pairs:
        name, separator, text = pair.partition("=")
        if not (name and separator):
            raise OperationError(f"--input {pair}: write it as name=value.")
        inputs[name] = text
    return inputs


def explain(error: ClientError) -> tuple[str, ExitCode]:
    """Return what to print about an error of the server, and the exit code."""
    if not isinstance(error, ApiError):
        return str(error), ExitCode.UNREACHABLE if isinstance(error, Unreachable) else ExitCode.FAILED
    details = [
        f"  {each.get('pointer') or each.get('path') or ''}: {each.get('detail') or each.get('message')}"
        for each in error.problem.get("errors") or ()
        if isinstance(each, dict)
    ]
    is_invalid = error.status in INVALID_STATUSES
    return "\n".join([str(error), *details]), ExitCode.INVALID if is_invalid else ExitCode.FAILED


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def _find_source(client: Client, source: str) -> dict[str, Any]:
    """Return the start's argument for a file, a workflow or a project. Raises OperationError."""
    path = Path(source)
    if path.suffix in DOCUMENT_SUFFIXES or path.is_file():
        return {"workflow": path.read_text()}
    if (workflow := client.find_workflow(source)) is not None:
        return {"workflow_id": workflow.id}
    if (project := client.find_project(source)) is not None:
        return {"project_id": project}
    raise OperationError(f"{source} is no file here, and no workflow or project on {client.url}.")


def _follow(client: Client, run_id: str, page: str, timeout: float | None) -> bool:
    """Print the steps until the run has ended or waits for a person; stop it after `timeout` s or by Ctrl-C.

    Returns whether the time was up.
    """
    is_time_up = threading.Event()

    def stop_late_run() -> None:
        is_time_up.set()
        with suppress(ClientError):  # it may have ended meanwhile
            client.stop_run(run_id)

    timer = threading.Timer(threading.TIMEOUT_MAX if timeout is None else timeout, stop_late_run)
    timer.daemon = True
    timer.start()
    try:
        for line in describe_events(_until_waiting(client.events(run_id)), page):
            say(line)
    except KeyboardInterrupt:
        say("Stopping the run ...")
        client.stop_run(run_id)
        client.wait(run_id)
    finally:
        timer.cancel()
        timer.join()  # the client is closed afterwards
    return is_time_up.is_set()


def _until_waiting(events: Iterator[Event]) -> Iterator[Event]:
    for event in events:
        yield event
        if event.type == "run.waiting":
            return


def _print_outcome(ended: Run, *, prints_json: bool) -> None:
    if prints_json:
        print(ended.model_dump_json(by_alias=True, indent=1))  # noqa: T201
    elif ended.result is not None:
        print(ended.result.raw)  # noqa: T201
    if ended.error is not None:
        say(f"{ended.error.message}{f' {ended.error.hint}' if ended.error.hint else ''}")
    if ended.status == "waiting":
        say("The run waits for a person, or for a higher budget; it continues when that is answered.")


def _print_problems(report: Validation, file: Path) -> None:
    for problem in report.problems:
        print(f"{file}:{problem.line}:{problem.column}: {problem.severity}: {problem.message}")  # noqa: T201
