"""Container that need no engine: streamed chunks, texts, the cast, threads."""

import threading
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest

from crewai_runner.domain.run import RunFailure, RunResult, TaskResult
from crewai_runner.executor.crew.attempt.thread_pool import StepThreadPool
from crewai_runner.executor.crew.build.placeholders import fill_placeholders
from crewai_runner.executor.crew.context.agent_keys import AgentKeyMap
from crewai_runner.executor.crew.context.redaction import Redactor, truncate
from crewai_runner.executor.crew.events.chunk_buffer import ChunkBuffer
from crewai_runner.executor.crew.llm.response import parse_usage
from crewai_runner.executor.port import Completed, Failed, NeedsHuman

SECRET = "sk-very-secret"


def test_chunks_come_together_and_nothing_is_lost() -> None:
    told: list[str] = []
    chunks = ChunkBuffer(told.append)

    for number in range(200):
        chunks.add(f"{number} ")
    chunks.flush()

    assert "".join(told) == "".join(f"{number} " for number in range(200))
    assert told[0] == "0 "
    assert len(told) < 100


async def test_a_pause_in_the_stream_sends_what_has_gathered() -> None:
    import asyncio

    sent = asyncio.Event()
    told: list[str] = []

    def tell(text: str) -> None:
        told.append(text)
        if len(told) == 2:
            sent.set()

    chunks = ChunkBuffer(tell)
    chunks.add("first")
    chunks.add("second")

    await asyncio.wait_for(sent.wait(), 5)
    assert told == ["first", "second"]


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{a} and {b-2}", "one and 2"),
        ("{c}", '{"x": [1]}'),
        ("{empty}!", "!"),
        ("{flag}", "true"),
        ("{A} {a.b} {a!r} {0} {{a}}", "{A} {a.b} {a!r} {0} {one}"),
    ],
)
def test_known_placeholders_are_filled_and_all_else_stays(text: str, filled: str) -> None:
    inputs = {"a": "one", "b-2": 2, "c": {"x": [1]}, "empty": None, "flag": True}

    assert fill_placeholders(text, inputs) == filled


def test_secrets_are_masked_at_every_depth_and_short_words_are_left_alone() -> None:
    redactor = Redactor([SECRET, "none"])

    cleaned = redactor.redact({"a": [f"x {SECRET} y", 3, None], SECRET: "none of it"})

    assert cleaned == {"a": ["x [secret] y", 3, None], "[secret]": "none of it"}


def test_outcomes_are_cleaned_whole() -> None:
    redactor = Redactor([SECRET])
    long = "x" * 300_000 + SECRET

    done = redactor.redact_outcome(Completed(RunResult(raw=long, tasks={"t": TaskResult(raw=SECRET)})))
    failed = redactor.redact_outcome(Failed(RunFailure(code="c", message=SECRET, task_key="t")))
    review = redactor.redact_outcome(NeedsHuman("t", "a", SECRET, {"k": SECRET}))

    assert isinstance(done, Completed)
    assert done.result.raw == "x" * 300_000 + "[secret]"
    assert done.result.tasks["t"].raw == "[secret]"
    assert failed == Failed(RunFailure(code="c", message="[secret]", task_key="t"))
    assert review == NeedsHuman("t", "a", "[secret]", {"k": "[secret]"})


def test_long_texts_say_how_long_they_were() -> None:
    assert truncate("abc", 3) == "abc"
    assert truncate("abcd", 3) == "abc\n[truncated: 4 characters in total]"


def test_the_cast_knows_agents_by_id_and_coworkers_by_role() -> None:
    cast = AgentKeyMap()
    cast.add(SimpleNamespace(id="1", role='Senior  "Data"\nWriter'), "writer")

    assert cast.find("1") == "writer"
    assert cast.find("2") is None
    assert cast.find(None) is None
    assert cast.find_by_role("senior data writer") == "writer"
    assert cast.find_by_role("nobody") == "nobody"


@pytest.mark.parametrize("reported", [None, {}, {"total_tokens": 0}])
def test_what_was_not_reported_is_unknown_not_nothing(reported: dict[str, Any] | None) -> None:
    usage = parse_usage(reported, None)

    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (None, None, None)
    assert (usage.cached_tokens, usage.cost, usage.llm_calls) == (None, None, 1)


def test_usage_is_read_in_the_words_of_other_providers() -> None:
    usage = parse_usage({"input_tokens": 3, "output_tokens": 4, "cache_read_input_tokens": 1}, None)

    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (3, 4, 7)
    assert usage.cached_tokens == 1


def test_a_chain_of_steps_needs_one_thread() -> None:
    steps, gate = StepThreadPool(), threading.Event()
    following: Future[Future[int]] = Future()

    def first() -> int:
        gate.wait(10)
        return threading.get_ident()

    begun = steps.submit(first)
    begun.add_done_callback(lambda _done: following.set_result(steps.submit(threading.get_ident)))
    gate.set()

    assert following.result(10).result(10) == begun.result(10)


def test_steps_run_in_threads_that_hold_up_no_exit() -> None:
    assert StepThreadPool().submit(lambda: threading.current_thread().daemon).result(5)


def test_a_step_that_blocks_holds_no_other_step() -> None:
    steps, gate = StepThreadPool(), threading.Event()
    blocked = [steps.submit(gate.wait, 10) for _ in range(20)]

    assert steps.submit(lambda: "free").result(5) == "free"

    gate.set()
    assert all(future.result(5) for future in blocked)


def test_a_step_that_fails_gives_its_error() -> None:
    def fail() -> None:
        raise SystemExit("over")

    with pytest.raises(SystemExit, match="over"):
        StepThreadPool().submit(fail).result(5)
