"""The options of the commands `run`, `logs`, `stop`, `validate`, `import` and `export`."""

import argparse
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crewai_runner.core.settings import Settings

if TYPE_CHECKING:
    from crewai_runner.operations import remote_run

Commands = Any  # argparse's own type is private
Operation = Callable[[Settings], tuple[Iterable[str], int]]
RunOperation = Callable[[Operation], int]
EXIT_CODES = (
    "Exit codes: 0 completed, 1 failed, 2 wrong options, 3 stopped, 4 timed out (the run is stopped), "
    "5 waits for a person, 6 document or inputs refused, 7 no server."
)


def add_to(commands: Commands, run_operation: RunOperation) -> dict[str, Callable[[argparse.Namespace], int]]:
    """Add the commands to the parser; returns the function of each by name."""
    _add_run(commands)
    logs = _add(commands, "logs", "print the steps of a run until its end")
    logs.add_argument("run", help="id of the run")
    stop = _add(commands, "stop", "stop a run")
    stop.add_argument("run", help="id of the run")
    stop.add_argument("--after-step", action="store_true", help="let the current model call finish")
    _add(commands, "validate", "check a workflow document").add_argument("file", type=Path)
    _add(commands, "import", "store a workflow document as a new workflow").add_argument("file", type=Path)
    export = _add(commands, "export", "write a stored workflow to standard output")
    export.add_argument("workflow", help="id, slug or name")
    export.add_argument("--format", choices=("yaml", "json", "crewai"), default="yaml")
    actions: dict[str, Callable[[argparse.Namespace, Settings], remote_run.ExitCode]] = {
        "run": _run,
        "logs": _logs,
        "stop": _stop,
        "validate": _validate,
        "import": _import,
        "export": _export,
    }
    return {name: partial(_report, run_operation, action) for name, action in actions.items()}


def _add_run(commands: Commands) -> None:
    run = _add(commands, "run", "run a crew: a YAML document, a stored workflow or a project", EXIT_CODES)
    run.add_argument("source", help="a file, or the slug, name or id of a workflow or project")
    run.add_argument("--input", action="append", default=[], metavar="NAME=TEXT", help="an input of the run")
    run.add_argument("--input-file", type=Path, help="a JSON or YAML file with inputs of any type")
    run.add_argument("--wait", action="store_true", help="follow the run to its end; Ctrl-C stops it")
    run.add_argument("--timeout", type=float, metavar="SECONDS", help="stop the run after this time")
    run.add_argument("--json", action="store_true", help="print the run as JSON instead of its result")


def _add(commands: Commands, name: str, help_text: str, epilog: str = "") -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=help_text, epilog=epilog)
    parser.add_argument(
        "--server", help="the server's address (CREWAI_RUNNER_URL; its key: CREWAI_RUNNER_API_KEY)"
    )
    return parser


def _report(
    run_operation: RunOperation,
    action: "Callable[[argparse.Namespace, Settings], remote_run.ExitCode]",
    options: argparse.Namespace,
) -> int:
    def operation(settings: Settings) -> tuple[Iterable[str], int]:
        from crewai_runner.client import ClientError  # noqa: PLC0415
        from crewai_runner.operations import remote_run  # noqa: PLC0415

        try:
            return (), action(options, settings)
        except ClientError as error:
            text, code = remote_run.explain(error)
            remote_run.say(text)
            return (), code

    return run_operation(operation)


def _run(options: argparse.Namespace, settings: Settings) -> "remote_run.ExitCode":
    from crewai_runner.operations import remote_run  # noqa: PLC0415

    request = remote_run.RunRequest(
        options.source,
        options.server,
        remote_run.read_inputs(options.input, options.input_file),
        options.timeout,
        waits=options.wait or options.timeout is not None,
        prints_json=options.json,
    )
    return remote_run.run(settings, request)


def _logs(options: argparse.Namespace, settings: Settings) -> "remote_run.ExitCode":
    from crewai_runner.operations import remote_run  # noqa: PLC0415

    return remote_run.follow_log(settings, options.server, options.run)


def _stop(options: argparse.Namespace, settings: Settings) -> "remote_run.ExitCode":
    from crewai_runner.operations import remote_run  # noqa: PLC0415

    return remote_run.stop(
        settings, options.server, options.run, "after-step" if options.after_step else "now"
    )


def _validate(options: argparse.Namespace, settings: Settings) -> "remote_run.ExitCode":
    from crewai_runner.operations import remote_run  # noqa: PLC0415

    return remote_run.validate(settings, options.server, options.file)


def _import(options: argparse.Namespace, settings: Settings) -> "remote_run.ExitCode":
    from crewai_runner.operations import remote_run  # noqa: PLC0415

    return remote_run.import_document(settings, options.server, options.file)


def _export(options: argparse.Namespace, settings: Settings) -> "remote_run.ExitCode":
    from crewai_runner.operations import remote_run  # noqa: PLC0415

    return remote_run.export_document(settings, options.server, options.workflow, options.format)
