import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { EventStream, type StreamState } from "./event-stream";

interface Wire {
  /** The number after which each connection was asked to begin. */
  asked: string[];
  states: StreamState[];
  messages: string[];
  stream: EventStream;
}

type Answer = (signal: AbortSignal) => Response | Promise<Response>;

const bytes = new TextEncoder();
let hidden = false;

/** A stream to a server that gives these answers, one for each connection; the last one for all others. */
function connectTo(answers: Answer[], isOver = () => false): Wire {
  const wire: Omit<Wire, "stream"> = { asked: [], states: [], messages: [] };
  let lastId = "";
  vi.stubGlobal("fetch", (request: Request) => {
    wire.asked.push(request.headers.get("Last-Event-ID") ?? "");
    const answer = answers[Math.min(wire.asked.length, answers.length) - 1];
    if (!answer) throw new TypeError("no answer");
    return Promise.resolve(answer(request.signal));
  });
  const stream = new EventStream({
    url: "/api/v1/runs/run_1/stream",
    lastId: () => lastId,
    onMessage: ({ id, data }) => {
      if (id) lastId = id;
      wire.messages.push(data);
    },
    onState: (state) => wire.states.push(state),
    isOver,
  });
  stream.open();
  return { ...wire, stream };
}

/** Sends the text and closes; or stays open when `open`. */
const says =
  (text: string, open = false): Answer =>
  (signal) =>
    new Response(
      new ReadableStream({
        start(controller) {
          if (text) controller.enqueue(bytes.encode(text));
          if (!open) controller.close();
          signal.addEventListener("abort", () => {
            if (open) controller.error(new DOMException("aborted", "AbortError"));
          });
        },
      }),
      { headers: { "Content-Type": "text/event-stream" } },
    );

const refuses =
  (status: number, headers: Record<string, string> = {}): Answer =>
  () =>
    new Response("{}", { status, headers });

const breaks: Answer = () => Promise.reject(new TypeError("network"));

function hide(value: boolean): void {
  hidden = value;
  document.dispatchEvent(new Event("visibilitychange"));
}

const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(1);
  vi.spyOn(document, "hidden", "get").mockImplementation(() => hidden);
});

afterEach(() => {
  hidden = false;
  vi.useRealTimers();
});

describe("an event stream", () => {
  it("begins again after the last event it took in", async () => {
    const wire = connectTo([says("id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\nda"), says("", true)]);
    await pass(600);

    expect(wire.messages).toEqual(["a", "b"]);
    expect(wire.asked).toEqual(["", "2"]);
    wire.stream.close();
  });

  it("waits longer after each failure, as long as the server asked at first", async () => {
    const wire = connectTo([says("retry: 1000\n\n"), breaks]);
    await pass(999);
    expect(wire.asked).toHaveLength(1);
    await pass(1);
    expect(wire.asked).toHaveLength(2);
    await pass(2000);
    expect(wire.asked).toHaveLength(3);
    await pass(3999);
    expect(wire.asked).toHaveLength(3);
    await pass(1);
    expect(wire.asked).toHaveLength(4);
    wire.stream.close();
  });

  it("says that it reconnects only when the break lasts", async () => {
    const brief = connectTo([says(": hello\n\n"), says("", true)]);
    await pass(5000);
    expect(brief.states).toEqual(["connecting", "live"]);
    brief.stream.close();

    const long = connectTo([says(": hello\n\n"), breaks]);
    await pass(1990);
    expect(long.states).toEqual(["connecting", "live"]);
    await pass(20);
    expect(long.states).toEqual(["connecting", "live", "reconnecting"]);
    long.stream.close();
  });

  it("gives a silent connection up after 45 seconds", async () => {
    const wire = connectTo([says("id: 4\ndata: a\n\n", true), says(": hello\n\n", true)]);
    await pass(44_900);
    expect(wire.asked).toHaveLength(1);
    await pass(1_000);
    expect(wire.asked).toEqual(["", "4"]);
    wire.stream.close();
  });

  it("says so when nothing is heard for a minute, and takes it back", async () => {
    const wire = connectTo([says(": hello\n\n"), ...Array.from({ length: 7 }, () => breaks)]);
    await pass(61_000);
    expect(wire.states.at(-1)).toBe("stalled");
    wire.stream.close();
  });

  it("ends when the story is over, and gives up what is not there", async () => {
    const over = connectTo([says("id: 1\ndata: end\n\n")], () => true);
    await pass(100);
    expect(over.states).toEqual(["connecting", "live", "ended"]);

    const gone = connectTo([refuses(404)]);
    await pass(60_000);
    expect(gone.states).toEqual(["connecting", "gone"]);
    expect(gone.asked).toHaveLength(1);
  });

  it("comes again when a busy server says", async () => {
    const wire = connectTo([refuses(503, { "Retry-After": "3" }), says("", true)]);
    await pass(2_900);
    expect(wire.asked).toHaveLength(1);
    await pass(200);
    expect(wire.asked).toHaveLength(2);
    wire.stream.close();
  });

  it("closes five seconds after the page is hidden, and goes on when it is seen", async () => {
    const wire = connectTo([says("id: 7\ndata: a\n\n", true)]);
    await pass(10);
    hide(true);
    await pass(4_900);
    hide(false);
    await pass(10_000);
    expect(wire.asked).toHaveLength(1);

    hide(true);
    await pass(120_000);
    expect(wire.asked).toHaveLength(1);
    expect(wire.states).toEqual(["connecting", "live"]);
    hide(false);
    await pass(10);
    expect(wire.asked).toEqual(["", "7"]);
    wire.stream.close();
  });

  it("tries at once when the network is back", async () => {
    const wire = connectTo([breaks, says("", true)]);
    await pass(10);
    window.dispatchEvent(new Event("online"));
    await pass(10);
    expect(wire.asked).toHaveLength(2);
    wire.stream.close();
  });

  it("is silent once it is closed", async () => {
    const wire = connectTo([breaks]);
    await pass(10);
    wire.stream.close();
    await pass(60_000);
    expect(wire.asked).toHaveLength(1);
    expect(wire.states).toEqual(["connecting"]);
  });
});
