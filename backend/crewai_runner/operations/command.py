"""The commands that maintain an installation. Each imports its modules when run."""

import argparse
import asyncio
import getpass
import json
import os
import sqlite3
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from crewai_runner.core.setting_values import setting_errors
from crewai_runner.core.settings import Settings
from crewai_runner.operations import audit_command, run_command, team_command
from crewai_runner.operations.errors import OperationError

Commands = Any  # argparse's own type is private
Operation = Callable[[Settings], tuple[Iterable[str], int]]
INVALID_SETTING = 2
FAILED = 1


def add_to(commands: Commands) -> dict[str, Callable[[argparse.Namespace], int]]:
    """Add the commands to the parser; returns the function of each by name."""
    backup = commands.add_parser(
        "backup", help="back up everything stored into one file, while the server runs"
    )
    backup.add_argument("file", type=Path, help="the tar.gz file to write, readable by its owner only")
    backup.add_argument("--with-keys", action="store_true", help="include the key files, unencrypted")
    backup.add_argument("--encrypt", action="store_true", help="encrypt the file with a passphrase")
    _add_passphrase_file(backup)
    backup.add_argument("--force", action="store_true", help="replace an existing file")
    restore = commands.add_parser("restore", help="replace what is stored here by a backup")
    restore.add_argument("file", type=Path, help="a file written by `backup`")
    restore.add_argument(
        "--force", action="store_true", help="restore even if data exists here; the old data is kept"
    )
    _add_passphrase_file(restore)
    commands.add_parser("rotate-secret-key", help="re-encrypt every stored credential with a new key")
    commands.add_parser("compact", help="shrink the SQLite database file, while the server is stopped")
    commands.add_parser("rebuild-insights", help="compute the statistics again from the stored runs")
    push = commands.add_parser("push", help="upload a project folder, to run it as code")
    push.add_argument("folder", type=Path, nargs="?", default=Path(), help="default: this folder")
    push.add_argument("--url", help="the server (CREWAI_RUNNER_URL; default: this machine's)")
    push.add_argument("--project", help="id of the project that gets a new version")
    push.add_argument("--name", help="default: the name in pyproject.toml")
    push.add_argument("--note", help="what changed")
    push.add_argument(
        "--with-env", action="store_true", help="send .env files; their variables are stored encrypted"
    )
    push.add_argument("--no-wait", action="store_true", help="do not follow the build")
    doctor = commands.add_parser("doctor", help="check the installation and say how to fix problems")
    doctor.add_argument("--json", action="store_true", help="print JSON")
    return {
        "backup": _backup,
        "restore": _restore,
        "rotate-secret-key": _rotate,
        "compact": _compact,
        "rebuild-insights": _rebuild_insights,
        "push": _push,
        "doctor": _doctor,
        **team_command.add_to(commands, _with_settings),
        **audit_command.add_to(commands, _with_settings),
        **run_command.add_to(commands, _with_settings),
    }


def _add_passphrase_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--passphrase-file", type=Path, help="a file with the passphrase; without it the command asks for it"
    )


def _backup(options: argparse.Namespace) -> int:
    def run(settings: Settings) -> tuple[Iterable[str], int]:
        from crewai_runner.operations import backup, messages  # noqa: PLC0415

        target = options.file.absolute()
        wants_encryption = options.encrypt or options.passphrase_file is not None
        passphrase = read_passphrase(options.passphrase_file, confirm=True) if wants_encryption else None
        finished = backup.back_up(
            settings, target, with_keys=options.with_keys, force=options.force, passphrase=passphrase
        )
        return messages.describe_backup(finished, settings), 0

    return _with_settings(run)


def _restore(options: argparse.Namespace) -> int:
    def run(settings: Settings) -> tuple[Iterable[str], int]:
        from crewai_runner.operations import messages, restore  # noqa: PLC0415

        restored = restore.restore(
            settings,
            options.file,
            force=options.force,
            ask_passphrase=lambda: read_passphrase(options.passphrase_file),
        )
        return messages.describe_restore(restored), 0

    return _with_settings(run)


def read_passphrase(file: Path | None, *, confirm: bool = False) -> str:
    """Read the passphrase of a backup from a file, or ask for it. Raises OperationError, OSError."""
    if file is not None:
        return file.read_text().strip()
    if not sys.stdin.isatty():
        raise OperationError("There is no terminal to ask for the passphrase; use --passphrase-file.")
    passphrase = getpass.getpass("Passphrase: ")
    if confirm and getpass.getpass("Again: ") != passphrase:
        raise OperationError("The passphrases differ.")
    return passphrase


def _rotate(_options: argparse.Namespace) -> int:
    def run(settings: Settings) -> tuple[Iterable[str], int]:
        from crewai_runner.operations import messages, rotation  # noqa: PLC0415

        rotation_result = asyncio.run(rotation.rotate(settings))
        return messages.describe_rotation(
            rotation_result, settings
        ), 0 if rotation_result.is_complete else FAILED

    return _with_settings(run)


def _compact(_options: argparse.Namespace) -> int:
    def run(settings: Settings) -> tuple[Iterable[str], int]:
        from crewai_runner.operations import compaction, messages  # noqa: PLC0415

        return messages.describe_compaction(compaction.compact(settings)), 0

    return _with_settings(run)


def _rebuild_insights(_options: argparse.Namespace) -> int:
    def run(settings: Settings) -> tuple[Iterable[str], int]:
        from crewai_runner.operations import insights  # noqa: PLC0415

        runs = asyncio.run(insights.rebuild_insights(settings))
        return [f"The statistics of {runs:,} finished runs are computed again."], 0

    return _with_settings(run)


def _push(options: argparse.Namespace) -> int:
    def run(settings: Settings) -> tuple[Iterable[str], int]:
        from crewai_runner.operations.push import Push, push  # noqa: PLC0415

        request = Push(
            options.folder,
            options.url,
            options.project,
            options.name,
            options.note,
            with_environment=options.with_env,
            follows_build=not options.no_wait,
        )
        return push(settings, request), 0

    return _with_settings(run)


def _doctor(options: argparse.Namespace) -> int:
    os.umask(0o077)
    from crewai_runner.operations.doctor.checks import run_checks, setting_findings  # noqa: PLC0415
    from crewai_runner.operations.doctor.finding import Level, format_line  # noqa: PLC0415

    try:
        findings = run_checks(Settings())
    except ValidationError as error:
        findings = setting_findings(error)
    healthy = all(finding.level is not Level.FAIL for finding in findings)
    if options.json:
        report = {"healthy": healthy, "findings": [finding.as_json() for finding in findings]}
        _print([json.dumps(report, indent=1)])
    else:
        _print(format_line(finding) for finding in findings)
    return 0 if healthy else FAILED


def _with_settings(operation: Operation) -> int:
    # Files that these commands create, such as a database, must not be readable by others.
    os.umask(0o077)
    try:
        settings = Settings()
    except ValidationError as error:
        _print((f"Invalid setting: {line}" for line in setting_errors(error)), sys.stderr)
        return INVALID_SETTING
    return _report(operation, settings)


def _report(operation: Operation, settings: Settings) -> int:
    """Run the operation and print the result, or the error in one line; bugs keep their traceback."""
    from psycopg import Error as PostgresError  # noqa: PLC0415
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    from crewai_runner.operations.database_errors import describe_database_error  # noqa: PLC0415

    try:
        lines, status = operation(settings)
        _print(lines)
    except OperationError as error:
        reason = str(error)
    except (SQLAlchemyError, sqlite3.Error, PostgresError) as error:
        reason = describe_database_error(error, settings)
    except OSError as error:
        reason = f"{error.filename or 'A file'}: {error.strerror}"
    else:
        return status
    _print([reason], sys.stderr)
    return FAILED


def _print(lines: Iterable[str], stream: Any = None) -> None:
    """Print each line at once: some are known long before the next."""
    for line in lines:
        print(line, file=stream or sys.stdout, flush=True)
