"""The commands `user`, `key` and `workspace`. Each imports its modules when run."""

import argparse
import asyncio
import getpass
import sys
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crewai_runner.core.roles import WorkspaceRole
from crewai_runner.core.settings import Settings
from crewai_runner.operations.errors import OperationError

if TYPE_CHECKING:
    from crewai_runner.operations import team

Commands = Any  # argparse's own type is private
Operation = Callable[[Settings], tuple[Iterable[str], int]]
RunOperation = Callable[[Operation], int]
ROLES = [role.value for role in WorkspaceRole]


def add_to(commands: Commands, run_operation: RunOperation) -> dict[str, Callable[[argparse.Namespace], int]]:
    """Add the commands to the parser; returns the function of each by name."""
    _add_user(commands)
    _add_key(commands)
    _add_workspace(commands)
    return {name: partial(_run, run_operation) for name in ("user", "key", "workspace")}


def _add_user(commands: Commands) -> None:
    user = commands.add_parser("user", help="manage the people who can sign in")
    actions = user.add_subparsers(dest="action", metavar="action", required=True)
    create = actions.add_parser("create", help="create a person, or add one to a workspace")
    create.add_argument("email")
    create.add_argument("--name", help="default: the part of the address before the @")
    create.add_argument("--role", choices=ROLES, default="owner", help="default: owner")
    create.add_argument("--admin", action="store_true", help="let the person administer this whole server")
    create.add_argument("--password-file", type=Path, help="without it the command asks for the password")
    _add_workspace_option(create)
    actions.add_parser("list", help="list all people of this server")
    for name, help_text in (
        ("reset-password", "print a link with which a person chooses a new password"),
        ("disable", "keep a person from signing in, and end their sessions"),
        ("enable", "let a disabled person sign in again"),
        ("remove", "remove a person for good; their runs keep a pseudonym"),
    ):
        actions.add_parser(name, help=help_text).add_argument("email")


def _add_key(commands: Commands) -> None:
    key = commands.add_parser("key", help="manage the API keys of a workspace")
    actions = key.add_subparsers(dest="action", metavar="action", required=True)
    create = actions.add_parser("create", help="create an API key and print it")
    create.add_argument("name")
    create.add_argument("--role", choices=ROLES, default="operator", help="default: operator")
    create.add_argument("--days", type=int, help="how long it is valid; default: until it is revoked")
    _add_workspace_option(create)
    _add_workspace_option(actions.add_parser("list", help="list the API keys"))
    revoke = actions.add_parser("revoke", help="make an API key invalid")
    revoke.add_argument("id", help="as `key list` prints it")
    _add_workspace_option(revoke)


def _add_workspace(commands: Commands) -> None:
    workspace = commands.add_parser("workspace", help="manage workspaces")
    actions = workspace.add_subparsers(dest="action", metavar="action", required=True)
    actions.add_parser("create", help="create a workspace").add_argument("name")
    actions.add_parser("list", help="list all workspaces")


def _add_workspace_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--workspace", help="id or name; default: the first workspace")


def _run(run_operation: RunOperation, options: argparse.Namespace) -> int:
    def run(settings: Settings) -> tuple[Iterable[str], int]:
        from crewai_runner.operations import team  # noqa: PLC0415

        actions: dict[tuple[str, str], Callable[[team.TeamOperations], Awaitable[list[str]]]] = {
            ("user", "create"): lambda it: it.create_person(_read_new_person(options), options.workspace),
            ("user", "list"): lambda it: it.list_people(),
            ("user", "reset-password"): lambda it: it.create_reset(options.email),
            ("user", "disable"): lambda it: it.set_disabled(options.email, is_disabled=True),
            ("user", "enable"): lambda it: it.set_disabled(options.email, is_disabled=False),
            ("user", "remove"): lambda it: it.remove_person(options.email),
            ("key", "create"): lambda it: it.create_key(
                options.name, WorkspaceRole(options.role), options.days, options.workspace
            ),
            ("key", "list"): lambda it: it.list_keys(options.workspace),
            ("key", "revoke"): lambda it: it.revoke_key(options.id, options.workspace),
            ("workspace", "create"): lambda it: it.create_workspace(options.name),
            ("workspace", "list"): lambda it: it.list_workspaces(),
        }
        action = actions[options.command, options.action]
        command, is_change = f"{options.command}-{options.action}", options.action != "list"
        return asyncio.run(team.with_team(settings, command, action, is_change=is_change)), 0

    return run_operation(run)


def _read_new_person(options: argparse.Namespace) -> "team.NewPerson":
    from crewai_runner.operations import team  # noqa: PLC0415

    return team.NewPerson(
        email=options.email,
        name=options.name or options.email.partition("@")[0],
        role=WorkspaceRole(options.role),
        is_administrator=options.admin,
        read_password=partial(_read_password, options.password_file),
    )


def _read_password(file: Path | None) -> str:
    """Read a new password from a file, or ask for it. Raises OperationError, OSError."""
    if file is not None:
        return file.read_text().strip()
    if not sys.stdin.isatty():
        raise OperationError("There is no terminal to ask for the password; use --password-file.")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise OperationError("The passwords differ.")
    return password
