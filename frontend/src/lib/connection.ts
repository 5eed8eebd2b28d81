import { onlineManager } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";

/**
 * Whether the server can be reached. `offline`: this device has no network; `unreachable`: it has, but
 * the server does not answer. Queries pause in both, and go on by themselves.
 */
export type ConnectionState = "online" | "offline" | "unreachable";

const PROBE = "/health";
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 10_000;

let state: ConnectionState = "online";
let watching = false;
let asking = false;
let nextTry: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

export const connection = {
  get state(): ConnectionState {
    return state;
  },

  /** A request found no answer. One may be lost; the server is asked again before anybody is told. */
  reportFailure(): void {
    if (state === "online") connection.retry();
  },

  /** A request was answered, whatever the answer. */
  reportResponse(): void {
    become("online");
  },

  /** Asks the server now rather than at the next turn. */
  retry(): void {
    if (watching && !asking) void probe(FIRST_PAUSE_MS);
  },

  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};

export function useConnectionState(): ConnectionState {
  return useSyncExternalStore(connection.subscribe, () => connection.state);
}

/**
 * Begins to watch. What the browser says of its network is a reason to ask the server, not an answer:
 * a server on this very machine is reached without any network.
 */
export function watchConnection(): void {
  if (watching) return;
  watching = true;
  onlineManager.setEventListener((setOnline) =>
    connection.subscribe(() => setOnline(state === "online")),
  );
  window.addEventListener("offline", connection.retry);
  window.addEventListener("online", connection.retry);
  if (!navigator.onLine) connection.retry();
}

async function probe(pause: number): Promise<void> {
  clearTimeout(nextTry);
  asking = true;
  const reached = await fetch(PROBE, { cache: "no-store" }).then(
    () => true,
    () => false,
  );
  asking = false;
  if (reached) return become("online");
  become(navigator.onLine ? "unreachable" : "offline");
  nextTry = setTimeout(() => void probe(Math.min(pause * 2, LONGEST_PAUSE_MS)), pause);
}

function become(next: ConnectionState): void {
  if (next === "online") clearTimeout(nextTry);
  if (next === state) return;
  state = next;
  for (const tell of listeners) tell();
}
