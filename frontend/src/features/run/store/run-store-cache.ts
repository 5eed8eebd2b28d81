/** The stores of the runs that are looked at, and for a minute after: Back then finds them as they were. */
import type { Run } from "@/lib/api/types";
import { hasEnded } from "@/lib/run-state";

import { follow, readStory } from "./run-event-source";
import { RunStore } from "./run-store";

const KEPT_MS = 60_000;

interface Kept {
  store: RunStore;
  readers: number;
  release: () => void;
  dropping: ReturnType<typeof setTimeout> | undefined;
}

const kept = new Map<string, Kept>();

/** The store of a run; the same one as long as somebody looks at the run. */
export function storeOf(run: Run): RunStore {
  const known = kept.get(run.id);
  if (known) return known.store;
  const tasks = run.definition.tasks.map(({ key, agent }) => ({ key, agent: agent ?? null }));
  const store = new RunStore(run.id, { status: run.status, tasks, lastSeq: run.lastSeq });
  const entry: Kept = { store, readers: 0, release: () => {}, dropping: undefined };
  kept.set(run.id, entry);
  dropLater(entry);
  return store;
}

/** Keeps a run's story coming until the answer is called. */
export function attach(run: Run): () => void {
  storeOf(run);
  const entry = kept.get(run.id);
  if (!entry) return () => {};
  clearTimeout(entry.dropping);
  entry.readers += 1;
  if (entry.readers === 1) entry.release = tellOf(run, entry.store);
  return () => {
    entry.readers -= 1;
    if (entry.readers > 0) return;
    entry.release();
    dropLater(entry);
  };
}

function tellOf(run: Run, store: RunStore): () => void {
  if (!hasEnded(run.status)) return follow(store);
  if (store.lastSeq >= run.lastSeq && store.lastSeq > 0) {
    store.connectionBecomes("ended");
    return () => {};
  }
  return readStory(store);
}

function dropLater(entry: Kept): void {
  clearTimeout(entry.dropping);
  entry.dropping = setTimeout(() => kept.delete(entry.store.runId), KEPT_MS);
}
