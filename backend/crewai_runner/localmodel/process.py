"""One child process from its start to its end."""

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
from crewai_runner.localmodel.child import TOKEN_VARIABLE
from crewai_runner.localmodel.install import ModelFile

_CHILD_MODULE = "crewai_runner.localmodel.child"
_IMPORT_ROOT = Path(__file__).resolve().parents[2]
# The child gets no more of the environment than it needs: provider keys stay here.
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "GOMP_SPINCOUNT")
_TAIL_LINES = 40
_LONGEST_LINE = 500


class ChildRefused(Exception):
    """The child says that it cannot serve; starting it again would not help."""


class ChildDied(Exception):
    """The child ended, or hung, before it was ready."""


class ChildProcess:
    """A running child; make it with `spawn`."""

    def __init__(self, process: asyncio.subprocess.Process, token: SecretStr) -> None:
        self._process = process
        self._token = token
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._draining = asyncio.create_task(self._drain_stderr())

    @classmethod
    async def spawn(cls, model: ModelFile, token: SecretStr, port: int) -> "ChildProcess":
        """Start a child on `port` of the loopback interface (0, or taken: one that is free).

        Raises OSError when the system gives no process.
        """
        starting = asyncio.ensure_future(cls._start(model, token, port))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            # A process half started belongs to nobody: it is let start, and ended.
            await (await starting).stop()
            raise

    @classmethod
    async def _start(cls, model: ModelFile, token: SecretStr, port: int) -> "ChildProcess":
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-P", "-u", "-m", _CHILD_MODULE),
            *_arguments(model, port),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(token),
            # Ctrl-C in a terminal reaches the whole group; the child's end is ours to decide.
            start_new_session=True,
        )
        return cls(process, token)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def stderr_tail(self) -> str:
        """The last lines the child wrote to stderr, for logs; the token is masked."""
        return "\n".join(self._tail).replace(self._token.get_secret_value(), "***")

    async def hello(self, timeout_seconds: float) -> str:
        """Wait until the child serves; returns its address, `http://127.0.0.1:<port>`.

        Raises ChildRefused or ChildDied.
        """
        try:
            async with asyncio.timeout(timeout_seconds):
                line = await _piped(self._process.stdout).readline()
                if not line:
                    raise ChildDied(_how_it_ended(await self._process.wait()))
        except TimeoutError as error:
            raise ChildDied(f"not ready after {timeout_seconds:g} s") from error
        answer: dict[str, str] = json.loads(line)
        if "error" in answer:
            raise ChildRefused(answer["error"])
        return answer["url"]

    async def ended(self) -> str:
        """Wait for the end of the process; returns how it ended, in words."""
        return _how_it_ended(await self._process.wait())

    async def stop(self, grace_seconds: float = 0.4) -> None:
        """End the process and wait for it: SIGTERM first, SIGKILL after the grace. Never cut short."""
        ending = asyncio.ensure_future(self._end(grace_seconds))
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError:
            await ending
            raise

    async def _end(self, grace_seconds: float) -> None:
        for end in (self._process.terminate, self._process.kill):
            with suppress(ProcessLookupError):
                end()
            with suppress(TimeoutError):
                async with asyncio.timeout(grace_seconds):
                    await self._process.wait()
                break
        await self._process.wait()
        await self._draining
        if self._process.stdin is not None:
            self._process.stdin.close()

    async def _drain_stderr(self) -> None:
        # Read in blocks, not lines: a line longer than the reader's limit would end the reading.
        stderr, rest = _piped(self._process.stderr), b""
        while block := await stderr.read(4096):
            *lines, rest = (rest + block).split(b"\n")
            self._tail.extend(line.decode(errors="replace")[:_LONGEST_LINE] for line in lines)
            rest = rest[-_LONGEST_LINE:]
        if rest:
            self._tail.append(rest.decode(errors="replace"))


def _piped(stream: asyncio.StreamReader | None) -> asyncio.StreamReader:
    if stream is None:
        raise TypeError("the process was started without this pipe")
    return stream


def _arguments(model: ModelFile, port: int) -> Iterator[str]:
    yield from ("--model", str(model.path), "--alias", MODEL_ID, "--port", str(port))
    yield from ("--context", str(CONTEXT_WINDOW), "--threads", str(min(2, os.cpu_count() or 1)))
    if model.sha256:
        yield from ("--sha256", model.sha256)


def _environment(token: SecretStr) -> dict[str, str]:
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {
        "GOMP_SPINCOUNT": "1000",
        **passed_on,
        "PYTHONPATH": str(_IMPORT_ROOT),
        TOKEN_VARIABLE: token.get_secret_value(),
    }


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"it exited with code {code}"
    name = signal.Signals(-code).name
    hints = {
        "SIGILL": "; the runtime needs a processor with AVX2 and FMA",
        "SIGKILL": "; the system may be short of memory (the model takes about 350 MB)",
    }
    return f"it was ended by {name}{hints.get(name, '')}"
