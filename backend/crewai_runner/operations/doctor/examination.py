"""The whole examination, one check after another; none keeps the others from being made."""

from collections.abc import Callable, Iterable
from functools import partial

from pydantic import ValidationError
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from crewai_runner.core.settings import Settings, setting_errors
from crewai_runner.operations.backup import sqlite_file
from crewai_runner.operations.database_words import trouble
from crewai_runner.operations.doctor import database, folder, parts, port, stored
from crewai_runner.operations.doctor.finding import Finding, fail, ok, warn

Check = Callable[[], Iterable[Finding]]


def wrong_settings(error: ValidationError) -> list[Finding]:
    hint = "see .env.example; nothing else can be examined before"
    return [fail("settings", line, hint) for line in setting_errors(error)]


def examine(settings: Settings) -> list[Finding]:
    """Every check; takes seconds, because the engine is loaded for it. Makes and changes nothing."""
    findings = [ok("settings", "valid")]
    findings += _made("folder", partial(folder.data_folder, settings))
    findings += _made("keys", partial(folder.keys, settings))
    kinds: list[str] = []
    findings += _made("database", partial(_database, settings, kinds))
    report = parts.try_out("engine")
    findings += [parts.engine(report), *parts.extras(report, kinds)]
    findings += _made("local model", lambda: [parts.local_model(settings)])
    findings += _made("port", lambda: [port.port(settings)])
    return [*findings, parts.dashboard(settings)]


def _made(name: str, check: Check) -> list[Finding]:
    """What a check found; that it broke is a finding too."""
    findings = []
    try:
        for finding in check():
            findings.append(finding)  # noqa: PERF402  # those before it breaks count
    except Exception as error:  # noqa: BLE001  # whatever it is, it is said
        findings.append(fail(name, f"cannot be examined ({type(error).__name__})", "see the lines above"))
    return findings


def _database(settings: Settings, kinds: list[str]) -> Iterable[Finding]:
    if settings.is_embedded and not sqlite_file(settings).is_file():
        yield warn("database", f"{sqlite_file(settings)} is not there", "the first start makes it")
        return
    try:
        with database.looking(settings) as connection:
            yield from _within(connection, settings, kinds)
    except SQLAlchemyError as error:
        yield fail("database", trouble(error, settings), "start it, or mend DATABASE_URL")


def _within(connection: Connection, settings: Settings, kinds: list[str]) -> Iterable[Finding]:
    yield from database.state(connection)
    yield from stored.queue(connection, settings)
    kinds += parts.provider_kinds(connection)
    yield from stored.secrets(settings)
