import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { EventStream, type StreamState } from "./event-stream";

interface TestStream {
  /** The `Last-Event-ID` of each connection. */
  requestedIds: string[];
  states: StreamState[];
  messages: string[];
  stream: EventStream;
}

type StubResponse = (signal: AbortSignal) => Response | Promise<Response>;

const encoder = new TextEncoder();
let isHidden = false;

/** Opens a stream to a server that gives one response per connection and repeats the last one. */
function openStream(responses: StubResponse[], isComplete = () => false): TestStream {
  const recorded: Omit<TestStream, "stream"> = { requestedIds: [], states: [], messages: [] };
  let lastEventId = "";
  vi.stubGlobal("fetch", (request: Request) => {
    recorded.requestedIds.push(request.headers.get("Last-Event-ID") ?? "");
    const respond = responses[Math.min(recorded.requestedIds.length, responses.length) - 1];
    if (!respond) throw new TypeError("no response");
    return Promise.resolve(respond(request.signal));
  });
  const stream = new EventStream({
    url: "/api/v1/runs/run_1/stream",
    lastEventId: () => lastEventId,
    onMessage: ({ id, data }) => {
      if (id) lastEventId = id;
      recorded.messages.push(data);
    },
    onState: (state) => recorded.states.push(state),
    isComplete,
  });
  stream.open();
  return { ...recorded, stream };
}

/** Sends the text, then closes the connection unless `stayOpen`. */
const sends =
  (text: string, stayOpen = false): StubResponse =>
  (signal) =>
    new Response(
      new ReadableStream({
        start(controller) {
          if (text) controller.enqueue(encoder.encode(text));
          if (!stayOpen) controller.close();
          signal.addEventListener("abort", () => {
            if (stayOpen) controller.error(new DOMException("aborted", "AbortError"));
          });
        },
      }),
      { headers: { "Content-Type": "text/event-stream" } },
    );

const refuses =
  (status: number, headers: Record<string, string> = {}): StubResponse =>
  () =>
    new Response("{}", { status, headers });

const networkError: StubResponse = () => Promise.reject(new TypeError("network"));

function setHidden(value: boolean): void {
  isHidden = value;
  document.dispatchEvent(new Event("visibilitychange"));
}

const advance = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(1);
  vi.spyOn(document, "hidden", "get").mockImplementation(() => isHidden);
});

afterEach(() => {
  isHidden = false;
  vi.useRealTimers();
});

describe("EventStream", () => {
  it("resumes after the last complete event", async () => {
    const opened = openStream([
      sends("id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\nda"),
      sends("", true),
    ]);
    await advance(600);

    expect(opened.messages).toEqual(["a", "b"]);
    expect(opened.requestedIds).toEqual(["", "2"]);
    opened.stream.close();
  });

  it("backs off exponentially from the retry delay sent by the server", async () => {
    const opened = openStream([sends("retry: 1000\n\n"), networkError]);
    await advance(999);
    expect(opened.requestedIds).toHaveLength(1);
    await advance(1);
    expect(opened.requestedIds).toHaveLength(2);
    await advance(2000);
    expect(opened.requestedIds).toHaveLength(3);
    await advance(3999);
    expect(opened.requestedIds).toHaveLength(3);
    await advance(1);
    expect(opened.requestedIds).toHaveLength(4);
    opened.stream.close();
  });

  it("reports reconnecting only after two seconds", async () => {
    const brief = openStream([sends(": hello\n\n"), sends("", true)]);
    await advance(5000);
    expect(brief.states).toEqual(["connecting", "live"]);
    brief.stream.close();

    const long = openStream([sends(": hello\n\n"), networkError]);
    await advance(1990);
    expect(long.states).toEqual(["connecting", "live"]);
    await advance(20);
    expect(long.states).toEqual(["connecting", "live", "reconnecting"]);
    long.stream.close();
  });

  it("reconnects when nothing is received for 45 seconds", async () => {
    const opened = openStream([sends("id: 4\ndata: a\n\n", true), sends(": hello\n\n", true)]);
    await advance(44_900);
    expect(opened.requestedIds).toHaveLength(1);
    await advance(1_000);
    expect(opened.requestedIds).toEqual(["", "4"]);
    opened.stream.close();
  });

  it("reports stalled after a minute without data", async () => {
    const opened = openStream([
      sends(": hello\n\n"),
      ...Array.from({ length: 7 }, () => networkError),
    ]);
    await advance(61_000);
    expect(opened.states.at(-1)).toBe("stalled");
    opened.stream.close();
  });

  it("ends after the last message and gives up on a 404", async () => {
    const over = openStream([sends("id: 1\ndata: end\n\n")], () => true);
    await advance(100);
    expect(over.states).toEqual(["connecting", "live", "ended"]);

    const gone = openStream([refuses(404)]);
    await advance(60_000);
    expect(gone.states).toEqual(["connecting", "gone"]);
    expect(gone.requestedIds).toHaveLength(1);
  });

  it("honours Retry-After", async () => {
    const opened = openStream([refuses(503, { "Retry-After": "3" }), sends("", true)]);
    await advance(2_900);
    expect(opened.requestedIds).toHaveLength(1);
    await advance(200);
    expect(opened.requestedIds).toHaveLength(2);
    opened.stream.close();
  });

  it("pauses five seconds after the page is hidden and resumes when it is visible", async () => {
    const opened = openStream([sends("id: 7\ndata: a\n\n", true)]);
    await advance(10);
    setHidden(true);
    await advance(4_900);
    setHidden(false);
    await advance(10_000);
    expect(opened.requestedIds).toHaveLength(1);

    setHidden(true);
    await advance(120_000);
    expect(opened.requestedIds).toHaveLength(1);
    expect(opened.states).toEqual(["connecting", "live"]);
    setHidden(false);
    await advance(10);
    expect(opened.requestedIds).toEqual(["", "7"]);
    opened.stream.close();
  });

  it("reconnects at once when the network is back", async () => {
    const opened = openStream([networkError, sends("", true)]);
    await advance(10);
    window.dispatchEvent(new Event("online"));
    await advance(10);
    expect(opened.requestedIds).toHaveLength(2);
    opened.stream.close();
  });

  it("does nothing after close", async () => {
    const opened = openStream([networkError]);
    await advance(10);
    opened.stream.close();
    await advance(60_000);
    expect(opened.requestedIds).toHaveLength(1);
    expect(opened.states).toEqual(["connecting"]);
  });
});
