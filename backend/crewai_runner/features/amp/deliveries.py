"""Sends the progress of runs to their webhooks, in order and at least once.

The stored events are the outbox: a delivery that fails or whose worker is lost is sent again, with the same
`webhook-id`.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
from pydantic_core import to_json

from crewai_runner.core.clock import now
from crewai_runner.core.egress import EgressPolicy, guarded_client
from crewai_runner.core.encryption import SecretCipher, SecretUnreadable
from crewai_runner.core.errors import AppError
from crewai_runner.core.logging import get_logger
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.core.webhook_signature import sign
from crewai_runner.db.session import Sessions, read_session, unit_of_work
from crewai_runner.db.tables.run_webhooks import RunWebhookRow
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.domain.run_events import RunEvent
from crewai_runner.features.amp.repository import MAX_FAILURES, WebhookRepository
from crewai_runner.features.amp.rules import PayloadBuilder
from crewai_runner.features.amp.schemas import WebhookTargets
from crewai_runner.features.events.service import EventService

log = get_logger(__name__)
EVENTS_AT_ONCE = 100
CONTEXT_EVENTS = 50
"""Events before the next one that its payload may refer to, such as the start of a tool."""
RUNS_AT_ONCE = 20
POST_SECONDS = 10.0
CLAIM_TIME = timedelta(minutes=2)
"""How long a lost worker keeps a run: longer than a batch takes."""
BATCH_SECONDS = 60.0
RETRY_SECONDS = (5, 30, 120, 600, 1800)
KEPT_DAYS = 7
"""How long a run that failed keeps its webhooks for a resume."""


@dataclass(frozen=True, slots=True)
class DeliveryDeps:
    """What the container provides for sending webhooks."""

    sessions: Sessions
    cipher: SecretCipher
    egress: EgressPolicy
    mask: SecretMask
    secret: str
    retry_seconds: Sequence[float] = RETRY_SECONDS


@dataclass(frozen=True, slots=True)
class Post:
    """One request to a webhook; `seq` is the last event that it reports."""

    seq: int
    kind: str
    url: str
    body: dict[str, Any]
    token: str | None = None


class DeliveryFailed(Exception):
    """A webhook did not accept a request. The message does not contain the address."""


@dataclass(slots=True)
class WebhookDeliveries:
    """Sends what is due. Several workers may do so at once: each run is claimed by one of them."""

    deps: DeliveryDeps
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(RUNS_AT_ONCE))

    async def has_any(self) -> bool:
        """Return whether any run has webhooks."""
        async with read_session(self.deps.sessions) as session:
            return await WebhookRepository(session).has_any()

    async def send_due(self) -> int:
        """Send the next events of every run that has some; return how many runs were served."""
        async with read_session(self.deps.sessions) as session:
            run_ids = await WebhookRepository(session).list_due(now(), RUNS_AT_ONCE * 5)
        return sum(await asyncio.gather(*(self._serve(run_id) for run_id in run_ids)))

    async def delete_finished(self) -> None:
        """Delete the webhooks that nothing more is sent to."""
        async with unit_of_work(self.deps.sessions) as session:
            await WebhookRepository(session).delete_finished(now() - timedelta(days=KEPT_DAYS))

    async def _serve(self, run_id: str) -> bool:
        async with self._slots:
            async with unit_of_work(self.deps.sessions) as session:
                if not await WebhookRepository(session).claim(run_id, now(), now() + CLAIM_TIME):
                    return False
            await self._deliver(run_id)
        return True

    async def _deliver(self, run_id: str) -> None:
        found = await self._read(run_id)
        if found is None:
            return
        row, last_seq, posts = found
        delivered, failure = row.after_seq, None
        try:
            async with asyncio.timeout(BATCH_SECONDS):
                for post in posts:
                    await self._post(run_id, post)
                    delivered = max(delivered, post.seq)
                delivered = last_seq
        except DeliveryFailed as error:
            failure = str(error)
        except TimeoutError:
            failure = None  # the claim is released, and the rest follows
        await self._release(row, delivered, failure)

    async def _read(self, run_id: str) -> tuple[RunWebhookRow, int, list[Post]] | None:
        """Return the webhooks of a run, the number of the last event that was read, and what to send."""
        async with read_session(self.deps.sessions) as session:
            found = await WebhookRepository(session).get_for_worker(run_id)
            if found is None:
                return None
            row, run = found
            start = max(0, row.after_seq - CONTEXT_EVENTS)
            limit = row.after_seq - start + EVENTS_AT_ONCE
            events = await EventService(session, self.deps.mask).list_after(run_id, start, limit)
        # Events can be missing: old ones are deleted, and then nothing is left to send.
        last_seq = events[-1].seq if events and events[-1].seq > row.after_seq else run.last_seq
        try:
            targets = WebhookTargets.model_validate_json(self.deps.cipher.decrypt(row.sealed_targets))
        except SecretUnreadable:
            log.warning("webhook.targets_unreadable", run_id=run_id)
            return row, run.last_seq, []
        return row, last_seq, list_posts(run, targets, row.after_seq, events)

    async def _post(self, run_id: str, post: Post) -> None:
        """Send one request. Raises DeliveryFailed unless the answer is 2xx."""
        body = to_json(post.body)
        headers = {"Content-Type": "application/json", "User-Agent": "crewai-runner"}
        headers |= sign(self.deps.secret, f"{run_id}.{post.seq}.{post.kind}", int(now().timestamp()), body)
        if post.token is not None:
            headers["Authorization"] = f"Bearer {post.token}"
        try:
            async with (
                guarded_client(self.deps.egress, timeout=POST_SECONDS) as client,
                client.stream("POST", post.url, content=body, headers=headers) as response,
            ):
                status = response.status_code
        except httpx.HTTPError as error:
            raise DeliveryFailed(f"{post.kind}: {type(error).__name__}") from error
        except AppError as error:
            raise DeliveryFailed(f"{post.kind}: {error.title}") from error
        if not 200 <= status < 300:
            raise DeliveryFailed(f"{post.kind}: the receiver answered {status}")

    async def _release(self, row: RunWebhookRow, delivered: int, failure: str | None) -> None:
        failures = row.failures if delivered == row.after_seq else 0
        next_at, error = None, None if failure is None else failure[:500]
        if failure is not None:
            failures += 1
            waits = self.deps.retry_seconds
            next_at = now() + timedelta(seconds=waits[min(failures, len(waits)) - 1])
            event = "webhook.gave_up" if failures >= MAX_FAILURES else "webhook.failed"
            log.warning(event, run_id=row.run_id, failures=failures, reason=failure)
        async with unit_of_work(self.deps.sessions) as session:
            await WebhookRepository(session).release(row.run_id, delivered, failures, next_at, error)


def list_posts(run: RunRow, targets: WebhookTargets, after: int, events: Sequence[RunEvent]) -> list[Post]:
    """Return the requests that report the events above `after`, in order."""
    builder = PayloadBuilder(run.id, run.parsed_definition, run.extra)
    posts: list[Post] = []
    waiting: list[dict[str, Any]] = []
    stream = targets.stream
    for event in events:
        builder.observe(event)
        if event.seq <= after:
            continue
        for kind, url, build in (
            ("step", targets.step, builder.build_step),
            ("task", targets.task, builder.build_task),
            ("crew", targets.crew, builder.build_crew),
        ):
            if url is not None and (payload := build(event)) is not None:
                posts.append(Post(event.seq, kind, url, payload))
        if stream is None or (item := builder.build_stream_event(event, stream.events)) is None:
            continue
        if stream.realtime:
            posts.append(Post(event.seq, "events", stream.url, {"events": [item]}, stream.token))
        else:
            waiting.append(item)
    if stream is not None and waiting:
        posts.append(Post(events[-1].seq, "events", stream.url, {"events": waiting}, stream.token))
    return posts
