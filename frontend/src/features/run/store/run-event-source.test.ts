import * as fc from "fast-check";
import { http, HttpResponse } from "msw";
import { afterEach, describe, expect, it, vi } from "vitest";

import { server } from "@/testing/server";

import {
  failedLlmCall,
  llmCall,
  numberEvents,
  RUN_STARTED,
  runCompleted,
  snapshot,
  taskEvents,
  toolCall,
  usageOf,
} from "../testing/event-fixtures";

import { followRun, loadRunEvents } from "./run-event-source";
import { RunStore } from "./run-store";
import type { Span, StreamFrame } from "./span";

afterEach(() => vi.useRealTimers());

const encoder = new TextEncoder();

function encode(frame: StreamFrame): string {
  const id =
    "seq" in frame && frame.seq > 0 && frame.type !== "run.snapshot" ? `id: ${frame.seq}\n` : "";
  return `${id}event: ${frame.type}\ndata: ${JSON.stringify(frame)}\n\n`;
}

/**
 * Stubs a server that resumes after `Last-Event-ID`; the n-th response ends after `cuts[n]` bytes.
 */
function stubStream(frames: readonly StreamFrame[], cuts: number[], chunkSize: number): void {
  const remainingCuts = [...cuts];
  vi.stubGlobal("fetch", (request: Request) => {
    const after = Number(request.headers.get("Last-Event-ID") ?? 0);
    const from =
      after === 0 ? 0 : frames.findIndex((frame) => "seq" in frame && frame.seq === after) + 1;
    const last = frames.findLast((frame) => frame.type !== "llm.chunk");
    const first = snapshot(last && "seq" in last ? last.seq : 0);
    const bytes = encoder.encode([first, ...frames.slice(from)].map(encode).join(""));
    const cut = remainingCuts.shift();
    const sent = cut === undefined ? bytes : bytes.slice(0, cut % bytes.length);
    const endsWithError = cut !== undefined && cut % 2 === 0;
    return Promise.resolve(new Response(streamOf(sent, chunkSize, endsWithError)));
  });
}

function streamOf(bytes: Uint8Array, chunkSize: number, endsWithError: boolean): ReadableStream {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at < bytes.length) controller.enqueue(bytes.slice(at, (at += chunkSize)));
      else if (endsWithError) controller.error(new TypeError("network"));
      else controller.close();
    },
  });
}

async function followToEnd(frames: readonly StreamFrame[], cuts: number[], chunkSize: number) {
  stubStream(frames, cuts, chunkSize);
  const store = new RunStore("run_1");
  const stop = followRun(store);
  for (let tries = 0; tries < 200 && store.state.getState().connection !== "ended"; tries += 1) {
    await vi.advanceTimersByTimeAsync(1_000);
  }
  const { connection } = store.state.getState();
  stop();
  store.flush();
  return { connection, spans: [...store.spans()] as Span[], usage: store.state.getState().usage };
}

const step = fc.constantFrom("call", "tool", "failed tool", "failed call");
const runs = fc
  .array(fc.array(step, { maxLength: 4 }), { minLength: 1, maxLength: 3 })
  .map((tasks) => {
    let steps = 0;
    const events = tasks.flatMap((kinds, index) =>
      taskEvents(`task${index}`, `agent${index}`, (context) =>
        kinds.flatMap((kind) => {
          const id = `x${(steps += 1)}`;
          if (kind === "call") return llmCall(id, context, { chunks: ["Bées ", "hum", "…"] });
          if (kind === "failed call") return failedLlmCall(id, context);
          return toolCall(id, context, kind === "tool" ? undefined : "no network");
        }),
      ),
    );
    return numberEvents([...RUN_STARTED, ...events, runCompleted(usageOf(3))]);
  });

describe("followRun", () => {
  it("ends with the same spans however often the stream is interrupted", async () => {
    vi.useFakeTimers();
    await fc.assert(
      fc.asyncProperty(
        runs,
        fc.array(fc.nat(20_000), { maxLength: 5 }),
        fc.integer({ min: 1, max: 600 }),
        async (frames, cuts, chunkSize) => {
          const uninterrupted = await followToEnd(frames, [], 100_000);
          const interrupted = await followToEnd(frames, cuts, chunkSize);

          expect(uninterrupted.connection).toBe("ended");
          expect(interrupted).toEqual(uninterrupted);
        },
      ),
      { numRuns: 40 },
    );
  }, 60_000);
});

describe("loadRunEvents", () => {
  it("loads the events of an ended run page by page", async () => {
    const events = numberEvents([
      ...RUN_STARTED,
      ...taskEvents("draft", "writer", (context) => llmCall("c1", context)),
      runCompleted(usageOf(3)),
    ]);
    const requested: string[] = [];
    server.use(
      http.get("*/api/v1/runs/run_1/events", ({ request }) => {
        const after = Number(new URL(request.url).searchParams.get("after"));
        requested.push(String(after));
        return HttpResponse.json({
          events: events.slice(after, after + 4),
          lastSeq: events.length,
        });
      }),
    );
    const store = new RunStore("run_1", { status: "completed", lastSeq: events.length });
    loadRunEvents(store);

    await vi.waitFor(() => expect(store.state.getState().connection).toBe("ended"));
    expect(requested).toEqual(["0", "4", "8"]);
    expect(store.getSpan("llm:c1")?.state).toBe("ok");
    expect(store.state.getState()).toMatchObject({ isComplete: true, status: "completed" });
  });

  it("reports why loading failed", async () => {
    server.use(
      http.get("*/api/v1/runs/run_1/events", () =>
        HttpResponse.json({ title: "No", status: 500 }, { status: 500 }),
      ),
    );
    const store = new RunStore("run_1", { status: "completed" });
    loadRunEvents(store);

    await vi.waitFor(() => expect(store.state.getState().connection).toBe("failed"));
    expect(store.state.getState().loadError).toMatchObject({ status: 500 });
  });
});
