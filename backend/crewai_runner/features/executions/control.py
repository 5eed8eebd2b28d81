"""Passes stop requests and user messages, which are rows, to a running crew."""

import asyncio
from concurrent.futures import Future

from sqlalchemy.exc import SQLAlchemyError

from crewai_runner.core.logging import get_logger
from crewai_runner.core.supervision import restart_on_error
from crewai_runner.core.waiting import wait_event
from crewai_runner.db.session import read_session, shielded
from crewai_runner.domain.run import RunState
from crewai_runner.executor.port import RunControl, UserMessage
from crewai_runner.features.executions.execution_deps import ExecutionDeps
from crewai_runner.features.messages.service import MessageService
from crewai_runner.features.runs.service import RunService
from crewai_runner.stream.notifier import control_topic

log = get_logger(__name__)
POLL_SECONDS = 1.0


class ControlListener:
    """Reads a run's control rows when notified; polls as well, because a notification can be lost."""

    def __init__(self, deps: ExecutionDeps, run_id: str) -> None:
        self._deps, self._run_id = deps, run_id
        self._loop = asyncio.get_running_loop()
        self._changed, self._reading = asyncio.Event(), asyncio.Lock()
        self._sent_message_ids: set[str] = set()
        self.control = RunControl(flush=self._schedule_flush)

    async def listen(self) -> None:
        """Pass requests on until cancelled."""
        await restart_on_error("control", self._listen)

    async def _listen(self) -> None:
        with self._deps.notifier.subscribe(control_topic(self._run_id)) as subscription:
            self._changed = subscription.changed
            while True:
                async with self._reading:
                    await self._read_and_log_errors()
                await wait_event(self._changed, POLL_SECONDS)

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
            await shielded(self._read())
        except (SQLAlchemyError, OSError) as error:
            log.warning("control.retry", error=type(error).__name__)
        except Exception:
            log.exception("control.failed")  # the next poll reads again: a stop must reach the crew

    async def _read(self) -> None:
        async with read_session(self._deps.sessions) as session:
            requested = await RunService(session).get_control_state(self._run_id)
            messages = await MessageService(session).list_queued(self._run_id)
        if requested is None:
            self.control.stop()
            return
        if requested.stop_mode is not None and requested.state in (RunState.STOPPING, RunState.RUNNING):
            self.control.stop(requested.stop_mode, requested.stop_age_seconds)
        for message in messages:
            if message.id not in self._sent_message_ids:
                self._sent_message_ids.add(message.id)
                self.control.send_message(UserMessage(message.id, message.text, message.agent))
