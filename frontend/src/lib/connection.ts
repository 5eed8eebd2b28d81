import { onlineManager } from "@tanstack/react-query";
import { createStore, useStore } from "zustand";

/**
 * Whether the server can be reached. `offline`: this device has no network; `unreachable`: it has one, but
 * the server does not respond. Queries pause in both states and resume automatically.
 */
export type ConnectionState = "online" | "offline" | "unreachable";

const PROBE_PATH = "/health";
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 10_000;

const store = createStore<ConnectionState>(() => "online");
let isWatching = false;
let isProbing = false;
let nextProbe: ReturnType<typeof setTimeout> | undefined;

export const connection = {
  get state(): ConnectionState {
    return store.getState();
  },

  /** Reports a request without a response; the server is probed before the state changes. */
  reportFailure(): void {
    if (connection.state === "online") connection.retry();
  },

  /** Reports a request that got a response of any status. */
  reportResponse(): void {
    setState("online");
  },

  /** Probes the server now instead of after the current pause. */
  retry(): void {
    if (isWatching && !isProbing) void probe(FIRST_PAUSE_MS);
  },

  subscribe: store.subscribe,
};

export function useConnectionState(): ConnectionState {
  return useStore(store);
}

/**
 * Starts watching the connection. The browser's online and offline events only trigger a probe: a server
 * on the same machine is reachable without any network.
 */
export function watchConnection(): void {
  if (isWatching) return;
  isWatching = true;
  onlineManager.setEventListener((setOnline) =>
    store.subscribe((state) => setOnline(state === "online")),
  );
  window.addEventListener("offline", connection.retry);
  window.addEventListener("online", connection.retry);
  if (!navigator.onLine) connection.retry();
}

async function probe(pauseMs: number): Promise<void> {
  clearTimeout(nextProbe);
  isProbing = true;
  const reached = await fetch(PROBE_PATH, { cache: "no-store" }).then(
    () => true,
    () => false,
  );
  isProbing = false;
  if (reached) return setState("online");
  setState(navigator.onLine ? "unreachable" : "offline");
  nextProbe = setTimeout(() => void probe(Math.min(pauseMs * 2, LONGEST_PAUSE_MS)), pauseMs);
}

function setState(next: ConnectionState): void {
  if (next === "online") clearTimeout(nextProbe);
  store.setState(next);
}
