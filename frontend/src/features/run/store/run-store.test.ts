import { act, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { begun, call, framesOf, task } from "../testing/event-fixtures";
import { useRunStore, useSpan } from "./use-span";
import { RunStore } from "./run-store";

let frames: (() => void)[] = [];

beforeEach(() => {
  frames = [];
  vi.stubGlobal("requestAnimationFrame", (draw: () => void) => frames.push(draw));
  vi.stubGlobal("cancelAnimationFrame", () => {});
});
afterEach(() => vi.useRealTimers());

function nextFrame(): void {
  const due = frames;
  frames = [];
  for (const draw of due) draw();
}

const story = framesOf(
  begun,
  task("draft", "writer", (where) => call("c1", where, { pieces: ["a", "b", "c"] })),
);

it("tells once a frame, however much comes in", () => {
  const store = new RunStore("run_1");
  const heard = vi.fn();
  store.subscribe(heard);

  for (const frame of story) store.take([frame]);
  expect(heard).not.toHaveBeenCalled();
  nextFrame();
  expect(heard).toHaveBeenCalledTimes(1);

  store.take(story);
  nextFrame();
  expect(heard).toHaveBeenCalledTimes(1);
});

it("tells only those who look at what has changed", () => {
  const store = new RunStore("run_1");
  const [, , ...rest] = story;
  store.take(story.slice(0, 6));
  nextFrame();
  const agent = vi.fn();
  const model = vi.fn();
  store.subscribeSpan("agent:4", agent);
  store.subscribeSpan("llm:c1", model);

  store.take(rest.slice(4, 5));
  nextFrame();

  expect(model).toHaveBeenCalledTimes(1);
  expect(agent).not.toHaveBeenCalled();
});

it("is drawn in a page in the back too, only less often", () => {
  vi.useFakeTimers();
  vi.spyOn(document, "hidden", "get").mockReturnValue(true);
  const store = new RunStore("run_1");
  store.take(story);
  expect(frames).toHaveLength(0);

  vi.advanceTimersByTime(250);
  expect(store.getSpan("llm:c1")?.output).toBe("abc");
});

it("draws a component again only when its part changes", () => {
  const store = new RunStore("run_1");
  let drawn = 0;
  const { result } = renderHook(() => {
    drawn += 1;
    return useRunStore(store, (now) => now.status);
  });
  act(() => {
    store.take(story.slice(0, 2));
    nextFrame();
  });
  expect(result.current).toBe("running");
  const before = drawn;
  act(() => {
    store.take(story.slice(2));
    nextFrame();
  });
  expect(drawn).toBe(before);
});

it("gives a component the span it looks at", () => {
  const store = new RunStore("run_1");
  const { result, rerender } = renderHook(({ id }: { id: string | null }) => useSpan(store, id), {
    initialProps: { id: "llm:c1" as string | null },
  });
  expect(result.current).toBeUndefined();
  act(() => {
    store.take(story);
    nextFrame();
  });
  expect(result.current?.output).toBe("abc");
  rerender({ id: null });
  expect(result.current).toBeUndefined();
});
