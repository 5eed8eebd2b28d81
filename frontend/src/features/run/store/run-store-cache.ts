/**
 * Keeps the store of each visible run, and for a minute after, so that going back shows it at once.
 */
import type { Run } from "@/lib/api/types";
import { hasEnded } from "@/lib/run-state";

import { followRun, loadRunEvents } from "./run-event-source";
import { RunStore } from "./run-store";

const RETENTION_MS = 60_000;

interface CacheEntry {
  store: RunStore;
  readers: number;
  disconnect: () => void;
  eviction: ReturnType<typeof setTimeout> | undefined;
}

const entries = new Map<string, CacheEntry>();

/** Returns the cached store of a run, creating it if needed. */
export function getRunStore(run: Run): RunStore {
  return getEntry(run).store;
}

/** Keeps a run's store connected to its events until the returned function is called. */
export function connectRunStore(run: Run): () => void {
  const entry = getEntry(run);
  clearTimeout(entry.eviction);
  entry.readers += 1;
  if (entry.readers === 1) entry.disconnect = connect(run, entry.store);
  return () => {
    entry.readers -= 1;
    if (entry.readers > 0) return;
    entry.disconnect();
    scheduleEviction(entry);
  };
}

function getEntry(run: Run): CacheEntry {
  const existing = entries.get(run.id);
  if (existing) return existing;
  const tasks = run.definition.tasks.map(({ key, agent }) => ({ key, agent: agent ?? null }));
  const store = new RunStore(run.id, { status: run.status, tasks, lastSeq: run.lastSeq });
  const entry = { store, readers: 0, disconnect: () => {}, eviction: undefined };
  entries.set(run.id, entry);
  scheduleEviction(entry);
  return entry;
}

function connect(run: Run, store: RunStore): () => void {
  // The stream starts with the state of the run, which deleted events no longer tell.
  if (!hasEnded(run.status) || run.eventsDeletedAt) return followRun(store);
  if (store.lastSeq >= run.lastSeq && store.lastSeq > 0) {
    store.setConnection("ended");
    return () => {};
  }
  return loadRunEvents(store);
}

function scheduleEviction(entry: CacheEntry): void {
  clearTimeout(entry.eviction);
  entry.eviction = setTimeout(() => entries.delete(entry.store.runId), RETENTION_MS);
}
