import { useSyncExternalStore } from "react";

/**
 * The API key of this tab. It lives in sessionStorage, or in localStorage when its owner asked for it to
 * be remembered; it is sent as a bearer header and never put into a URL.
 */
const NAME = "crewai-runner:api-key";

export type SessionState = "signed-out" | "signed-in" | "expired";

/** What becomes of requests that waited for a key when their owner signs out instead. */
export class SignedOut extends Error {
  override readonly name = "SignedOut";

  constructor() {
    super("You are signed out. Sign in to go on.");
  }
}

interface Waiting {
  goOn: () => void;
  giveUp: (error: Error) => void;
}

let key = read();
let state: SessionState = key ? "signed-in" : "signed-out";
const listeners = new Set<() => void>();
let waiting: Waiting[] = [];

export const session = {
  get key(): string | null {
    return key;
  },
  get state(): SessionState {
    return state;
  },

  /** True when the key outlives this tab. */
  get isRemembered(): boolean {
    return localStorageOrNull()?.getItem(NAME) != null;
  },

  /** Takes a key that the API has accepted; whoever waits for one goes on. */
  signIn(accepted: string, remember: boolean): void {
    key = accepted;
    keep(accepted, remember);
    become("signed-in");
    for (const one of takeWaiting()) one.goOn();
  },

  signOut(): void {
    forget();
    leave();
  },

  /** Keeps the key in this tab only. */
  forgetOnThisDevice(): void {
    if (key) keep(key, false);
    for (const tell of listeners) tell();
  },

  /** Says that the API refuses `refused`, and waits until a person has given another key. */
  waitForNewKey(refused: string | null): Promise<void> {
    if (key === null) return Promise.reject(new SignedOut());
    if (refused !== key) return Promise.resolve();
    become("expired");
    return new Promise((goOn, giveUp) => waiting.push({ goOn, giveUp }));
  },

  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};

export function useSessionState(): SessionState {
  return useSyncExternalStore(session.subscribe, () => session.state);
}

export function useIsRemembered(): boolean {
  return useSyncExternalStore(session.subscribe, () => session.isRemembered);
}

function become(next: SessionState): void {
  state = next;
  for (const tell of listeners) tell();
}

function takeWaiting(): Waiting[] {
  const taken = waiting;
  waiting = [];
  return taken;
}

/** Nothing that one person began may be sent with the key of the next. */
function leave(): void {
  key = null;
  become("signed-out");
  for (const one of takeWaiting()) one.giveUp(new SignedOut());
}

// Another tab of this browser has signed in anew, or out.
window.addEventListener("storage", (event) => {
  if (event.key !== NAME || state === "signed-out") return;
  if (event.newValue && state === "expired") {
    session.signIn(event.newValue, true);
  } else if (event.newValue === null && event.oldValue === key && state === "signed-in") {
    if (sessionStorageOrNull()?.getItem(NAME) == null) leave();
  }
});

/** Writes first and removes then: other tabs must never see a moment without a key. */
function keep(value: string, remember: boolean): void {
  write(remember ? localStorageOrNull() : sessionStorageOrNull(), value);
  (remember ? sessionStorageOrNull() : localStorageOrNull())?.removeItem(NAME);
}

function forget(): void {
  sessionStorageOrNull()?.removeItem(NAME);
  localStorageOrNull()?.removeItem(NAME);
}

function read(): string | null {
  return sessionStorageOrNull()?.getItem(NAME) ?? localStorageOrNull()?.getItem(NAME) ?? null;
}

function write(storage: Storage | null, value: string): void {
  try {
    storage?.setItem(NAME, value);
  } catch {
    // The key then lives as long as this page does.
  }
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
