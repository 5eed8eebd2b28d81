/** Server-sent events over `fetch`: with the key, resumed where they broke off, quiet while nobody looks. */
import { createParser, type EventSourceMessage } from "eventsource-parser";

import { authorisedFetch } from "@/lib/api/client";

/**
 * `connecting` at first, `live` while frames can come, `reconnecting` when a break lasts, `stalled` when
 * nothing has been heard for a minute, `ended` when there is nothing more to come, `gone` when the server
 * refuses for good.
 */
export type StreamState = "connecting" | "live" | "reconnecting" | "stalled" | "ended" | "gone";

interface Options {
  url: string;
  /** The id of the last event that was taken in: where a new connection begins. */
  lastId: () => string;
  onMessage: (message: EventSourceMessage) => void;
  onState: (state: StreamState) => void;
  /** True when the last event has come, so that a closed connection is the end and not a break. */
  isOver: () => boolean;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
const SILENCE_MS = 45_000;
const SHOWN_AFTER_MS = 2_000;
const STALLED_AFTER_MS = 60_000;
const HIDDEN_MS = 5_000;
const SLICE_MS = 10;

const TIMERS = ["again", "silence", "shown", "stalled", "hidden"] as const;

type Timer = ReturnType<typeof setTimeout>;

/** One stream that is kept up until `close`, the end, or a refusal. */
export class EventStream {
  private readonly options: Options;
  private state: StreamState = "connecting";
  private connection: AbortController | null = null;
  private baseWait = FIRST_WAIT_MS;
  private failures = 0;
  private readonly timers: Partial<Record<(typeof TIMERS)[number], Timer>> = {};

  constructor(options: Options) {
    this.options = options;
  }

  open(): void {
    document.addEventListener("visibilitychange", this.onVisibility);
    window.addEventListener("online", this.onOnline);
    this.options.onState(this.state);
    this.set("stalled", STALLED_AFTER_MS, () => this.becomes("stalled"));
    this.connect();
  }

  close(): void {
    document.removeEventListener("visibilitychange", this.onVisibility);
    window.removeEventListener("online", this.onOnline);
    for (const name of TIMERS) this.unset(name);
    this.connection?.abort();
    this.connection = null;
  }

  private connect(): void {
    clearTimeout(this.timers.again);
    this.connection?.abort();
    const connection = new AbortController();
    this.connection = connection;
    this.watchSilence();
    void this.listen(connection).then(
      (wait) => this.connection === connection && this.broke(wait),
      () => this.connection === connection && this.broke(null),
    );
  }

  /** Reads until the connection ends; the answer is how long the server asks to wait, if it does. */
  private async listen(connection: AbortController): Promise<number | null> {
    const headers: Record<string, string> = { Accept: "text/event-stream" };
    const lastId = this.options.lastId();
    if (lastId) headers["Last-Event-ID"] = lastId;
    const request = new Request(new URL(this.options.url, location.origin), {
      headers,
      cache: "no-store",
      signal: connection.signal,
    });
    const response = await authorisedFetch(request);
    if (this.connection !== connection) return null;
    if (!response.ok || !response.body) return this.refused(response);
    this.becomes("live");
    await this.read(response.body, connection);
    return null;
  }

  private async read(body: ReadableStream<Uint8Array>, connection: AbortController): Promise<void> {
    const parser = createParser({
      onEvent: (message) => {
        // What still comes out of a connection that was given up must not be taken twice.
        if (this.connection === connection) this.options.onMessage(message);
      },
      onRetry: (wait) => {
        this.baseWait = wait;
      },
    });
    const decoder = new TextDecoder();
    const reader = body.getReader();
    let rested = performance.now();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || this.connection !== connection) return;
      this.heard();
      parser.feed(decoder.decode(value, { stream: true }));
      // A long story that is told at once must leave the page time to answer its user.
      if (performance.now() - rested > SLICE_MS) {
        await turn();
        rested = performance.now();
      }
    }
  }

  private refused(response: Response): number | null {
    void response.body?.cancel();
    if (
      response.status >= 400 &&
      response.status < 500 &&
      ![408, 425, 429].includes(response.status)
    ) {
      this.finish("gone");
      return null;
    }
    const seconds = Number(response.headers.get("retry-after"));
    return seconds > 0 ? seconds * 1000 : null;
  }

  /** Something was said on the line, be it only a heartbeat. */
  private heard(): void {
    this.failures = 0;
    this.watchSilence();
    this.set("stalled", STALLED_AFTER_MS, () => this.becomes("stalled"));
    if (this.state === "stalled") this.becomes("live");
  }

  private watchSilence(): void {
    this.set("silence", SILENCE_MS, () => {
      this.connection?.abort();
      this.connection = null;
      this.broke(null);
    });
  }

  private broke(wait: number | null): void {
    this.connection = null;
    clearTimeout(this.timers.silence);
    if (this.options.isOver()) return this.finish("ended");
    // Counted from the first break, not from the last of several attempts.
    if (this.state === "live" && this.timers.shown === undefined) {
      this.set("shown", SHOWN_AFTER_MS, () => this.becomes("reconnecting"));
    }
    if (document.hidden && this.timers.hidden === undefined) return;
    this.set("again", wait ?? this.nextWait(), () => this.connect());
  }

  /** Doubles with each failure up to a bound, and is never the same for all who wait. */
  private nextWait(): number {
    const wait = Math.min(this.baseWait * 2 ** this.failures, LONGEST_WAIT_MS);
    this.failures += 1;
    return wait * (0.5 + Math.random() / 2);
  }

  private finish(state: "ended" | "gone"): void {
    this.close();
    this.state = state;
    this.options.onState(state);
  }

  private becomes(state: StreamState): void {
    if (state === "live") this.unset("shown");
    if (state === "reconnecting" && this.state === "stalled") return;
    if (this.state === state) return;
    this.state = state;
    this.options.onState(state);
  }

  private set(name: (typeof TIMERS)[number], wait: number, act: () => void): void {
    clearTimeout(this.timers[name]);
    this.timers[name] = setTimeout(act, wait);
  }

  private unset(name: (typeof TIMERS)[number]): void {
    clearTimeout(this.timers[name]);
    delete this.timers[name];
  }

  /** A hidden page gives its connection up, since a browser has only six to one origin. */
  private readonly onVisibility = (): void => {
    if (document.hidden) {
      this.set("hidden", HIDDEN_MS, () => this.pause());
      return;
    }
    this.unset("hidden");
    if (this.connection) return;
    this.failures = 0;
    this.set("stalled", STALLED_AFTER_MS, () => this.becomes("stalled"));
    this.connect();
  };

  private pause(): void {
    for (const name of TIMERS) this.unset(name);
    this.connection?.abort();
    this.connection = null;
  }

  private readonly onOnline = (): void => {
    this.failures = 0;
    if (!document.hidden) this.connect();
  };
}

/** Returns when the browser has had its turn. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
