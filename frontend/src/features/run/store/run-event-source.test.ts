import * as fc from "fast-check";
import { http, HttpResponse } from "msw";
import { afterEach, expect, it, vi } from "vitest";

import { server } from "@/testing/server";

import {
  begun,
  call,
  completed,
  failedCall,
  snapshot,
  task,
  told,
  tool,
  used,
} from "../testing/event-fixtures";
import { follow, readStory } from "./run-event-source";
import { RunStore } from "./run-store";
import type { Frame, Span } from "./span";

afterEach(() => vi.useRealTimers());

const bytes = new TextEncoder();

function encoded(frame: Frame): string {
  const id =
    "seq" in frame && frame.seq > 0 && frame.type !== "run.snapshot" ? `id: ${frame.seq}\n` : "";
  return `${id}event: ${frame.type}\ndata: ${JSON.stringify(frame)}\n\n`;
}

/** A server that tells the story from where it is asked to, and breaks off at each of the cuts. */
function serve(frames: readonly Frame[], cuts: number[], size: number): void {
  const rest = [...cuts];
  vi.stubGlobal("fetch", (request: Request) => {
    const after = Number(request.headers.get("Last-Event-ID") ?? 0);
    const from = after === 0 ? 0 : frames.findIndex((one) => "seq" in one && one.seq === after) + 1;
    const last = frames.findLast((one) => one.type !== "llm.chunk");
    const first = snapshot(last && "seq" in last ? last.seq : 0);
    const whole = bytes.encode([first, ...frames.slice(from)].map(encoded).join(""));
    const cut = rest.shift();
    const sent = cut === undefined ? whole : whole.slice(0, cut % whole.length);
    return Promise.resolve(new Response(inPieces(sent, size, cut !== undefined && cut % 2 === 0)));
  });
}

function inPieces(sent: Uint8Array, size: number, broken: boolean): ReadableStream {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at < sent.length) controller.enqueue(sent.slice(at, (at += size)));
      else if (broken) controller.error(new TypeError("network"));
      else controller.close();
    },
  });
}

async function storyThrough(frames: readonly Frame[], cuts: number[], size: number) {
  serve(frames, cuts, size);
  const store = new RunStore("run_1");
  const stop = follow(store);
  for (let turns = 0; turns < 200 && store.getNow().connection !== "ended"; turns += 1) {
    await vi.advanceTimersByTimeAsync(1_000);
  }
  const { connection } = store.getNow();
  stop();
  store.flush();
  return { connection, spans: [...store.spans()] as Span[], usage: store.getNow().usage };
}

const step = fc.constantFrom("call", "tool", "bad tool", "bad call");
const story = fc
  .array(fc.array(step, { maxLength: 4 }), { minLength: 1, maxLength: 3 })
  .map((tasks) => {
    let made = 0;
    const events = tasks.flatMap((steps, index) =>
      task(`task${index}`, `agent${index}`, (where) =>
        steps.flatMap((one) => {
          const id = `x${(made += 1)}`;
          if (one === "call") return call(id, where, { pieces: ["Bées ", "hum", "…"] });
          if (one === "bad call") return failedCall(id, where);
          return tool(id, where, one === "tool" ? undefined : "no network");
        }),
      ),
    );
    return told([...begun, ...events, completed(used(3))]);
  });

it("tells the same story however often the stream is cut", async () => {
  vi.useFakeTimers();
  await fc.assert(
    fc.asyncProperty(
      story,
      fc.array(fc.nat(20_000), { maxLength: 5 }),
      fc.integer({ min: 1, max: 600 }),
      async (frames, cuts, size) => {
        const whole = await storyThrough(frames, [], 100_000);
        const cut = await storyThrough(frames, cuts, size);

        expect(whole.connection).toBe("ended");
        expect(cut).toEqual(whole);
      },
    ),
    { numRuns: 40 },
  );
}, 60_000);

it("reads the story of a run that is over page by page", async () => {
  const events = told([
    ...begun,
    ...task("draft", "writer", (where) => call("c1", where)),
    completed(used(3)),
  ]);
  const asked: string[] = [];
  server.use(
    http.get("*/api/v1/runs/run_1/events", ({ request }) => {
      const after = Number(new URL(request.url).searchParams.get("after"));
      asked.push(String(after));
      return HttpResponse.json({ events: events.slice(after, after + 4), lastSeq: events.length });
    }),
  );
  const store = new RunStore("run_1", { status: "completed", lastSeq: events.length });
  readStory(store);

  await vi.waitFor(() => expect(store.getNow().connection).toBe("ended"));
  expect(asked).toEqual(["0", "4", "8"]);
  expect(store.getSpan("llm:c1")?.state).toBe("ok");
  expect(store.getNow()).toMatchObject({ complete: true, status: "completed" });
});

it("says why a story could not be read", async () => {
  server.use(
    http.get("*/api/v1/runs/run_1/events", () =>
      HttpResponse.json({ title: "No", status: 500 }, { status: 500 }),
    ),
  );
  const store = new RunStore("run_1", { status: "completed" });
  readStory(store);

  await vi.waitFor(() => expect(store.getNow().connection).toBe("failed"));
  expect(store.getNow().problem).toMatchObject({ status: 500 });
});
