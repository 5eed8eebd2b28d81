"""Starts the server and says how to use it."""

import os
import re
import signal
import sys
from pathlib import Path
from typing import Any

import uvicorn

from crewai_runner.boot import StartupApp
from crewai_runner.core.api_key import API_KEY_FILE, load_api_key
from crewai_runner.core.bind_check import find_bind_error
from crewai_runner.core.logging import SecretMask, configure_logging, get_logger
from crewai_runner.core.settings import Settings
from crewai_runner.http.connection_limits import UVICORN_LIMITS
from crewai_runner.queue.data_dir_lock import DataDirInUse, DataDirLock

SHUTDOWN_SECONDS = 10


def serve(settings: Settings) -> int:
    """Serve until a signal; the answer is the exit status."""
    # Prompts and outputs are nobody else's business: what is made from here on is the owner's only.
    os.umask(0o077)
    lock = DataDirLock(settings.sqlite_directory) if settings.sqlite_directory else None
    problem = _folder_problem(settings, lock) or _port_problem(settings)
    if problem:
        print(problem, file=sys.stderr)  # noqa: T201
        return 2
    mask = SecretMask()
    configure_logging(settings.log_level, settings.log_format, mask)
    if settings.api_reload:
        if lock:
            lock.release()  # each process that the reloader starts takes it itself
        return _serve_reloading(settings)
    return _Serving(settings, mask, lock).run()


class _Serving:
    """One server process, from its first moment."""

    def __init__(self, settings: Settings, mask: SecretMask, lock: DataDirLock | None) -> None:
        self._settings, self._mask, self._lock = settings, mask, lock
        self._failed = False
        # Made before anything answers: whoever sees /health may read the key file.
        self._api_key, self._key_is_new = load_api_key(settings)
        mask.add(self._api_key)
        boot = StartupApp(self._make_app, self._ready, self._failure)
        self._server = uvicorn.Server(
            uvicorn.Config(
                boot,
                host=settings.api_host,
                port=settings.api_port,
                log_config=None,
                log_level=settings.log_level.lower(),
                access_log=False,
                timeout_graceful_shutdown=SHUTDOWN_SECONDS,
                server_header=False,
                **UVICORN_LIMITS,
            )
        )

    def run(self) -> int:
        # uvicorn raises a caught signal again after its shutdown; that was a wish, not an accident.
        for wish in (signal.SIGTERM, signal.SIGINT):
            signal.signal(wish, _nothing_more)
        self._server.run()
        return 3 if self._failed or not self._server.started else 0

    def _make_app(self) -> Any:
        # Imported here, in a thread: the first health check need not wait for it.
        from crewai_runner.main import create_app  # noqa: PLC0415

        return create_app(self._settings, mask=self._mask, folder_lock=self._lock)

    def _ready(self, app: Any) -> None:
        port = self._server.servers[0].sockets[0].getsockname()[1]
        new_key = self._api_key if self._key_is_new else None
        print(welcome(app.state.container, port, new_key), flush=True)  # noqa: T201

    def _failure(self, error: BaseException) -> str:
        self._failed = True
        get_logger(__name__).error("start.failed", exc_info=error)
        print(f"Cannot start: {self._mask(str(error))}", file=sys.stderr)  # noqa: T201
        self._server.should_exit = True
        return reason(self._mask(str(error)))


def reason(message: str) -> str:
    """What everybody may read of a failure: its first line; of an address nothing before the `@`."""
    line = next(iter(message.strip().splitlines()), "see the log")
    return re.sub(r"//\S*@", "//", line)[:300]


def _nothing_more(_signal: int, _frame: Any) -> None:
    """The server has ended already."""


def _serve_reloading(settings: Settings) -> int:
    uvicorn.run(
        "crewai_runner.serving:reloaded",
        factory=True,
        reload=True,
        reload_dirs=[str(Path(__file__).parent)],
        host=settings.api_host,
        port=settings.api_port,
        log_config=None,
        **UVICORN_LIMITS,
    )
    return 0


def reloaded() -> Any:
    """The application in a process that the reloader starts, with the same masked log as any other."""
    from crewai_runner.main import create_app  # noqa: PLC0415

    settings, mask = Settings(), SecretMask()
    configure_logging(settings.log_level, settings.log_format, mask)
    return create_app(settings, mask=mask)


def _folder_problem(settings: Settings, lock: DataDirLock | None) -> str | None:
    """Why the data folder cannot be used, found out before anything is started; takes its lock."""
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        if lock:
            lock.acquire()
    except DataDirInUse as error:
        return f"Cannot start: {error}. Stop that process, or set another DATA_DIR."
    except OSError as error:
        return f"Cannot start: DATA_DIR {settings.data_dir} cannot be used ({error.strerror})."
    return None


def _port_problem(settings: Settings) -> str | None:
    """Why the server cannot listen, in words, before anything is started."""
    if settings.api_port == 0:
        return None
    problem = find_bind_error(settings.api_host, settings.api_port)
    if problem is None:
        return None
    where = f"{settings.api_host}:{settings.api_port}"
    return f"Cannot start: {where} cannot be listened on ({problem}). Set another API_PORT."


def welcome(parts: Any, port: int, new_key: str | None) -> str:
    """What a person needs first: the address, the key, one command to try."""
    settings = parts.settings
    host = "127.0.0.1" if settings.api_host in ("0.0.0.0", "::") else settings.api_host  # noqa: S104
    url = f"http://{host}:{port}"
    key_file = settings.data_dir.absolute() / API_KEY_FILE
    lines = ["", f"CrewAI Runner is running at {url}"]
    if settings.frontend:
        lines.append(f"  Dashboard           {url}/")
    lines.append(f"  API documentation   {url}/docs")
    if settings.api_key:
        lines.append("  API key             the one in API_KEY")
        shown = "$API_KEY"
    else:
        if new_key:
            lines.append(f"  API key (shown once) {new_key}")
        lines.append(f"  API key file        {key_file}")
        shown = f'$(cat "{key_file}")'
    local = parts.local_model.unavailable_reason()
    lines.append(f"  Built-in model      {local or 'ready to use as `smollm2-135m`, no key needed'}")
    lines += [
        "",
        "Try it:",
        f'  curl -H "Authorization: Bearer {shown}" {url}{settings.api_base_url}/models',
        "",
    ]
    return "\n".join(lines)
