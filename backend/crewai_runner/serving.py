"""Starts the server process and prints how to use it."""

import asyncio
import logging
import os
import signal
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

import uvicorn

from crewai_runner.boot import StartupApp
from crewai_runner.core.api_key import API_KEY_FILE, load_api_key
from crewai_runner.core.bind_check import find_bind_error
from crewai_runner.core.collection_pause import collection_paused
from crewai_runner.core.logging import configure_logging, get_logger
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.core.settings import Settings
from crewai_runner.core.waiting import wait_event
from crewai_runner.http.connection_limits import UVICORN_LIMITS
from crewai_runner.queue.data_dir_lock import DataDirInUse, DataDirLock

if TYPE_CHECKING:  # importing the application takes seconds; see StartupApp
    from starlette.applications import Starlette

    from crewai_runner.wiring.container import Container

SHUTDOWN_SECONDS = 5
"""How long requests in progress may take after SIGTERM; then running crews get DRAIN_SECONDS."""
TICK_SECONDS = 1.0


def serve(settings: Settings) -> int:
    """Serve until a signal; return the exit status."""
    # Prompts and outputs are private: files created from here on are readable by their owner only.
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
            lock.release()  # each process started by the reloader acquires it itself
        return _serve_reloading(settings)
    return _ServerProcess(settings, mask, lock).run()


class _ServerProcess:
    """A server process that answers /health before the application is imported."""

    def __init__(self, settings: Settings, mask: SecretMask, lock: DataDirLock | None) -> None:
        self._settings, self._mask, self._lock = settings, mask, lock
        self._failed = False
        # Created before the server listens, so that the key file exists once /health answers.
        self._api_key, self._key_is_new = load_api_key(settings)
        mask.add(self._api_key)
        startup_app = StartupApp(self._make_app, self._on_ready, self._on_failure)
        self._server = _Server(
            uvicorn.Config(
                startup_app,
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

    def run(self) -> NoReturn:
        """Serve until a signal, then end the process."""
        # After its shutdown uvicorn raises the signal again, which would change the exit status.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _ignore_signal)
        self._server.run()
        _end_process(3 if self._failed or not self._server.started else 0)

    def _make_app(self) -> "Starlette":
        # Imported here, in a thread, so that the first health check does not wait for it.
        with collection_paused():
            from crewai_runner.main import create_app  # noqa: PLC0415

            return create_app(self._settings, mask=self._mask, folder_lock=self._lock)

    def _on_ready(self, app: "Starlette") -> None:
        port = self._server.servers[0].sockets[0].getsockname()[1]
        new_key = self._api_key if self._key_is_new else None
        print(welcome(app.state.container, port, new_key), flush=True)  # noqa: T201

    def _on_failure(self, error: BaseException) -> None:
        self._failed = True
        get_logger(__name__).error("start.failed", exc_info=error)
        print(f"Cannot start: {self._mask(str(error))}", file=sys.stderr)  # noqa: T201
        self._server.end()


class _Server(uvicorn.Server):
    """A server that looks once a second whether it must end, and waits for no thread once all is closed."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ending = asyncio.Event()

    def end(self) -> None:
        """Shut down soon. Call it on the event loop."""
        self.should_exit = True
        self._ending.set()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        asyncio.get_running_loop().call_soon_threadsafe(self._ending.set)

    async def main_loop(self) -> None:
        """Update the date header every second, as uvicorn does, without its ten wake-ups a second."""
        while not await self.on_tick(0):
            await wait_event(self._ending, TICK_SECONDS)

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        await super().serve(sockets)
        # asyncio waits minutes for the threads of this executor; one may wait for a database that is away.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())


def _end_process(status: int) -> NoReturn:
    """End the process without waiting for threads, as the interpreter would: everything is closed."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _ignore_signal(_number: int, _frame: FrameType | None) -> None:
    """The server has already shut down."""


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


def reloaded() -> "Starlette":
    """Create the application in a process started by the reloader, with the same masked log."""
    from crewai_runner.main import create_app  # noqa: PLC0415

    settings, mask = Settings(), SecretMask()
    configure_logging(settings.log_level, settings.log_format, mask)
    return create_app(settings, mask=mask)


def _folder_problem(settings: Settings, lock: DataDirLock | None) -> str | None:
    """Acquire the data folder's lock; return why the folder cannot be used, if it cannot."""
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
    """Return why the server cannot listen on its address, if it cannot."""
    if settings.api_port == 0:
        return None
    problem = find_bind_error(settings.api_host, settings.api_port)
    if problem is None:
        return None
    where = f"{settings.api_host}:{settings.api_port}"
    return f"Cannot start: {where} cannot be listened on ({problem}). Set another API_PORT."


def welcome(container: "Container", port: int, new_key: str | None) -> str:
    """The start message: address, API key, a command to try."""
    settings = container.settings
    host = "127.0.0.1" if settings.api_host in ("0.0.0.0", "::") else settings.api_host  # noqa: S104
    url = f"http://{host}:{port}"
    key_file = settings.data_dir.absolute() / API_KEY_FILE
    lines = ["", f"CrewAI Runner is running at {url}"]
    if settings.frontend:
        lines.append(f"  Dashboard           {url}/")
    lines.append(f"  API documentation   {url}/docs")
    if settings.api_key:
        lines.append("  API key             the value of API_KEY")
        shown = "$API_KEY"
    else:
        if new_key:
            lines.append(f"  API key (shown once) {new_key}")
        lines.append(f"  API key file        {key_file}")
        shown = f'$(cat "{key_file}")'
    local = container.local_model.unavailable_reason()
    lines.append(f"  Built-in model      {local or 'ready as `smollm2-135m`, no API key needed'}")
    lines += [
        "",
        "Try it:",
        f'  curl -H "Authorization: Bearer {shown}" {url}{settings.api_base_url}/models',
        "",
    ]
    return "\n".join(lines)
