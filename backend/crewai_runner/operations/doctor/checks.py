"""Run all checks; a check that fails to run does not prevent the others."""

from collections.abc import Callable, Iterable
from functools import partial

from pydantic import ValidationError
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from crewai_runner.core.setting_values import setting_errors
from crewai_runner.core.settings import Settings
from crewai_runner.operations.backup import sqlite_path
from crewai_runner.operations.database_errors import describe_database_error
from crewai_runner.operations.doctor import components, database, folder, issuers, port, projects, stored_data
from crewai_runner.operations.doctor.finding import Finding, fail, ok, warn

Check = Callable[[], Iterable[Finding]]


def setting_findings(error: ValidationError) -> list[Finding]:
    hint = "see .env.example; nothing else can be checked until this is fixed"
    return [fail("settings", line, hint) for line in setting_errors(error)]


def run_checks(settings: Settings) -> list[Finding]:
    """Run every check; takes seconds, because the engine is loaded. Creates and changes nothing."""
    findings = [ok("settings", "valid")]
    findings += [
        warn("settings", f"{old} is now named {new}", "rename it; the old name will be removed")
        for old, new in settings.deprecated_names
    ]
    findings += _run_check("folder", partial(folder.check_data_folder, settings))
    findings += _run_check("keys", partial(folder.check_keys, settings))
    kinds: list[str] = []
    findings += _run_check("database", partial(_check_database, settings, kinds))
    report = components.run_import_check("engine")
    findings += [components.check_engine(report), *components.check_extras(report, kinds)]
    findings += _run_check("local model", lambda: [components.check_local_model(settings)])
    findings += _run_check("projects", lambda: [projects.check_projects(settings)])
    findings += _run_check("sign-in", lambda: issuers.check_issuers(settings))
    findings += _run_check("port", lambda: [port.check_port(settings)])
    return [*findings, components.check_dashboard(settings)]


def _run_check(name: str, check: Check) -> list[Finding]:
    """Return the findings of a check; an exception becomes a finding."""
    findings = []
    try:
        for finding in check():
            findings.append(finding)  # noqa: PERF402  # keep the findings before an exception
    except Exception as error:  # noqa: BLE001  # any error is reported
        findings.append(fail(name, f"could not be checked ({type(error).__name__})", "see the lines above"))
    return findings


def _check_database(settings: Settings, kinds: list[str]) -> Iterable[Finding]:
    if settings.is_embedded and not sqlite_path(settings).is_file():
        yield warn("database", f"{sqlite_path(settings)} does not exist", "it is created at the first start")
        return
    try:
        with database.connect_without_creating(settings) as connection:
            yield from _check_contents(connection, settings, kinds)
    except SQLAlchemyError as error:
        yield fail(
            "database", describe_database_error(error, settings), "start the database or fix DATABASE_URL"
        )


def _check_contents(connection: Connection, settings: Settings, kinds: list[str]) -> Iterable[Finding]:
    yield from database.check_database(connection, settings.database_connections)
    yield from stored_data.check_queue(connection, settings)
    yield from stored_data.check_retention(connection, settings)
    kinds += components.provider_kinds(connection)
    yield from stored_data.check_secrets(settings)
    yield from issuers.check_workspaces(connection, settings)
