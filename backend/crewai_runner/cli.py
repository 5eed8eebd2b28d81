"""The command `crewai-runner`."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from crewai_runner import __version__
from crewai_runner.core.setting_choices import Role
from crewai_runner.core.setting_values import setting_errors
from crewai_runner.core.settings import Settings
from crewai_runner.operations import command as operations

SANDBOX_SOCKET = Path("/run/crewai-runner/sandbox.sock")
SANDBOX_RUNS = Path("/runs")
Command = Callable[[argparse.Namespace], int]


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return the exit status."""
    parser, more = _parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        return 2
    commands: dict[str, Command] = {
        "serve": _serve,
        "migrate": _migrate,
        "openapi": _openapi,
        "sandbox": _sandbox,
        "new-key": _new_key,
        "webhook-secret": _webhook_secret,
    }
    commands |= more
    return commands[options.command](options)


def _parser() -> tuple[argparse.ArgumentParser, dict[str, Command]]:
    parser = argparse.ArgumentParser(prog="crewai-runner", description="The control room for CrewAI.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", metavar="command")
    serve = commands.add_parser("serve", help="start the server")
    serve.add_argument("--role", choices=[role.value for role in Role], help="what this process does")
    serve.add_argument("--host", help="address to listen on (API_HOST)")
    serve.add_argument("--port", type=int, help="port to listen on (API_PORT)")
    commands.add_parser("migrate", help="upgrade the database to the latest schema, then exit")
    openapi = commands.add_parser("openapi", help="write the OpenAPI document")
    openapi.add_argument("file", type=Path, help="where to write it; - for standard output")
    sandbox = commands.add_parser("sandbox", help="run the code of projects for workers in other containers")
    sandbox.add_argument("--socket", type=Path, default=SANDBOX_SOCKET, help="Unix socket to listen on")
    sandbox.add_argument("--runs", type=Path, default=SANDBOX_RUNS, help="folder of the running commands")
    commands.add_parser("new-key", help="print a new SECRET_KEY")
    commands.add_parser("webhook-secret", help="print the secret that signs outgoing webhooks")
    return parser, operations.add_to(commands)


def _settings(**overrides: object) -> Settings | None:
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        for line in setting_errors(error):
            print(f"Wrong setting: {line}", file=sys.stderr)  # noqa: T201
        return None


def _serve(options: argparse.Namespace) -> int:
    settings = _settings(role=options.role, api_host=options.host, api_port=options.port)
    if settings is None:
        return 2
    # Imported here, so that --help and wrong settings are answered without delay.
    from crewai_runner.serving import serve  # noqa: PLC0415

    return serve(settings)


def _sandbox(options: argparse.Namespace) -> int:
    # Not the server's settings: the service has no API key, and no other secret.
    from crewai_runner.executor.projects.sandbox.agent.places import ServicePlaces  # noqa: PLC0415
    from crewai_runner.executor.projects.sandbox.agent.server import serve  # noqa: PLC0415

    return serve(ServicePlaces(options.socket.absolute(), options.runs.absolute()))


def _migrate(_options: argparse.Namespace) -> int:
    settings = _settings()
    if settings is None:
        return 2
    from crewai_runner.db.migrate import head_revision, upgrade  # noqa: PLC0415

    upgrade(settings.database)
    print(f"The database is at revision {head_revision()}.")  # noqa: T201
    return 0


def _openapi(options: argparse.Namespace) -> int:
    from crewai_runner.main import openapi_text  # noqa: PLC0415

    text = openapi_text()
    if str(options.file) == "-":
        sys.stdout.write(text)
    else:
        options.file.write_text(text)
    return 0


def _new_key(_options: argparse.Namespace) -> int:
    from cryptography.fernet import Fernet  # noqa: PLC0415

    print(Fernet.generate_key().decode())  # noqa: T201
    return 0


def _webhook_secret(_options: argparse.Namespace) -> int:
    settings = _settings()
    if settings is None:
        return 2
    from crewai_runner.core.secret_key import create_cipher  # noqa: PLC0415
    from crewai_runner.core.webhook_secret import load_webhook_secret  # noqa: PLC0415

    print(load_webhook_secret(settings, create_cipher(settings, lambda _: None)))  # noqa: T201
    return 0
