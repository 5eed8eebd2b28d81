"""Which server a command talks to, and with which key."""

import os

from crewai_runner.core.api_key import load_api_key
from crewai_runner.core.settings import Settings
from crewai_runner.operations.errors import OperationError

URL_VARIABLE, KEY_VARIABLE = "CREWAI_RUNNER_URL", "CREWAI_RUNNER_API_KEY"


def find_url(settings: Settings, given: str | None) -> str:
    """Return the given address, that of the environment, or this machine's server."""
    return (given or os.environ.get(URL_VARIABLE) or local_url(settings)).rstrip("/")


def is_url_given(given: str | None) -> bool:
    return bool(given or os.environ.get(URL_VARIABLE))


def local_url(settings: Settings) -> str:
    return f"http://127.0.0.1:{settings.api_port}"


def find_key(settings: Settings, url: str) -> str:
    """Return the key from the environment, or for a server of this machine the one in its data folder.

    Raises OperationError if there is none.
    """
    if key := os.environ.get(KEY_VARIABLE):
        return key
    if url == local_url(settings):
        return load_api_key(settings)[0]
    raise OperationError(f"Set {KEY_VARIABLE} to the API key of {url}.")
