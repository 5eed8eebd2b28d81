"""Starts the server and says how to use it."""

import socket
import sys
from pathlib import Path

import uvicorn

from crewai_runner.core.logging import SecretMask, set_up_logging
from crewai_runner.core.settings import Settings
from crewai_runner.main import create_app
from crewai_runner.queue.data_dir_lock import DataDirInUse, DataDirLock
from crewai_runner.wiring import API_KEY_FILE, Parts

SHUTDOWN_SECONDS = 10


def serve(settings: Settings) -> int:
    """Serve until a signal; the answer is the exit status."""
    problem = _folder_problem(settings)
    if problem:
        print(problem, file=sys.stderr)  # noqa: T201
        return 2
    set_up_logging(settings.log_level, settings.log_format, SecretMask())
    if settings.api_reload:
        return _serve_reloading(settings)
    parts = Parts(settings)
    set_up_logging(settings.log_level, settings.log_format, parts.mask)
    server = _Server(_config(create_app(parts=parts), settings), parts)
    server.run()
    return 0 if server.started else 3


def _config(app: object, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        host=settings.api_host,
        port=settings.api_port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        server_header=False,
        ws_max_size=1024 * 1024,
    )


def _serve_reloading(settings: Settings) -> int:
    uvicorn.run(
        "crewai_runner.main:create_app",
        factory=True,
        reload=True,
        reload_dirs=[str(Path(__file__).parent)],
        host=settings.api_host,
        port=settings.api_port,
        log_config=None,
    )
    return 0


def _folder_problem(settings: Settings) -> str | None:
    """Why the data folder cannot be used, found out before anything is started."""
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        if settings.embedded:
            lock = DataDirLock(settings.data_dir)
            lock.acquire()
            lock.release()
    except DataDirInUse as error:
        return f"Cannot start: {error}. Stop that process, or set another DATA_DIR."
    except OSError as error:
        return f"Cannot start: DATA_DIR {settings.data_dir} cannot be used ({error.strerror})."
    return None


class _Server(uvicorn.Server):
    """Says where it listens once it does."""

    def __init__(self, config: uvicorn.Config, parts: Parts) -> None:
        super().__init__(config)
        self._parts = parts

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            port = self.servers[0].sockets[0].getsockname()[1]
            print(welcome(self._parts, port), flush=True)  # noqa: T201


def welcome(parts: Parts, port: int) -> str:
    """What a person needs first: the address, the key, one command to try."""
    settings = parts.settings
    host = "127.0.0.1" if settings.api_host in ("0.0.0.0", "::") else settings.api_host  # noqa: S104
    url = f"http://{host}:{port}"
    key_file = settings.data_dir.absolute() / API_KEY_FILE
    lines = ["", f"CrewAI Runner answers at {url}", f"  API documentation   {url}/docs"]
    if settings.api_key:
        lines.append("  API key             the one in API_KEY")
        shown = "$API_KEY"
    else:
        if parts.api_key_is_new:
            lines.append(f"  API key (shown once) {parts.api_key}")
        lines.append(f"  API key file        {key_file}")
        shown = f'$(cat "{key_file}")'
    local = parts.local_model.available()
    lines.append(f"  Built-in model      {local or 'ready to use as `smollm2-135m`, no key needed'}")
    lines += [
        "",
        "Try it:",
        f'  curl -H "Authorization: Bearer {shown}" {url}{settings.api_base_url}/models',
        "",
    ]
    return "\n".join(lines)
