/** Where a run's story comes from: the stream while it is under way, pages once it is over. */
import { api, apiUrl, body } from "@/lib/api/client";
import { EventStream } from "@/lib/sse/event-stream";

import type { RunStore } from "./run-store";
import type { Frame } from "./span";

const PAGE = 1000;

/** Follows a run that is under way; the answer ends it. */
export function follow(store: RunStore): () => void {
  let heard = false;
  const stream = new EventStream({
    url: apiUrl(`/api/v1/runs/${encodeURIComponent(store.runId)}/stream`),
    lastId: () => (store.lastSeq ? String(store.lastSeq) : ""),
    onMessage: ({ data }) => {
      heard = true;
      store.take([JSON.parse(data) as Frame]);
    },
    onState: (state) => store.connectionBecomes(state),
    // A run that is resumed was over before: only what this stream told counts.
    isOver: () => heard && store.isOver,
  });
  stream.open();
  document.addEventListener("visibilitychange", store.flush);
  return () => {
    document.removeEventListener("visibilitychange", store.flush);
    stream.close();
    store.connectionBecomes("idle");
  };
}

/** Reads the story of a run that is over, page by page; the answer breaks it off. */
export function readStory(store: RunStore): () => void {
  const reading = new AbortController();
  store.connectionBecomes("loading");
  readPages(store, reading.signal).then(
    () => store.connectionBecomes("ended"),
    (error: unknown) => {
      if (!reading.signal.aborted) store.connectionBecomes("failed", error);
    },
  );
  return () => reading.abort();
}

async function readPages(store: RunStore, signal: AbortSignal): Promise<void> {
  for (;;) {
    const after = store.lastSeq;
    const page = body(
      // oxlint-disable-next-line no-await-in-loop -- each page begins where the one before ended
      await api.GET("/api/v1/runs/{run_id}/events", {
        params: { path: { run_id: store.runId }, query: { after, limit: PAGE } },
        signal,
      }),
    );
    store.take(page.events);
    if (page.events.length === 0 || store.lastSeq >= page.lastSeq || store.lastSeq === after)
      return;
  }
}

/** One event, whole: for a text that is too long to be kept. */
export async function readEvent(runId: string, seq: number, signal: AbortSignal) {
  const page = body(
    await api.GET("/api/v1/runs/{run_id}/events", {
      params: { path: { run_id: runId }, query: { after: seq - 1, limit: 1 } },
      signal,
    }),
  );
  return page.events[0];
}
