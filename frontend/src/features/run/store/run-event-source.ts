/**
 * Feeds a run store from the API: from the event stream while the run is active, page by page
 * afterwards.
 */
import { api, apiUrl, body } from "@/lib/api/client";
import { EventStream } from "@/lib/sse/event-stream";

import type { RunStore } from "./run-store";
import type { StreamFrame } from "./span";

const PAGE_SIZE = 1000;

/** Follows the event stream of an active run; the returned function closes it. */
export function followRun(store: RunStore): () => void {
  let hasReceivedFrame = false;
  const stream = new EventStream({
    url: apiUrl(`/api/v1/runs/${encodeURIComponent(store.runId)}/stream`),
    lastEventId: () => (store.lastSeq ? String(store.lastSeq) : ""),
    onMessage: ({ data }) => {
      hasReceivedFrame = true;
      store.apply([JSON.parse(data) as StreamFrame]);
    },
    onState: (state) => store.setConnection(state),
    // The store of a resumed run still holds the previous end, so this stream must have sent something.
    isComplete: () => hasReceivedFrame && store.hasEnded,
  });
  stream.open();
  document.addEventListener("visibilitychange", store.flush);
  return () => {
    document.removeEventListener("visibilitychange", store.flush);
    stream.close();
    store.setConnection("idle");
  };
}

/** Loads the events of a run that has ended; the returned function cancels the request. */
export function loadRunEvents(store: RunStore): () => void {
  const controller = new AbortController();
  store.setConnection("loading");
  loadPages(store, controller.signal).then(
    () => store.setConnection("ended"),
    (error: unknown) => {
      if (!controller.signal.aborted) store.setConnection("failed", error);
    },
  );
  return () => controller.abort();
}

async function loadPages(store: RunStore, signal: AbortSignal): Promise<void> {
  for (;;) {
    const after = store.lastSeq;
    const page = body(
      // oxlint-disable-next-line no-await-in-loop -- each page starts where the previous one ended
      await api.GET("/api/v1/runs/{run_id}/events", {
        params: { path: { run_id: store.runId }, query: { after, limit: PAGE_SIZE } },
        signal,
      }),
    );
    store.apply(page.events);
    if (page.events.length === 0 || store.lastSeq >= page.lastSeq || store.lastSeq === after)
      return;
  }
}

/** Fetches one event with its full text, which the store may have truncated. */
export async function fetchRunEvent(runId: string, seq: number, signal: AbortSignal) {
  const page = body(
    await api.GET("/api/v1/runs/{run_id}/events", {
      params: { path: { run_id: runId }, query: { after: seq - 1, limit: 1 } },
      signal,
    }),
  );
  return page.events[0];
}
