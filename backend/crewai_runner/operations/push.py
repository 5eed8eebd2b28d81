"""The command `push`: uploads a project folder to a server."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from crewai_runner.core.settings import Settings
from crewai_runner.operations.errors import OperationError
from crewai_runner.operations.project_files import find_project_name, pack_folder
from crewai_runner.operations.server_access import find_key, find_url

UPLOAD_SECONDS = 300.0
POLL_SECONDS = 0.5
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Push:
    """What to upload, and where to. `project`: the id of the project that gets a new version."""

    folder: Path
    url: str | None = None
    project: str | None = None
    name: str | None = None
    note: str | None = None
    with_environment: bool = False
    follows_build: bool = True


def push(settings: Settings, request: Push, transport: httpx.BaseTransport | None = None) -> Iterator[str]:
    """Upload a folder as a new project, or as the next version of the one with its name; follow the build.

    Yields the lines to print as they are known. Raises OperationError, also if the build fails, and OSError.
    """
    if not request.folder.is_dir():
        raise OperationError(f"{request.folder} is not a folder.")
    url = find_url(settings, request.url)
    headers = {"Authorization": f"Bearer {find_key(settings, url)}"}
    packed = pack_folder(request.folder, with_environment=request.with_environment)
    if packed.left_out:
        yield f"Left out: {', '.join(packed.left_out)}. --with-env sends them, to be stored encrypted."
    yield f"Uploading {packed.file_count} files, {len(packed.archive) / MEGABYTE:.1f} MiB ..."
    name = request.name or find_project_name(request.folder)
    with httpx.Client(
        base_url=f"{url}/api/v1", headers=headers, timeout=UPLOAD_SECONDS, transport=transport
    ) as client:
        project = request.project or _find_project(client, name)
        path = "/projects" if project is None else f"/projects/{project}/versions"
        parameters = {"note": request.note} if request.note else {}
        if project is None:
            parameters["name"] = name
        answer = _send(client, "POST", path, content=packed.archive, params=parameters, zipped=True)
        yield from _describe(answer, url)
        version = answer["project"]["version"]
        if request.follows_build and version["status"] != "ready":
            yield from _follow_build(client, answer["project"]["id"], version["number"])


def _follow_build(client: httpx.Client, project: str, number: int) -> Iterator[str]:
    """Yield the lines of the build's log until the build has ended. Raises OperationError if it failed."""
    path, after, rest = f"/projects/{project}/versions/{number}/build/log", 0, ""
    while True:
        page = _send(client, "GET", path, params={"after": str(after)})
        build, after = page["build"], page["next"]
        *lines, rest = (rest + page["text"]).split("\n")
        yield from lines
        if page["text"]:
            continue
        if build["status"] == "failed":
            raise OperationError(f"Version {number} was uploaded, but its build failed: {build['error']}")
        if build["status"] == "ready":
            yield f"Version {number} is ready."
            return
        time.sleep(POLL_SECONDS)


def _describe(answer: dict[str, Any], url: str) -> list[str]:
    project = answer["project"]
    version = project["version"]
    sealed = answer["sealedNames"]
    return [
        f"{project['name']}, version {version['number']}: {version['status']}.",
        *(f"Warning: {warning}" for warning in answer["warnings"]),
        *([f"Stored encrypted as secrets: {', '.join(sealed)}."] if sealed else []),
        f"{url}/projects/{project['id']}",
    ]


def _find_project(client: httpx.Client, name: str) -> str | None:
    """Return the id of the newest project with this name."""
    answer = _send(client, "GET", "/projects", params={"q": name, "limit": "200"})
    return next((str(found["id"]) for found in answer["projects"] if found["name"] == name), None)


def _send(
    client: httpx.Client,
    method: str,
    path: str,
    *,
    params: dict[str, str],
    content: bytes | None = None,
    zipped: bool = False,
) -> dict[str, Any]:
    headers = {"Content-Type": "application/zip"} if zipped else {}
    try:
        response = client.request(method, path, content=content, params=params, headers=headers)
        answer: dict[str, Any] = response.json()
    except httpx.HTTPError as error:
        raise OperationError(f"{client.base_url} cannot be reached: {error}") from None
    except ValueError:
        raise OperationError(f"{client.base_url} is not a CrewAI Runner.") from None
    if response.is_error:
        raise OperationError(f"{response.status_code}: {answer.get('detail', 'the upload failed')}")
    return answer
