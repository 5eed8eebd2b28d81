import { createStore, useStore } from "zustand";

import { session } from "./api/session";
import type { Scope } from "./api/types";

/** Where this browser keeps them, so that the next page shows all actions at once. */
const NAME = "crewai-runner:rights";

interface Rights {
  /** Null until the server has named them. */
  scopes: ReadonlySet<string> | null;
  /** Whether others use the workspace too: then it matters who did something. */
  isShared: boolean;
  /** How often the server has refused a request for want of a scope. */
  refusals: number;
}

/** What the caller may do, as the server last said; the server decides again with each request. */
const store = createStore<Rights>(() => ({ ...readStored(), refusals: 0 }));
let token = session.csrfToken;

/** Uses what the server has said about the current session. */
export function learnRights(scopes: readonly string[], isShared: boolean): void {
  store.setState({ scopes: new Set(scopes), isShared });
  try {
    const stored = { token: session.csrfToken, scopes, isShared };
    localStorage.setItem(NAME, JSON.stringify(stored));
  } catch {
    // Storage is full or blocked: the next page asks the server first.
  }
}

/** Notes that the server has refused a request: the caller's role may have changed. */
export function reportRefusal(): void {
  store.setState(({ refusals }) => ({ refusals: refusals + 1 }));
}

/** Whether the caller may do what needs the scope; false while that is unknown. */
export function useCan(scope: Scope): boolean {
  return useStore(store, ({ scopes }) => scopes?.has(scope) ?? false);
}

/** Whether the server has named the scopes of the caller. */
export function useKnowsRights(): boolean {
  return useStore(store, ({ scopes }) => scopes !== null);
}

/** Whether to show who did something. */
export function useIsShared(): boolean {
  return useStore(store, ({ isShared }) => isShared);
}

export function useRefusals(): number {
  return useStore(store, ({ refusals }) => refusals);
}

session.subscribe(() => {
  if (session.csrfToken === token) return;
  token = session.csrfToken;
  store.setState(readStored());
});

/** Returns what is stored; that of another session does not count. */
function readStored(): Pick<Rights, "scopes" | "isShared"> {
  const nothing = { scopes: null, isShared: false };
  try {
    const stored = JSON.parse(localStorage.getItem(NAME) ?? "null") as {
      token?: unknown;
      scopes?: unknown;
      isShared?: unknown;
    } | null;
    if (stored?.token !== session.csrfToken || !Array.isArray(stored?.scopes)) return nothing;
    return { scopes: new Set(stored.scopes.map(String)), isShared: stored.isShared === true };
  } catch {
    return nothing;
  }
}
