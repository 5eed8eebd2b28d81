"""Passes stop requests and user messages, which are rows, to a running crew."""

import asyncio
from concurrent.futures import Future
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError

from crewai_runner.core.logging import get_logger
from crewai_runner.core.supervision import restart_on_error
from crewai_runner.db.session import shielded
from crewai_runner.domain.run import RunState
from crewai_runner.executor.memory_records import StoreMemories
from crewai_runner.executor.port import RunControl
from crewai_runner.executor.run_files import StoreFile
from crewai_runner.features.executions.control_repository import RunRequests
from crewai_runner.features.executions.execution_deps import ExecutionDeps
from crewai_runner.stream.notifier import Subscription

log = get_logger(__name__)
RETRY_SECONDS = 1.0


class CrewStores(Protocol):
    """What stores the memories and files of a crew. Thread-safe."""

    store_memories: StoreMemories
    store_file: StoreFile


class ControlListener:
    """Reads a run's requests when notified, and receives them at each sweep of the process.

    `requests` is a subscription to the run's control topic from before the run was claimed. `reads_first`
    says that there may be requests from before the subscription. `saving`
    stores what the crew hands over.
    """

    def __init__(
        self,
        deps: ExecutionDeps,
        run_id: str,
        requests: Subscription,
        saving: CrewStores | None = None,
        *,
        reads_first: bool = True,
    ) -> None:
        self._deps, self._run_id = deps, run_id
        self._loop = asyncio.get_running_loop()
        self._changed, self._reading = requests.changed, asyncio.Lock()
        self._sent_message_ids: set[str] = set()
        self.control = (
            RunControl(self._schedule_flush)
            if saving is None
            else RunControl(self._schedule_flush, saving.store_memories, saving.store_file)
        )
        if reads_first:
            self._changed.set()

    async def listen(self) -> None:
        """Pass requests on until cancelled."""
        with self._deps.control_reader.register(self._run_id, self._apply):
            await restart_on_error("control", self._listen)

    async def _listen(self) -> None:
        while True:
            await self._changed.wait()
            async with self._reading:
                await self._read_and_log_errors()

    def _schedule_flush(self) -> Future[None]:
        return asyncio.run_coroutine_threadsafe(self._flush(), self._loop)

    async def _flush(self) -> None:
        """Store the pending events, then pass on the requests made until now, before the crew continues.

        A request in this process sets `changed` immediately; one in another process may not have yet.
        """
        await self._deps.event_writer.flush()
        async with self._reading:
            if self._changed.is_set() or not self._deps.settings.is_embedded:
                await self._read_and_log_errors()

    async def _read_and_log_errors(self) -> None:
        self._changed.clear()
        try:
            self._apply(await shielded(self._deps.control_reader.read(self._run_id)))
        except (SQLAlchemyError, OSError) as error:
            log.warning("control.retry", error=type(error).__name__)
            self._loop.call_later(RETRY_SECONDS, self._changed.set)
        except Exception:
            log.exception("control.failed")  # the next sweep reads again: a stop must reach the crew

    def _apply(self, requests: RunRequests | None) -> None:
        if requests is None:
            self.control.stop()
            return
        if requests.stop_mode is not None and requests.state in (RunState.STOPPING, RunState.RUNNING):
            self.control.stop(requests.stop_mode, requests.stop_age_seconds)
        for message in requests.messages:
            if message.message_id not in self._sent_message_ids:
                self._sent_message_ids.add(message.message_id)
                self.control.send_message(message)
