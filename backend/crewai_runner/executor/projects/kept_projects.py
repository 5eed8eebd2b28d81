"""The projects of this worker whose processes wait for a person, while their runs occupy no slot."""

import asyncio
from dataclasses import dataclass

from crewai_runner.core.logging import get_logger
from crewai_runner.executor.port import RunSpec
from crewai_runner.executor.projects.run_link import RunLink

log = get_logger(__name__)
MAX_KEPT = 4
KEEP_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class KeepLimits:
    """How many processes wait for persons at most, and how long each. Others are ended.

    The run of an ended process still waits: after the answer its code starts from its beginning.
    """

    processes: int = MAX_KEPT
    seconds: float = KEEP_SECONDS


class KeptProjects:
    """Keeps waiting projects until they continue, end, or exceed a limit."""

    def __init__(self, limits: KeepLimits) -> None:
        self._limits = limits
        self._watches: dict[str, asyncio.Task[None]] = {}
        self._links: dict[str, RunLink] = {}

    def keep(self, link: RunLink) -> None:
        """Keep a project that waits for a person; the one that has waited longest may have to end."""
        self._links[link.run_id] = link
        self._watches[link.run_id] = asyncio.create_task(self._watch(link), name=f"keep-{link.run_id}")
        if len(self._links) > self._limits.processes:
            oldest = next(iter(self._links))
            log.info("projects.waiting_process_ended", run_id=oldest, reason="too many processes wait")
            self._end_soon(self._links[oldest])

    def take(self, spec: RunSpec) -> RunLink | None:
        """Return the project of this run, which is not kept any more; None if there is none."""
        link, watch = self._links.pop(spec.run_id, None), self._watches.pop(spec.run_id, None)
        if watch is not None:
            watch.cancel()
        return link

    async def close(self) -> None:
        """End all kept projects."""
        links = list(self._links.values())
        for watch in self._watches.values():
            watch.cancel()
        self._links.clear()
        self._watches.clear()
        await asyncio.gather(*(link.end() for link in links))

    async def _watch(self, link: RunLink) -> None:
        """End the project as soon as its run does not wait for it any more, or has waited too long."""
        try:
            async with asyncio.timeout(self._limits.seconds):
                await link.code.progress.wait_until_unneeded()
        except TimeoutError:
            log.info("projects.waiting_process_ended", run_id=link.run_id, reason="it waited too long")
        except Exception:
            log.exception("projects.waiting_process_not_watched", run_id=link.run_id)
        self._links.pop(link.run_id, None)
        self._watches.pop(link.run_id, None)
        await asyncio.shield(link.end())

    def _end_soon(self, link: RunLink) -> None:
        """End a project in the task that watches it."""
        self._links.pop(link.run_id, None)
        watch = self._watches.pop(link.run_id, None)
        if watch is not None:
            watch.cancel()
        self._watches[f"{link.run_id}/end"] = ending = asyncio.create_task(link.end())
        ending.add_done_callback(lambda _: self._watches.pop(f"{link.run_id}/end", None))
