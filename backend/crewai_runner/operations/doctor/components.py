"""Checks of the engine, optional packages, the built-in model and the dashboard."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, text

from crewai_runner.core.setting_choices import LocalModelMode
from crewai_runner.core.settings import Settings
from crewai_runner.domain.provider import PROVIDER_EXTRAS, PROVIDER_TITLES, ProviderType
from crewai_runner.localmodel.child_main import CannotServe, check_model_file
from crewai_runner.localmodel.installation import HOW_TO_INSTALL, installation_problem, installed_model
from crewai_runner.operations.doctor.finding import Finding, fail, ok, warn

TIMEOUT_SECONDS = 180.0
_INSTALL_HINT = "install the pinned version: `make install`, or `uv sync` in backend/"


def run_import_check(what: str) -> dict[str, Any]:
    """Run an import check in a separate process; `state` is `failed` when it prints no report."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path or "." for path in sys.path)}
    try:
        result = subprocess.run(  # noqa: S603  # our module
            [sys.executable, "-m", "crewai_runner.operations.doctor.import_check", what],
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        report: dict[str, Any] = json.loads(result.stdout.strip().splitlines()[-1])
    except subprocess.TimeoutExpired:
        return {"state": "failed", "message": f"no result within {TIMEOUT_SECONDS:g} s"}
    except (ValueError, IndexError):
        return {"state": "failed", "message": _last_line(result.stderr) or f"exit status {result.returncode}"}
    return report


def _last_line(output: str) -> str:
    lines = [line for line in output.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def check_engine(report: dict[str, Any]) -> Finding:
    if report["state"] != "ready":
        return fail("engine", f"CrewAI cannot be loaded: {report['message']}", _INSTALL_HINT)
    if not report["native"]:
        hint = f"stops take longer to reach providers; {_INSTALL_HINT}"
        return warn(
            "engine", f"CrewAI {report['version']} is not the version this product was built for", hint
        )
    return ok("engine", f"CrewAI {report['version']} passed the self-test")


def check_extras(report: dict[str, Any], kinds: list[str]) -> Iterator[Finding]:
    """Check that the optional packages of registered providers are installed."""
    absent = set(report.get("absent", []))
    for kind in (ProviderType(kind) for kind in kinds if kind in set(ProviderType)):
        extra = PROVIDER_EXTRAS.get(kind)
        if extra in absent:
            yield fail(
                "providers",
                f"{PROVIDER_TITLES[kind]} is registered, but its package is not installed",
                f"uv sync --extra {extra}",
            )
    if not absent.intersection(
        PROVIDER_EXTRAS[ProviderType(kind)] for kind in kinds if kind in PROVIDER_EXTRAS
    ):
        yield ok("providers", f"{len(kinds)} provider type(s) registered, all packages installed")


def provider_kinds(connection: Connection) -> list[str]:
    if not inspect(connection).has_table("providers"):
        return []
    return list(connection.execute(text("SELECT DISTINCT type FROM providers ORDER BY type")).scalars())


def check_local_model(settings: Settings) -> Finding:
    if settings.local_model is LocalModelMode.OFF:
        return ok("local model", "off (LOCAL_MODEL)")
    reason = installation_problem() or _find_model_problem()
    if reason is None:
        return ok("local model", "installed, the runtime loads")
    if settings.local_model is LocalModelMode.EAGER:
        return fail("local model", reason, f"LOCAL_MODEL=eager prevents a start without it. {HOW_TO_INSTALL}")
    return warn("local model", reason, "runs that use it will fail; set LOCAL_MODEL=off to hide this warning")


def _find_model_problem() -> str | None:
    model = installed_model()
    try:
        check_model_file(model.path, model.sha256)
    except CannotServe as error:
        return str(error)
    report = run_import_check("local-model")
    return None if report["state"] == "ready" else f"Its runtime cannot be loaded: {report['message']}"


def check_dashboard(settings: Settings) -> Finding:
    if settings.frontend:
        return ok("dashboard", f"built, at {settings.frontend}")
    folder = settings.frontend_dir or Path("frontend/dist")
    return warn(
        "dashboard", f"there is no build in {folder}", "`make run` builds it; without one the API works alone"
    )
