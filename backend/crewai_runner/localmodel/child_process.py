"""The child process that serves the built-in model."""

import asyncio
import json
import os
import signal
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pydantic import SecretStr

from crewai_runner.domain.local_model import CONTEXT_WINDOW, MODEL_ID
from crewai_runner.localmodel.child_main import TOKEN_VARIABLE
from crewai_runner.localmodel.installation import ModelFile

_CHILD_MODULE = "crewai_runner.localmodel.child_main"
_IMPORT_ROOT = Path(__file__).resolve().parents[2]
# The child gets only these variables: provider keys must not reach it.
_INHERITED_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "GOMP_SPINCOUNT")
_TAIL_LINES = 40
_MAX_LINE_LENGTH = 500


class ChildCannotServe(Exception):
    """The child reported that it cannot serve; restarting it would not help."""


class ChildExited(Exception):
    """The child exited or hung before it was ready."""


class ChildProcess:
    """A running child process; create it with `spawn`."""

    def __init__(self, process: asyncio.subprocess.Process, token: SecretStr) -> None:
        self._process = process
        self._token = token
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._draining = asyncio.create_task(self._drain_stderr())

    @classmethod
    async def spawn(cls, model: ModelFile, token: SecretStr, port: int) -> "ChildProcess":
        """Start a child on `port` of the loopback interface, or on a free port if `port` is 0 or in use.

        Raises OSError when no process can be created.
        """
        starting = asyncio.ensure_future(cls._start(model, token, port))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            # Let the process finish starting, then stop it, so that it is not orphaned.
            await (await starting).stop()
            raise

    @classmethod
    async def _start(cls, model: ModelFile, token: SecretStr, port: int) -> "ChildProcess":
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-P", "-u", "-m", _CHILD_MODULE),
            *_build_arguments(model, port),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(token),
            # Ctrl-C in a terminal is sent to the whole process group; only the supervisor stops the child.
            start_new_session=True,
        )
        return cls(process, token)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def stderr_tail(self) -> str:
        """Last lines of the child's stderr, with the token redacted."""
        return "\n".join(self._tail).replace(self._token.get_secret_value(), "***")

    async def wait_until_ready(self, timeout_seconds: float) -> str:
        """Wait until the child is ready and return its URL, `http://127.0.0.1:<port>`.

        Raises ChildCannotServe or ChildExited.
        """
        try:
            async with asyncio.timeout(timeout_seconds):
                line = await _require_pipe(self._process.stdout).readline()
                if not line:
                    raise ChildExited(_describe_exit(await self._process.wait()))
        except TimeoutError as error:
            raise ChildExited(f"not ready after {timeout_seconds:g} s") from error
        message: dict[str, str] = json.loads(line)
        if "error" in message:
            raise ChildCannotServe(message["error"])
        return message["url"]

    async def wait(self) -> str:
        """Wait until the process exits and return a description of its exit status."""
        return _describe_exit(await self._process.wait())

    async def stop(self, grace_seconds: float = 0.4) -> None:
        """Stop the process and wait for it: SIGTERM, then SIGKILL after the grace period. Not cancellable."""
        stopping = asyncio.ensure_future(self._terminate(grace_seconds))
        try:
            await asyncio.shield(stopping)
        except asyncio.CancelledError:
            await stopping
            raise

    async def _terminate(self, grace_seconds: float) -> None:
        for signal_process in (self._process.terminate, self._process.kill):
            with suppress(ProcessLookupError):
                signal_process()
            with suppress(TimeoutError):
                async with asyncio.timeout(grace_seconds):
                    await self._process.wait()
                break
        await self._process.wait()
        await self._draining
        if self._process.stdin is not None:
            self._process.stdin.close()

    async def _drain_stderr(self) -> None:
        # Read in blocks: `readline` fails on lines longer than the reader's limit.
        stderr, rest = _require_pipe(self._process.stderr), b""
        while block := await stderr.read(4096):
            *lines, rest = (rest + block).split(b"\n")
            self._tail.extend(line.decode(errors="replace")[:_MAX_LINE_LENGTH] for line in lines)
            rest = rest[-_MAX_LINE_LENGTH:]
        if rest:
            self._tail.append(rest.decode(errors="replace"))


def _require_pipe(stream: asyncio.StreamReader | None) -> asyncio.StreamReader:
    if stream is None:
        raise TypeError("the process was started without this pipe")
    return stream


def _build_arguments(model: ModelFile, port: int) -> Iterator[str]:
    yield from ("--model", str(model.path), "--alias", MODEL_ID, "--port", str(port))
    yield from ("--context", str(CONTEXT_WINDOW), "--threads", str(min(2, os.cpu_count() or 1)))
    if model.sha256:
        yield from ("--sha256", model.sha256)


def _environment(token: SecretStr) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in _INHERITED_VARIABLES if name in os.environ}
    return {
        "GOMP_SPINCOUNT": "1000",
        **inherited,
        "PYTHONPATH": str(_IMPORT_ROOT),
        TOKEN_VARIABLE: token.get_secret_value(),
    }


def _describe_exit(code: int) -> str:
    if code >= 0:
        return f"it exited with code {code}"
    name = signal.Signals(-code).name
    hints = {
        "SIGILL": "; the runtime needs a CPU with AVX2 and FMA",
        "SIGKILL": "; the system may be short of memory (the model takes about 350 MB)",
    }
    return f"it was killed by {name}{hints.get(name, '')}"
