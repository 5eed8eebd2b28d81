"""Check that the port is free or used by this product."""

import http.client

from crewai_runner.core.bind_check import find_bind_error
from crewai_runner.core.settings import Settings
from crewai_runner.operations.doctor.finding import Finding, fail, ok, warn

LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1", "localhost": "127.0.0.1"}  # noqa: S104
LOOPBACK |= {"127.0.0.1": "127.0.0.1", "::1": "::1"}
"""Addresses that may be probed; others are not contacted."""
TIMEOUT_SECONDS = 3.0


def check_port(settings: Settings) -> Finding:
    address = f"{settings.api_host}:{settings.api_port}"
    if settings.api_port == 0:
        return ok("port", "any free port")
    problem = find_bind_error(settings.api_host, settings.api_port)
    if problem is None:
        return ok("port", f"{address} is free")
    if settings.api_host not in LOOPBACK:
        return warn("port", f"{address}: {problem}", "if this is not the server itself, set another API_PORT")
    if _is_crewai_runner(LOOPBACK[settings.api_host], settings.api_port):
        return ok("port", f"CrewAI Runner is running at {address}")
    return fail("port", f"{address}: {problem}, used by another program", "set another API_PORT")


def _is_crewai_runner(host: str, port_number: int) -> bool:
    connection = http.client.HTTPConnection(host, port_number, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/health")
        response = connection.getresponse()
        return response.status == 200 and response.read(1000) == b'{"status":"healthy"}'
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
