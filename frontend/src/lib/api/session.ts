import { createStore, useStore } from "zustand";

/**
 * The API key of this tab. It is kept in sessionStorage, or in localStorage when the user asked to remember
 * it; it is sent as a bearer header and never put into a URL.
 */
const NAME = "crewai-runner:api-key";

export type SessionState = "signed-out" | "signed-in" | "expired";

interface Session {
  key: string | null;
  state: SessionState;
  /** True when the key outlives this tab. */
  isRemembered: boolean;
}

interface Waiter {
  resolve: () => void;
  reject: (error: Error) => void;
}

/** Rejects requests that waited for a new key when the user signs out instead. */
export class SignedOut extends Error {
  override readonly name = "SignedOut";

  constructor() {
    super("You are signed out. Sign in to continue.");
  }
}

const store = createStore<Session>(() => {
  const key = readKey();
  return { key, state: key ? "signed-in" : "signed-out", isRemembered: hasRememberedKey() };
});
let waiters: Waiter[] = [];

export const session = {
  get key(): string | null {
    return store.getState().key;
  },
  get state(): SessionState {
    return store.getState().state;
  },
  get isRemembered(): boolean {
    return store.getState().isRemembered;
  },

  /** Stores a key that the API has accepted and resumes the requests that wait for one. */
  signIn(key: string, remember: boolean): void {
    storeKey(key, remember);
    store.setState({ key, state: "signed-in", isRemembered: hasRememberedKey() });
    for (const waiter of takeWaiters()) waiter.resolve();
  },

  signOut(): void {
    sessionStorageOrNull()?.removeItem(NAME);
    localStorageOrNull()?.removeItem(NAME);
    endSession();
  },

  /** Keeps the key in this tab only. */
  forgetOnThisDevice(): void {
    if (session.key) storeKey(session.key, false);
    store.setState({ isRemembered: hasRememberedKey() });
  },

  /** Marks the session expired because the API rejected `rejectedKey`; resolves when there is another key. */
  waitForNewKey(rejectedKey: string | null): Promise<void> {
    if (session.key === null) return Promise.reject(new SignedOut());
    if (rejectedKey !== session.key) return Promise.resolve();
    store.setState({ state: "expired" });
    return new Promise((resolve, reject) => waiters.push({ resolve, reject }));
  },

  subscribe: store.subscribe,
};

export function useSessionState(): SessionState {
  return useStore(store, ({ state }) => state);
}

export function useIsRemembered(): boolean {
  return useStore(store, ({ isRemembered }) => isRemembered);
}

function takeWaiters(): Waiter[] {
  const taken = waiters;
  waiters = [];
  return taken;
}

/** Rejects pending requests too: they must not be sent with the key of the next user. */
function endSession(): void {
  store.setState({ key: null, state: "signed-out", isRemembered: hasRememberedKey() });
  for (const waiter of takeWaiters()) waiter.reject(new SignedOut());
}

// Another tab of this browser has signed in or out.
window.addEventListener("storage", (event) => {
  if (event.key !== NAME) return;
  store.setState({ isRemembered: hasRememberedKey() });
  const { key, state } = session;
  if (event.newValue && state === "expired") {
    session.signIn(event.newValue, true);
  } else if (event.newValue === null && event.oldValue === key && state === "signed-in") {
    if (sessionStorageOrNull()?.getItem(NAME) == null) endSession();
  }
});

/** Writes before it removes, so that other tabs never see a moment without a key. */
function storeKey(key: string, remember: boolean): void {
  const [target, other] = remember
    ? [localStorageOrNull(), sessionStorageOrNull()]
    : [sessionStorageOrNull(), localStorageOrNull()];
  try {
    target?.setItem(NAME, key);
  } catch {
    // Storage is full or blocked: the key lasts until the page is closed.
  }
  other?.removeItem(NAME);
}

function readKey(): string | null {
  return sessionStorageOrNull()?.getItem(NAME) ?? localStorageOrNull()?.getItem(NAME) ?? null;
}

function hasRememberedKey(): boolean {
  return localStorageOrNull()?.getItem(NAME) != null;
}

function sessionStorageOrNull(): Storage | null {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}

function localStorageOrNull(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}
