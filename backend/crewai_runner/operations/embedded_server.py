"""A server that runs for as long as one command needs it, on this machine and with this folder's data."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from crewai_runner.core.api_key import load_api_key
from crewai_runner.core.settings import Settings
from crewai_runner.operations.errors import OperationError

START_SECONDS, STOP_SECONDS = 120.0, 30.0
POLL_SECONDS = 0.1
LOG_LINES = 20


def is_server_running(url: str) -> bool:
    """Whether a CrewAI Runner answers at this address."""
    try:
        return "parts" in httpx.get(f"{url}/health/ready", timeout=2).json()
    except (httpx.HTTPError, ValueError, TypeError):
        return False


@contextmanager
def embedded_server(settings: Settings) -> Iterator[tuple[str, str]]:
    """Start a server on a free port of the loopback interface; yield its URL and API key, then stop it.

    Raises OperationError, with the end of its log, if it does not start.
    """
    key, url = load_api_key(settings)[0], f"http://127.0.0.1:{(port := _find_free_port())}"
    environment = os.environ | {"API_HOST": "127.0.0.1", "API_PORT": str(port), "LOG_LEVEL": "WARNING"}
    with tempfile.TemporaryFile() as log:
        command = [sys.executable, "-m", "crewai_runner", "serve"]
        process = subprocess.Popen(  # noqa: S603 - this program itself
            command, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            if not _wait_until_ready(process, url):
                log.seek(0)
                lines = log.read().decode(errors="replace").splitlines()[-LOG_LINES:]
                raise OperationError("\n".join(["The embedded server did not start:", *lines]))
            yield url, key
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], url: str) -> bool:
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            if httpx.get(f"{url}/health/ready", timeout=5).is_success:
                return True
        except httpx.HTTPError:
            pass
        time.sleep(POLL_SECONDS)
    return False


def _find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
