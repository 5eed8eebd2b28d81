import { createParser, type EventSourceMessage } from "eventsource-parser";

import { authorisedFetch } from "@/lib/api/client";

/**
 * - `connecting`: the first connection is being opened
 * - `live`: connected
 * - `reconnecting`: the connection was lost more than two seconds ago
 * - `stalled`: nothing was received for a minute
 * - `ended`: the last message was received
 * - `gone`: the server refused the request; there are no further attempts
 */
export type StreamState = "connecting" | "live" | "reconnecting" | "stalled" | "ended" | "gone";

interface Options {
  url: string;
  /** Id of the last processed message, where a new connection resumes; empty for none. */
  lastEventId: () => string;
  onMessage: (message: EventSourceMessage) => void;
  onState: (state: StreamState) => void;
  /** True once the last message was received, so that a closed connection needs no reconnect. */
  isComplete: () => boolean;
}

const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 15_000;
const SILENCE_TIMEOUT_MS = 45_000;
const RECONNECTING_AFTER_MS = 2_000;
const STALLED_AFTER_MS = 60_000;
const PAUSE_WHEN_HIDDEN_MS = 5_000;
const MAX_BLOCKING_MS = 10;

const TIMERS = ["retry", "silence", "reconnecting", "stalled", "hidden"] as const;

type TimerName = (typeof TIMERS)[number];

/**
 * Server-sent events over `fetch`, which unlike `EventSource` sends the API key. Reconnects with
 * exponential backoff and resumes after the last message; pauses while the page is hidden.
 */
export class EventStream {
  private readonly options: Options;
  private state: StreamState = "connecting";
  private connection: AbortController | null = null;
  private baseRetryMs = FIRST_RETRY_MS;
  private failures = 0;
  private readonly timers: Partial<Record<TimerName, ReturnType<typeof setTimeout>>> = {};

  constructor(options: Options) {
    this.options = options;
  }

  open(): void {
    document.addEventListener("visibilitychange", this.onVisibilityChange);
    window.addEventListener("online", this.onOnline);
    this.options.onState(this.state);
    this.startTimer("stalled", STALLED_AFTER_MS, () => this.setState("stalled"));
    this.connect();
  }

  close(): void {
    document.removeEventListener("visibilitychange", this.onVisibilityChange);
    window.removeEventListener("online", this.onOnline);
    this.pause();
  }

  private connect(): void {
    clearTimeout(this.timers.retry);
    this.connection?.abort();
    const connection = new AbortController();
    this.connection = connection;
    this.restartSilenceTimer();
    void this.read(connection).then(
      (retryMs) => this.connection === connection && this.onDisconnect(retryMs),
      () => this.connection === connection && this.onDisconnect(null),
    );
  }

  /**
   * Reads until the connection ends; returns the retry delay requested by the server in ms, if any.
   */
  private async read(connection: AbortController): Promise<number | null> {
    const headers: Record<string, string> = { Accept: "text/event-stream" };
    const lastEventId = this.options.lastEventId();
    if (lastEventId) headers["Last-Event-ID"] = lastEventId;
    const request = new Request(new URL(this.options.url, location.origin), {
      headers,
      cache: "no-store",
      signal: connection.signal,
    });
    const response = await authorisedFetch(request);
    if (this.connection !== connection) return null;
    if (!response.ok || !response.body) return this.onRefusal(response);
    this.setState("live");
    await this.readMessages(response.body, connection);
    return null;
  }

  private async readMessages(
    body: ReadableStream<Uint8Array>,
    connection: AbortController,
  ): Promise<void> {
    const parser = createParser({
      onEvent: (message) => {
        // An aborted connection may still deliver messages that its successor receives again.
        if (this.connection === connection) this.options.onMessage(message);
      },
      onRetry: (retryMs) => {
        this.baseRetryMs = retryMs;
      },
    });
    const decoder = new TextDecoder();
    const reader = body.getReader();
    let lastYield = performance.now();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || this.connection !== connection) return;
      this.onData();
      parser.feed(decoder.decode(value, { stream: true }));
      // Long bursts must not block the page.
      if (performance.now() - lastYield > MAX_BLOCKING_MS) {
        await new Promise((resolve) => setTimeout(resolve));
        lastYield = performance.now();
      }
    }
  }

  private onRefusal(response: Response): number | null {
    void response.body?.cancel();
    const { status } = response;
    if (status >= 400 && status < 500 && ![408, 425, 429].includes(status)) {
      this.finish("gone");
      return null;
    }
    const seconds = Number(response.headers.get("retry-after"));
    return seconds > 0 ? seconds * 1000 : null;
  }

  /** Called for all received data, including heartbeat comments. */
  private onData(): void {
    this.failures = 0;
    this.restartSilenceTimer();
    this.startTimer("stalled", STALLED_AFTER_MS, () => this.setState("stalled"));
    if (this.state === "stalled") this.setState("live");
  }

  private restartSilenceTimer(): void {
    this.startTimer("silence", SILENCE_TIMEOUT_MS, () => {
      this.connection?.abort();
      this.onDisconnect(null);
    });
  }

  private onDisconnect(retryMs: number | null): void {
    this.connection = null;
    clearTimeout(this.timers.silence);
    if (this.options.isComplete()) return this.finish("ended");
    // Measured from the first of several failed attempts.
    if (this.state === "live" && this.timers.reconnecting === undefined) {
      this.startTimer("reconnecting", RECONNECTING_AFTER_MS, () => this.setState("reconnecting"));
    }
    if (document.hidden && this.timers.hidden === undefined) return;
    this.startTimer("retry", retryMs ?? this.nextRetryMs(), () => this.connect());
  }

  /** Exponential backoff with jitter. */
  private nextRetryMs(): number {
    const wait = Math.min(this.baseRetryMs * 2 ** this.failures, MAX_RETRY_MS);
    this.failures += 1;
    return wait * (0.5 + Math.random() / 2);
  }

  private finish(state: "ended" | "gone"): void {
    this.close();
    this.state = state;
    this.options.onState(state);
  }

  private setState(state: StreamState): void {
    if (state === "live") this.clearTimer("reconnecting");
    if (state === "reconnecting" && this.state === "stalled") return;
    if (this.state === state) return;
    this.state = state;
    this.options.onState(state);
  }

  private startTimer(name: TimerName, delayMs: number, callback: () => void): void {
    clearTimeout(this.timers[name]);
    this.timers[name] = setTimeout(callback, delayMs);
  }

  private clearTimer(name: TimerName): void {
    clearTimeout(this.timers[name]);
    delete this.timers[name];
  }

  // Browsers allow six HTTP/1.1 connections per origin; hidden pages must not use them up.
  private readonly onVisibilityChange = (): void => {
    if (document.hidden) {
      this.startTimer("hidden", PAUSE_WHEN_HIDDEN_MS, () => this.pause());
      return;
    }
    this.clearTimer("hidden");
    if (this.connection) return;
    this.failures = 0;
    this.startTimer("stalled", STALLED_AFTER_MS, () => this.setState("stalled"));
    this.connect();
  };

  private pause(): void {
    for (const name of TIMERS) this.clearTimer(name);
    this.connection?.abort();
    this.connection = null;
  }

  private readonly onOnline = (): void => {
    this.failures = 0;
    if (!document.hidden) this.connect();
  };
}
