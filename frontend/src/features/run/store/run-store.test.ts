import { act, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { useStore } from "zustand";

import {
  llmCall,
  numberEvents,
  RUN_STARTED,
  snapshot,
  taskEvents,
  toFrames,
  usageOf,
} from "../testing/event-fixtures";
import { sampleTask } from "../testing/run-fixtures";

import { RunStore } from "./run-store";
import type { RunSnapshot } from "./span";
import { useSpan } from "./use-span";

let animationFrames: (() => void)[] = [];

beforeEach(() => {
  animationFrames = [];
  vi.stubGlobal("requestAnimationFrame", (draw: () => void) => animationFrames.push(draw));
  vi.stubGlobal("cancelAnimationFrame", () => {});
});
afterEach(() => vi.useRealTimers());

function nextFrame(): void {
  const callbacks = animationFrames;
  animationFrames = [];
  for (const callback of callbacks) callback();
}

const frames = toFrames(
  RUN_STARTED,
  taskEvents("draft", "writer", (context) => llmCall("c1", context, { chunks: ["a", "b", "c"] })),
);

describe("RunStore", () => {
  it("notifies at most once per animation frame, and not for known events", () => {
    const store = new RunStore("run_1");
    const listener = vi.fn();
    store.state.subscribe(listener);

    for (const frame of frames) store.apply([frame]);
    expect(listener).not.toHaveBeenCalled();
    nextFrame();
    expect(listener).toHaveBeenCalledTimes(1);

    store.apply(frames);
    nextFrame();
    expect(listener).toHaveBeenCalledTimes(1);
  });

  it("publishes changes less often while the page is hidden", () => {
    vi.useFakeTimers();
    vi.spyOn(document, "hidden", "get").mockReturnValue(true);
    const store = new RunStore("run_1");
    store.apply(frames);
    expect(animationFrames).toHaveLength(0);

    vi.advanceTimersByTime(250);
    expect(store.getSpan("llm:c1")?.output).toBe("abc");
  });

  it("rerenders a component only when the selected part of the state changes", () => {
    const store = new RunStore("run_1");
    let renders = 0;
    const { result } = renderHook(() => {
      renders += 1;
      return useStore(store.state, (state) => state.status);
    });
    act(() => {
      store.apply(frames.slice(0, 2));
      nextFrame();
    });
    expect(result.current).toBe("running");
    const before = renders;
    act(() => {
      store.apply(frames.slice(2));
      nextFrame();
    });
    expect(renders).toBe(before);
  });
});

describe("a run whose events were deleted", () => {
  const deletedAt = "2026-11-22T12:00:00Z";
  const task = sampleTask({ key: "draft", agent: "writer" });
  const usage = usageOf(50);
  const ended: RunSnapshot = {
    ...snapshot(40),
    data: { status: "completed", tasks: [task], usage, eventsDeletedAt: deletedAt },
  };

  it("is complete after the snapshot, with its tasks and totals", () => {
    const tasks = [{ key: "draft", agent: "writer" }];
    const store = new RunStore("run_1", { status: "completed", lastSeq: 40, tasks });
    store.apply([ended]);
    store.setConnection("ended");
    store.flush();

    expect(store.hasEnded).toBe(true);
    expect(store.state.getState()).toMatchObject({ isComplete: true, status: "completed", usage });
    expect(store.state.getState().tasks.get("draft")?.state).toBe("completed");
    expect(store.getSpan("task:draft")).toMatchObject({ state: "ok", output: "Bees fly." });
  });

  it("keeps the totals of a resumed run once its new events are there", () => {
    const store = new RunStore("run_1", { status: "running", lastSeq: 41 });
    const data = { ...ended.data, status: "running" as const };
    store.apply([{ ...ended, seq: 41, data }, ...numberEvents([{ type: "run.resumed" }], 41)]);
    store.flush();

    expect(store.state.getState()).toMatchObject({ status: "running", usage });
    expect(store.hasEnded).toBe(false);
  });
});

describe("useSpan", () => {
  it("rerenders only the components whose span has changed", () => {
    const store = new RunStore("run_1");
    store.apply(frames.slice(0, 6));
    nextFrame();
    const renders = { agent: 0, llm: 0 };
    renderHook(() => {
      renders.agent += 1;
      return useSpan(store, "agent:4");
    });
    renderHook(() => {
      renders.llm += 1;
      return useSpan(store, "llm:c1");
    });

    act(() => {
      store.apply(frames.slice(6, 7));
      nextFrame();
    });

    expect(renders).toEqual({ agent: 1, llm: 2 });
  });

  it("returns the span with the given id", () => {
    const store = new RunStore("run_1");
    const { result, rerender } = renderHook(({ id }: { id: string | null }) => useSpan(store, id), {
      initialProps: { id: "llm:c1" as string | null },
    });
    expect(result.current).toBeUndefined();
    act(() => {
      store.apply(frames);
      nextFrame();
    });
    expect(result.current?.output).toBe("abc");
    rerender({ id: null });
    expect(result.current).toBeUndefined();
  });
});
