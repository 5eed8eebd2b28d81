"""Starts deliveries when events are committed, and regularly for what another process has committed."""

import asyncio
from collections.abc import Sequence

from crewai_runner.core.logging import get_logger
from crewai_runner.core.waiting import wait_event
from crewai_runner.domain.committed_events import CommittedEvents
from crewai_runner.features.amp.deliveries import WebhookDeliveries

log = get_logger(__name__)
SWEEP_SECONDS = 15.0
PAUSE_SECONDS = 0.25
"""Events that follow each other quickly are sent together."""


class WebhookDispatcher:
    """Runs `WebhookDeliveries` in one process. Without any webhooks, commits cost nothing."""

    def __init__(self, deliveries: WebhookDeliveries, pause_seconds: float = PAUSE_SECONDS) -> None:
        self._deliveries, self._pause_seconds = deliveries, pause_seconds
        self._changed = asyncio.Event()
        self._has_webhooks = True

    def on_commit(self, batch: Sequence[CommittedEvents]) -> None:  # noqa: ARG002 - the rows are read
        if self._has_webhooks:
            self._changed.set()

    def wake(self) -> None:
        """Learn that a run with webhooks was started."""
        self._has_webhooks = True
        self._changed.set()

    async def run(self) -> None:
        """Send what is due until the task is cancelled."""
        while True:
            self._changed.clear()
            try:
                while await self._deliveries.send_due():
                    pass
                await self._deliveries.delete_finished()
                self._has_webhooks = await self._deliveries.has_any()
            except Exception:
                log.exception("webhooks.failed")
            await wait_event(self._changed, SWEEP_SECONDS)
            await asyncio.sleep(self._pause_seconds)
