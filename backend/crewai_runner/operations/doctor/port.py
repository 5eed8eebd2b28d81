"""The port: free, or ours."""

import http.client

from crewai_runner.core.bind_check import find_bind_error
from crewai_runner.core.settings import Settings
from crewai_runner.operations.doctor.finding import Finding, fail, ok, warn

LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1", "localhost": "127.0.0.1"}  # noqa: S104
LOOPBACK |= {"127.0.0.1": "127.0.0.1", "::1": "::1"}
"""Where to ask who listens; of other addresses nobody is asked."""
PATIENCE_SECONDS = 3.0


def port(settings: Settings) -> Finding:
    where = f"{settings.api_host}:{settings.api_port}"
    if settings.api_port == 0:
        return ok("port", "any free one")
    problem = find_bind_error(settings.api_host, settings.api_port)
    if problem is None:
        return ok("port", f"{where} is free")
    if settings.api_host not in LOOPBACK:
        return warn("port", f"{where}: {problem}", "if this is not the server itself, set another API_PORT")
    if _answers_as_ours(LOOPBACK[settings.api_host], settings.api_port):
        return ok("port", f"CrewAI Runner is running at {where}")
    return fail(
        "port", f"{where}: {problem}, and it is not CrewAI Runner that answers", "set another API_PORT"
    )


def _answers_as_ours(host: str, number: int) -> bool:
    connection = http.client.HTTPConnection(host, number, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", "/health")
        answer = connection.getresponse()
        return answer.status == 200 and answer.read(1000) == b'{"status":"healthy"}'
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
