"""Kills every process of a deployment under load, then checks the events and model calls of each run."""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.chaos.clients import FINAL_EVENTS, RetryingClient, StreamReader
from tests.chaos.deployment import Deployment
from tests.support.provider.request_log import RecordedRequest
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_process import ApiClient

TASKS = ("one", "two", "three", "four", "five")
WORKFLOW = (
    "name: Chaos\nagents:\n  worker: {role: Worker, goal: Work, backstory: Steady.}\ntasks:\n"
    + "".join(
        f'  {task}: {{description: "Do step {task} for {{who}}.", expected_output: Done, agent: worker}}\n'
        for task in TASKS
    )
    + "inputs:\n  who: {type: string, default: me}\n"
)
REVIEWED = WORKFLOW.replace(
    "expected_output: Done, agent: worker}", "expected_output: Done, agent: worker, human_input: true}", 1
)


@dataclass(frozen=True)
class Kill:
    """Kill `member` `after` seconds after the runs started; restart it `down` seconds later."""

    after: float
    member: str
    down: float


@dataclass
class ObservedRun:
    """A run of the scenario: its input `who`, its expected end, its stream reader and its stored events."""

    who: str
    expected_end: str
    run_id: str
    reader: StreamReader
    events: list[dict[str, Any]] = field(default_factory=list)

    def event_times(self, kind: str) -> list[datetime]:
        return [datetime.fromisoformat(event["at"]) for event in self.events if event["type"] == kind]


@dataclass
class ChaosScenario:
    """The test: `run` raises AssertionError if an event is lost or duplicated or a finished task is repeated.

    `plain`, `stopped` and `reviewed` are numbers of runs: left alone, stopped, and waiting for an approval.
    `baseline` is the number of runs before the kills that measure the delay of events.
    """

    deployment: Deployment
    provider: ScriptedProvider
    provider_url: str
    kills: Sequence[Kill]
    plain: int = 44
    stopped: int = 3
    reviewed: int = 3
    baseline: int = 0
    runs: list[ObservedRun] = field(default_factory=list)
    baseline_lags: list[float] = field(default_factory=list)
    killed_at: dict[str, float] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)

    async def run(self) -> None:
        with ApiClient(self.deployment.urls[0]) as client:
            client.register_provider(self.provider_url)
        self.client = RetryingClient(self.deployment.urls)
        try:
            await self._run_and_check()
        finally:
            await self.client.http.aclose()

    async def _run_and_check(self) -> None:
        await asyncio.gather(*(self._measure_lag(f"baseline-{n:02}") for n in range(self.baseline)))
        start, self.start_time = time.monotonic(), time.time()
        await self._start_runs()
        readers = [asyncio.create_task(observed.reader.follow()) for observed in self.runs]
        self.runs_started = time.monotonic()
        await asyncio.gather(self._kill_members(), self._stop_runs(), self._approve_requests(), *readers)
        self.wall_seconds = time.monotonic() - start
        self.memory = await asyncio.to_thread(self.deployment.memory)
        for observed in self.runs:
            observed.events = (await self.client.get(f"/api/runs/{observed.run_id}/events", limit=1000))[
                "events"
            ]
            run = (await self.client.get(f"/api/runs/{observed.run_id}"))["run"]
            self._check_run(observed, run)

    async def _measure_lag(self, who: str) -> None:
        """Follow one run without kills; records the delay of its events."""
        body = {"workflow": WORKFLOW, "inputs": {"who": who}}
        reader = StreamReader(self.client, (await self.client.post("/api/workflows/start", body))["runId"])
        await reader.follow()
        self.baseline_lags += [lag for _, lag in reader.lags]

    async def _start_runs(self) -> None:
        wanted = ["completed"] * self.plain + ["stopped"] * self.stopped + ["reviewed"] * self.reviewed
        await asyncio.gather(*(self._start_run(f"person-{n:02}", end) for n, end in enumerate(wanted)))

    async def _start_run(self, who: str, end: str) -> None:
        workflow = REVIEWED if end == "reviewed" else WORKFLOW
        body = {"workflow": workflow, "inputs": {"who": who}}
        run_id = (await self.client.post("/api/workflows/start", body))["runId"]
        self.runs.append(ObservedRun(who, end, run_id, StreamReader(self.client, run_id)))

    async def _kill_members(self) -> None:
        for kill in self.kills:
            await asyncio.sleep(max(0.0, self.runs_started + kill.after - time.monotonic()))
            self.killed_at[kill.member] = time.time()
            await asyncio.to_thread(self.deployment.kill, kill.member)
            await asyncio.sleep(kill.down)
            await asyncio.to_thread(self.deployment.restart, kill.member)

    async def _stop_runs(self) -> None:
        """Stop runs between two kills: a stop request is stored, so it survives the processes."""
        await asyncio.sleep(self.kills[0].after + 2.0 if self.kills else 2.0)
        to_stop = [observed for observed in self.runs if observed.expected_end == "stopped"]
        paths = [f"/api/runs/{observed.run_id}/stop" for observed in to_stop]
        await asyncio.gather(*(self.client.post(path, conflict="already stopped") for path in paths))

    async def _approve_requests(self) -> None:
        pending = {observed.run_id for observed in self.runs if observed.expected_end == "reviewed"}
        while pending:
            for approval in (await self.client.get("/api/approvals", status="open"))["approvals"]:
                path = f"/api/approvals/{approval['id']}/resolve"
                await self.client.post(path, {"action": "approve"}, conflict="approved")
                pending.discard(approval["runId"])
            await asyncio.sleep(0.5)

    def _check_run(self, observed: ObservedRun, run: dict[str, Any]) -> None:
        name = f"{observed.who} ({observed.run_id})"
        expected = "stopped" if observed.expected_end == "stopped" else "completed"
        assert run["status"] == expected, f"{name} ended as {run['status']}: {run['error']}"
        seqs = [event["seq"] for event in observed.events]
        assert seqs == list(range(1, len(seqs) + 1)), f"{name}: stored with gaps: {seqs}"
        assert observed.reader.seqs == seqs, f"{name}: received {observed.reader.seqs}, stored {seqs}"
        counts = Counter(event["type"] for event in observed.events)
        assert sum(counts[kind] for kind in FINAL_EVENTS) == 1, f"{name}: {counts}"
        self._check_model_calls(observed, name, counts["run.resumed"])
        if expected == "completed":
            finished = {event["taskKey"] for event in observed.events if event["type"] == "task.completed"}
            assert finished == set(TASKS), f"{name}: only {finished} finished"

    def _check_model_calls(self, observed: ObservedRun, name: str, resumed: int) -> None:
        repeated = 0
        finished = {
            event["taskKey"]: datetime.fromisoformat(event["at"]).timestamp()
            for event in observed.events
            if event["type"] == "task.completed"
        }
        ended = datetime.fromisoformat(observed.events[-1]["at"]).timestamp()
        for task in TASKS:
            calls = self.model_calls(task, observed.who)
            repeated += max(0, len(calls) - 1)
            for call in calls:
                assert request_time(call) <= finished.get(task, ended), (
                    f"{name}: {task} called the model again after it had finished"
                )
        assert repeated <= resumed, f"{name}: {repeated} repeated calls, but only {resumed} resumes"

    def model_calls(self, task: str, who: str) -> list[RecordedRequest]:
        description = f"Do step {task} for {who}."
        return [request for request in self.provider.requests if description in request.last_message]

    def report(self) -> str:
        """Measurements of the scenario, one per line."""
        lags = sorted(self.baseline_lags)
        durations = sorted(self.client.durations)
        lines = [
            f"runs {len(self.runs)}, all ended as expected in {self.wall_seconds:.1f} s",
            f"model calls {len(self.provider.requests)}, {self._count_repeated_calls()} repeated",
            f"events {sum(len(observed.events) for observed in self.runs)}, no gaps",
            f"broken and resumed streams {sum(observed.reader.disconnects for observed in self.runs)}",
            f"requests {len(durations)}, maximum {durations[-1]:.2f} s",
        ]
        if lags:
            lines.append(
                f"event delay without kills ({self.baseline} runs): "
                f"p50 {statistics.median(lags) * 1000:.0f} ms, "
                f"p99 {lags[int(len(lags) * 0.99)] * 1000:.0f} ms ({len(lags)} events)"
            )
        starts = sorted(
            moment.timestamp() for observed in self.runs for moment in observed.event_times("run.started")
        )
        lines.append(
            f"run.started after {starts[0] - self.start_time:.1f} to {starts[-1] - self.start_time:.1f} s"
        )
        lines += [
            f"{member} at {when - self.start_time:.1f} s: {self._describe_recovery(when)}"
            for member, when in self.killed_at.items()
        ]
        lines += [f"{member}: {size / 1e6:.0f} MB resident" for member, size in self.memory.items()]
        return "\n".join(lines)

    def _count_repeated_calls(self) -> int:
        return sum(
            max(0, len(self.model_calls(task, observed.who)) - 1) for observed in self.runs for task in TASKS
        )

    def _describe_recovery(self, killed_at: float) -> str:
        """Seconds from the kill until the runs of the killed worker resumed."""
        later_kills = [when for when in self.killed_at.values() if when > killed_at]
        end = min(later_kills, default=float("inf"))
        delays = [
            moment.timestamp() - killed_at
            for observed in self.runs
            for moment in observed.event_times("run.resumed")
            if killed_at < moment.timestamp() < end and observed.expected_end != "reviewed"
        ]
        if not delays:
            return "no run had to be resumed before the next kill"
        return f"{len(delays)} runs resumed {min(delays):.1f} to {max(delays):.1f} s after the kill"


def request_time(call: RecordedRequest) -> float:
    """The Unix time at which a call reached the provider."""
    return call.started + time.time() - time.monotonic()
