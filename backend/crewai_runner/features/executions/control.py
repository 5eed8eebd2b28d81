"""Brings to a running crew what people ask of it: stops and messages, which are rows."""

import asyncio
import contextlib
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from crewai_runner.core.logging import get_logger
from crewai_runner.db.session import reading, uninterrupted
from crewai_runner.domain.run import RunState, StopMode
from crewai_runner.executor.port import RunControl, SteeringMessage
from crewai_runner.features.messages.service import MessageService
from crewai_runner.features.runs.service import RunService
from crewai_runner.stream.hub import control_topic

log = get_logger(__name__)
SLOW_POLL_SECONDS = 1.0


class ControlListener:
    """Woken by the bell, or by a slow poll when a ring was lost."""

    def __init__(self, process: Any, run_id: str, control: RunControl) -> None:
        self._process, self._run_id, self._control = process, run_id, control
        self._passed_on: set[str] = set()

    async def listen(self) -> None:
        with self._process.hub.listening(control_topic(self._run_id)) as listener:
            while True:
                listener.bell.clear()
                try:
                    await uninterrupted(self._look())
                except (SQLAlchemyError, OSError) as error:
                    log.warning("control.retry", error=type(error).__name__)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(listener.bell.wait(), SLOW_POLL_SECONDS)

    async def _look(self) -> None:
        async with reading(self._process.sessions) as session:
            asked = await RunService(session).control_state(self._run_id)
            messages = await MessageService(session).queued(self._run_id)
        if asked is None:
            self._control.stop()
            return
        state, mode = asked
        if mode is not None and state in (RunState.STOPPING, RunState.RUNNING):
            self._control.stop(StopMode(mode))
        for message in messages:
            if message.id not in self._passed_on:
                self._passed_on.add(message.id)
                self._control.say(SteeringMessage(message.id, message.text, message.agent))
