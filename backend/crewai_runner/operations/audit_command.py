"""The command `audit`. It imports its modules when run."""

import argparse
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from crewai_runner.core.settings import Settings

Commands = Any  # argparse's own type is private
Operation = Callable[[Settings], tuple[Iterable[str], int]]
RunOperation = Callable[[Operation], int]


def add_to(commands: Commands, run_operation: RunOperation) -> dict[str, Callable[[argparse.Namespace], int]]:
    """Add the command to the parser; returns its function by name."""
    audit = commands.add_parser("audit", help="verify the audit log")
    actions = audit.add_subparsers(dest="action", metavar="action", required=True)
    verify = actions.add_parser(
        "verify", help="check that no entry was changed or removed; the server may run or not"
    )
    verify.add_argument(
        "--file", type=Path, help="an export in JSON lines without filters; default: the database"
    )
    return {"audit": partial(_verify, run_operation)}


def _verify(run_operation: RunOperation, options: argparse.Namespace) -> int:
    def run(settings: Settings) -> tuple[Iterable[str], int]:
        from crewai_runner.operations import audit  # noqa: PLC0415

        return audit.verify_database(settings) if options.file is None else audit.verify_file(options.file)

    return run_operation(run)
