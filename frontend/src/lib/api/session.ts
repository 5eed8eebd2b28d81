import { createStore, useStore } from "zustand";

/**
 * The session of this browser. Its cookie is out of reach of scripts; localStorage has the CSRF token, which
 * is of no use without the cookie, and tells the other tabs of a sign-in or sign-out.
 */
const NAME = "crewai-runner:session";
/** Earlier versions kept the API key under this name. */
const API_KEY_NAME = "crewai-runner:api-key";

export type SessionState = "signed-out" | "signed-in" | "expired";

/** A session that the server has started. */
export interface StartedSession {
  csrfToken: string;
  /** True when the session outlives the browser's window. */
  isRemembered: boolean;
  /** True when it began at an issuer, whose own session ends with it. */
  endsAtIssuer?: boolean;
}

interface Session {
  started: StartedSession | null;
  state: SessionState;
}

interface Waiter {
  resolve: () => void;
  reject: (error: Error) => void;
}

/** Rejects requests that waited for a new session when the user signs out instead. */
export class SignedOut extends Error {
  override readonly name = "SignedOut";

  constructor() {
    super("You are signed out. Sign in to continue.");
  }
}

deleteStoredApiKey();
const store = createStore<Session>(() => {
  const started = parseSession(localStorageOrNull()?.getItem(NAME) ?? null);
  return { started, state: started ? "signed-in" : "signed-out" };
});
let waiters: Waiter[] = [];

export const session = {
  get csrfToken(): string | null {
    return store.getState().started?.csrfToken ?? null;
  },
  get state(): SessionState {
    return store.getState().state;
  },
  get isRemembered(): boolean {
    return store.getState().started?.isRemembered ?? false;
  },

  get endsAtIssuer(): boolean {
    return store.getState().started?.endsAtIssuer ?? false;
  },

  /** Uses a session that the server has started, and resumes the requests that wait for one. */
  signIn(started: StartedSession): void {
    try {
      localStorageOrNull()?.setItem(NAME, JSON.stringify(started));
    } catch {
      // Storage is full or blocked: the session lasts until the page is closed.
    }
    beginSession(started);
  },

  /** Forgets the session here and in the other tabs. The server ends it: see `signOut` of the client. */
  forget(): void {
    localStorageOrNull()?.removeItem(NAME);
    endSession();
  },

  /** Marks the session expired because the API rejected it; resolves when there is another one. */
  waitForNewSession(rejectedToken: string | null): Promise<void> {
    if (session.csrfToken === null) return Promise.reject(new SignedOut());
    if (rejectedToken !== session.csrfToken) return Promise.resolve();
    store.setState({ state: "expired" });
    return new Promise((resolve, reject) => waiters.push({ resolve, reject }));
  },

  subscribe: store.subscribe,
};

export function useSessionState(): SessionState {
  return useStore(store, ({ state }) => state);
}

export function useIsRemembered(): boolean {
  return useStore(store, ({ started }) => started?.isRemembered ?? false);
}

function beginSession(started: StartedSession): void {
  store.setState({ started, state: "signed-in" });
  for (const waiter of takeWaiters()) waiter.resolve();
}

/** Rejects pending requests too: they must not be sent in the session of the next user. */
function endSession(): void {
  store.setState({ started: null, state: "signed-out" });
  for (const waiter of takeWaiters()) waiter.reject(new SignedOut());
}

function takeWaiters(): Waiter[] {
  const taken = waiters;
  waiters = [];
  return taken;
}

// Another tab of this browser has signed in or out: its cookie is this tab's cookie too.
window.addEventListener("storage", (event) => {
  if (event.key !== NAME) return;
  const started = parseSession(event.newValue);
  if (started) beginSession(started);
  else endSession();
});

function parseSession(text: string | null): StartedSession | null {
  try {
    const value = JSON.parse(text ?? "null") as Partial<StartedSession> | null;
    if (typeof value?.csrfToken !== "string") return null;
    const started = { csrfToken: value.csrfToken, isRemembered: value.isRemembered === true };
    return value.endsAtIssuer === true ? { ...started, endsAtIssuer: true } : started;
  } catch {
    return null;
  }
}

function deleteStoredApiKey(): void {
  localStorageOrNull()?.removeItem(API_KEY_NAME);
  try {
    window.sessionStorage.removeItem(API_KEY_NAME);
  } catch {
    // Blocked storage holds no key.
  }
}

function localStorageOrNull(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}
