"""The commands `backup`, `restore`, `rotate-secret-key` and `doctor`. Each imports its needs when it runs."""

import argparse
import asyncio
import json
import os
import sqlite3
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from crewai_runner.core.settings import Settings, setting_errors
from crewai_runner.operations.refusal import Refused

Commands = Any  # argparse's own type is private
Work = Callable[[Settings], tuple[Iterable[str], int]]
WRONG_SETTING = 2
FAILED = 1


def add_to(commands: Commands) -> dict[str, Callable[[argparse.Namespace], int]]:
    """Add the commands to the parser; what runs each, by its name."""
    backup = commands.add_parser(
        "backup", help="write everything that is stored into one file, while it runs"
    )
    backup.add_argument("file", type=Path, help="a tar.gz to be made, readable by its owner only")
    backup.add_argument("--with-keys", action="store_true", help="put the key files in too, in clear")
    backup.add_argument("--force", action="store_true", help="replace the file if it exists")
    restore = commands.add_parser("restore", help="put a backup in the place of what is stored here")
    restore.add_argument("file", type=Path, help="what `backup` wrote")
    restore.add_argument(
        "--force", action="store_true", help="even if something is stored here; it is kept aside"
    )
    commands.add_parser("rotate-secret-key", help="seal every stored credential under a new key")
    doctor = commands.add_parser("doctor", help="examine the installation and say what to mend")
    doctor.add_argument("--json", action="store_true", help="for machines")
    return {"backup": _backup, "restore": _restore, "rotate-secret-key": _rotate, "doctor": _doctor}


def _backup(options: argparse.Namespace) -> int:
    def work(settings: Settings) -> tuple[Iterable[str], int]:
        from crewai_runner.operations import backup, words  # noqa: PLC0415

        target = options.file.absolute()
        written = backup.back_up(settings, target, with_keys=options.with_keys, force=options.force)
        return words.of_backup(written, settings), 0

    return _with_settings(work)


def _restore(options: argparse.Namespace) -> int:
    def work(settings: Settings) -> tuple[Iterable[str], int]:
        from crewai_runner.operations import restore, words  # noqa: PLC0415

        return words.of_restore(restore.restore(settings, options.file, force=options.force)), 0

    return _with_settings(work)


def _rotate(_options: argparse.Namespace) -> int:
    def work(settings: Settings) -> tuple[Iterable[str], int]:
        from crewai_runner.operations import rotation, words  # noqa: PLC0415

        done = asyncio.run(rotation.rotate(settings))
        return words.of_rotation(done, settings), 0 if done.complete else FAILED

    return _with_settings(work)


def _doctor(options: argparse.Namespace) -> int:
    os.umask(0o077)
    from crewai_runner.operations.doctor.examination import examine, wrong_settings  # noqa: PLC0415
    from crewai_runner.operations.doctor.finding import Level, as_line  # noqa: PLC0415

    try:
        findings = examine(Settings())
    except ValidationError as error:
        findings = wrong_settings(error)
    healthy = all(finding.level is not Level.FAIL for finding in findings)
    if options.json:
        report = {"healthy": healthy, "findings": [finding.as_json() for finding in findings]}
        _say([json.dumps(report, indent=1)])
    else:
        _say(as_line(finding) for finding in findings)
    return 0 if healthy else FAILED


def _with_settings(work: Work) -> int:
    # What these commands make, a database among it, is nobody else's business.
    os.umask(0o077)
    try:
        settings = Settings()
    except ValidationError as error:
        _say((f"Wrong setting: {line}" for line in setting_errors(error)), sys.stderr)
        return WRONG_SETTING
    return _reported(work, settings)


def _reported(work: Work, settings: Settings) -> int:
    """Do it, say what was done, or in one line why not; a defect keeps its traceback."""
    from psycopg import Error as PostgresError  # noqa: PLC0415
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    from crewai_runner.operations.database_words import trouble  # noqa: PLC0415

    try:
        lines, status = work(settings)
        _say(lines)
    except Refused as refused:
        reason = str(refused)
    except (SQLAlchemyError, sqlite3.Error, PostgresError) as error:
        reason = trouble(error, settings)
    except OSError as error:
        reason = f"{error.filename or 'A file'}: {error.strerror}"
    else:
        return status
    _say([reason], sys.stderr)
    return FAILED


def _say(lines: Iterable[str], where: Any = None) -> None:
    for line in lines:
        (where or sys.stdout).write(line + "\n")
