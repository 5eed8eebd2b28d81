"""Brings to a running crew what people ask of it: stops and messages, which are rows."""

import asyncio
from concurrent.futures import Future

from sqlalchemy.exc import SQLAlchemyError

from crewai_runner.core.logging import get_logger
from crewai_runner.core.waiting import wait_event
from crewai_runner.db.session import read_session, shielded
from crewai_runner.domain.run import RunState, StopMode
from crewai_runner.executor.port import RunControl, UserMessage
from crewai_runner.features.executions.execution_deps import ExecutionDeps
from crewai_runner.features.messages.service import MessageService
from crewai_runner.features.runs.service import RunService
from crewai_runner.stream.notifier import control_topic

log = get_logger(__name__)
SLOW_POLL_SECONDS = 1.0


class ControlListener:
    """Woken by the bell, or by a slow poll when a ring was lost."""

    def __init__(self, deps: ExecutionDeps, run_id: str) -> None:
        self._deps, self._run_id = deps, run_id
        self._loop = asyncio.get_running_loop()
        self._bell, self._looking = asyncio.Event(), asyncio.Lock()
        self._passed_on: set[str] = set()
        self.control = RunControl(flush=self._catching_up)

    async def listen(self) -> None:
        with self._deps.notifier.subscribe(control_topic(self._run_id)) as subscription:
            self._bell = subscription.changed
            while True:
                async with self._looking:
                    await self._look_patiently()
                await wait_event(self._bell, SLOW_POLL_SECONDS)

    def _catching_up(self) -> Future[None]:
        return asyncio.run_coroutine_threadsafe(self._catch_up(), self._loop)

    async def _catch_up(self) -> None:
        """Store what was told; what people asked until then is passed on before the crew goes on.

        A ring from this process is heard at once, one from another a moment after the row is there.
        """
        await self._deps.event_writer.flush()
        async with self._looking:
            if self._bell.is_set() or not self._deps.settings.is_embedded:
                await self._look_patiently()

    async def _look_patiently(self) -> None:
        self._bell.clear()
        try:
            await shielded(self._look())
        except (SQLAlchemyError, OSError) as error:
            log.warning("control.retry", error=type(error).__name__)

    async def _look(self) -> None:
        async with read_session(self._deps.sessions) as session:
            asked = await RunService(session).get_control_state(self._run_id)
            messages = await MessageService(session).list_queued(self._run_id)
        if asked is None:
            self.control.stop()
            return
        state, mode = asked
        if mode is not None and state in (RunState.STOPPING, RunState.RUNNING):
            self.control.stop(StopMode(mode))
        for message in messages:
            if message.id not in self._passed_on:
                self._passed_on.add(message.id)
                self.control.send_message(UserMessage(message.id, message.text, message.agent))
