"""Fifty runs at work while every process is killed in turn; then each run's story is judged."""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.storm.crowd import FINAL_EVENTS, Caller, Reader
from tests.storm.fleet import Fleet
from tests.support.provider.request_log import RecordedRequest
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_process import ApiClient

TASKS = ("one", "two", "three", "four", "five")
WORKFLOW = (
    "name: Storm\nagents:\n  worker: {role: Worker, goal: Work, backstory: Steady.}\ntasks:\n"
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
class Blow:
    """`member` is killed so many seconds after the runs are at work, and comes back `down` seconds later."""

    after: float
    member: str
    down: float


@dataclass
class Fate:
    """One run of the storm: whom it is for, how it should end, and what was told of it."""

    who: str
    ends_as: str
    run_id: str
    reader: Reader
    events: list[dict[str, Any]] = field(default_factory=list)

    def moments(self, kind: str) -> list[datetime]:
        return [datetime.fromisoformat(event["at"]) for event in self.events if event["type"] == kind]


@dataclass
class Storm:
    """The whole test; `run` raises AssertionError when something was lost, doubled or paid twice."""

    fleet: Fleet
    provider: ScriptedProvider
    provider_url: str
    blows: Sequence[Blow]
    plain: int = 44
    stopped: int = 3
    reviewed: int = 3
    quiet: int = 0
    fates: list[Fate] = field(default_factory=list)
    quiet_lags: list[float] = field(default_factory=list)
    struck: dict[str, float] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)

    async def run(self) -> None:
        with ApiClient(self.fleet.urls[0]) as client:
            client.register_provider(self.provider_url)
        self.caller = Caller(self.fleet.urls)
        await asyncio.gather(*(self._watch(f"quiet-{n:02}") for n in range(self.quiet)))
        began, self.zero = time.monotonic(), time.time()
        await self._start_all()
        following = [asyncio.create_task(fate.reader.follow()) for fate in self.fates]
        self.at_work = time.monotonic()
        await asyncio.gather(self._strike(), self._stop_some(), self._answer_some(), *following)
        self.wall = time.monotonic() - began
        self.memory = await asyncio.to_thread(self.fleet.memory)
        for fate in self.fates:
            fate.events = (await self.caller.get(f"/api/runs/{fate.run_id}/events", limit=1000))["events"]
            run = (await self.caller.get(f"/api/runs/{fate.run_id}"))["run"]
            self._judge(fate, run)
        await self.caller.http.aclose()

    async def _watch(self, who: str) -> None:
        """One run from its start to its end, in peace: how fast its events come."""
        body = {"workflow": WORKFLOW, "inputs": {"who": who}}
        reader = Reader(self.caller, (await self.caller.post("/api/workflows/start", body))["runId"])
        await reader.follow()
        self.quiet_lags += [lag for _, lag in reader.lags]

    async def _start_all(self) -> None:
        wanted = ["completed"] * self.plain + ["stopped"] * self.stopped + ["reviewed"] * self.reviewed
        await asyncio.gather(*(self._start(f"person-{n:02}", end) for n, end in enumerate(wanted)))

    async def _start(self, who: str, end: str) -> None:
        workflow = REVIEWED if end == "reviewed" else WORKFLOW
        body = {"workflow": workflow, "inputs": {"who": who}}
        run_id = (await self.caller.post("/api/workflows/start", body))["runId"]
        self.fates.append(Fate(who, end, run_id, Reader(self.caller, run_id)))

    async def _strike(self) -> None:
        for blow in self.blows:
            await asyncio.sleep(max(0.0, self.at_work + blow.after - time.monotonic()))
            self.struck[blow.member] = time.time()
            await asyncio.to_thread(self.fleet.kill, blow.member)
            await asyncio.sleep(blow.down)
            await asyncio.to_thread(self.fleet.revive, blow.member)

    async def _stop_some(self) -> None:
        """In mid-storm: a stop is a row, so no process has to be alive to remember it."""
        await asyncio.sleep(self.blows[0].after + 2.0 if self.blows else 2.0)
        to_stop = [fate for fate in self.fates if fate.ends_as == "stopped"]
        paths = [f"/api/runs/{fate.run_id}/stop" for fate in to_stop]
        await asyncio.gather(*(self.caller.post(path, once="already stopped") for path in paths))

    async def _answer_some(self) -> None:
        left = {fate.run_id for fate in self.fates if fate.ends_as == "reviewed"}
        while left:
            for approval in (await self.caller.get("/api/approvals", status="open"))["approvals"]:
                path = f"/api/approvals/{approval['id']}/resolve"
                await self.caller.post(path, {"action": "approve"}, once="approved")
                left.discard(approval["runId"])
            await asyncio.sleep(0.5)

    def _judge(self, fate: Fate, run: dict[str, Any]) -> None:
        name = f"{fate.who} ({fate.run_id})"
        expected = "stopped" if fate.ends_as == "stopped" else "completed"
        assert run["status"] == expected, f"{name} ended as {run['status']}: {run['error']}"
        seqs = [event["seq"] for event in fate.events]
        assert seqs == list(range(1, len(seqs) + 1)), f"{name}: stored with gaps: {seqs}"
        assert fate.reader.seqs == seqs, f"{name}: told {fate.reader.seqs}, stored {seqs}"
        kinds = Counter(event["type"] for event in fate.events)
        assert sum(kinds[kind] for kind in FINAL_EVENTS) == 1, f"{name}: {kinds}"
        self._judge_payments(fate, name, kinds["run.resumed"])
        if expected == "completed":
            finished = {event["taskKey"] for event in fate.events if event["type"] == "task.completed"}
            assert finished == set(TASKS), f"{name}: only {finished} finished"

    def _judge_payments(self, fate: Fate, name: str, resumed: int) -> None:
        repeated = 0
        finished = {
            event["taskKey"]: datetime.fromisoformat(event["at"]).timestamp()
            for event in fate.events
            if event["type"] == "task.completed"
        }
        ended = datetime.fromisoformat(fate.events[-1]["at"]).timestamp()
        for task in TASKS:
            calls = self.calls(task, fate.who)
            repeated += max(0, len(calls) - 1)
            for call in calls:
                asked = started_at(call)
                assert asked <= finished.get(task, ended), f"{name}: {task} was asked again when finished"
        assert repeated <= resumed, f"{name}: {repeated} calls repeated, but resumed {resumed} times only"

    def calls(self, task: str, who: str) -> list[RecordedRequest]:
        words = f"Do step {task} for {who}."
        return [request for request in self.provider.requests if words in request.last_message]

    def report(self) -> str:
        """Figures of the storm, a line each."""
        lags = sorted(self.quiet_lags)
        stalls = sorted(self.caller.stalls)
        lines = [
            f"runs {len(self.fates)}, all ended as they should in {self.wall:.1f} s",
            f"model calls {len(self.provider.requests)}, of which repeated {self._repeated()}",
            f"events {sum(len(fate.events) for fate in self.fates)}, no gap",
            f"streams broken and resumed {sum(fate.reader.losses for fate in self.fates)}",
            f"requests {len(stalls)}, the longest took {stalls[-1]:.2f} s",
        ]
        if lags:
            lines.append(
                f"event to reader, {self.quiet} runs in peace: p50 {statistics.median(lags) * 1000:.0f} ms, "
                f"p99 {lags[int(len(lags) * 0.99)] * 1000:.0f} ms ({len(lags)} events)"
            )
        starts = sorted(moment.timestamp() for fate in self.fates for moment in fate.moments("run.started"))
        lines.append(
            f"at work after the first request: {starts[0] - self.zero:.1f} to {starts[-1] - self.zero:.1f} s"
        )
        lines += [
            f"{member} at {when - self.zero:.1f} s: {self._recovery(when)}"
            for member, when in self.struck.items()
        ]
        lines += [f"{member}: {size / 1e6:.0f} MB resident" for member, size in self.memory.items()]
        return "\n".join(lines)

    def _repeated(self) -> int:
        return sum(max(0, len(self.calls(task, fate.who)) - 1) for fate in self.fates for task in TASKS)

    def _recovery(self, struck: float) -> str:
        """How long the runs that lost their worker stood still."""
        later = [when for when in self.struck.values() if when > struck]
        end = min(later, default=float("inf"))
        took = [
            moment.timestamp() - struck
            for fate in self.fates
            for moment in fate.moments("run.resumed")
            if struck < moment.timestamp() < end and fate.ends_as != "reviewed"
        ]
        if not took:
            return "killed; no run had to be taken over before the next blow"
        return f"killed; {len(took)} runs taken over {min(took):.1f} to {max(took):.1f} s later"


def started_at(call: RecordedRequest) -> float:
    """The Unix time at which a call reached the provider."""
    return call.started + time.time() - time.monotonic()
