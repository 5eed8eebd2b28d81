import { useSyncExternalStore } from "react";

/** What this browser remembers of its user's taste: name → value. Never anything secret. */
export interface Preferences {
  theme: "system" | "light" | "dark";
  shortcuts: boolean;
  followLive: boolean;
  runHintDismissed: boolean;
  sidebarOpen: boolean;
  workflowView: "split" | "yaml" | "graph" | "form";
  runPanes: number[];
  editorPanes: number[];
}

const DEFAULTS: Preferences = {
  theme: "system",
  shortcuts: true,
  followLive: true,
  runHintDismissed: false,
  sidebarOpen: true,
  workflowView: "split",
  runPanes: [60, 40],
  editorPanes: [45, 55],
};
const PREFIX = "crewai-runner:";
const API_KEY = `${PREFIX}api-key`;
const listeners = new Set<() => void>();
const known = new Map<string, unknown>();

export function getPreference<K extends keyof Preferences>(name: K): Preferences[K] {
  if (!known.has(name)) known.set(name, stored(name));
  return known.get(name) as Preferences[K];
}

export function setPreference<K extends keyof Preferences>(name: K, value: Preferences[K]): void {
  known.set(name, value);
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // A full or closed storage costs the memory of a preference, nothing more.
  }
  for (const tell of listeners) tell();
}

/** Forgets everything that this browser keeps for the product, drafts too; not the key. */
export function clearPreferences(): void {
  for (const name of Object.keys(localStorage)) {
    if (name.startsWith(PREFIX) && name !== API_KEY) localStorage.removeItem(name);
  }
  known.clear();
  for (const tell of listeners) tell();
}

// A choice made in another tab holds here too.
window.addEventListener("storage", (event) => {
  if (!event.key?.startsWith(PREFIX)) return;
  known.delete(event.key.slice(PREFIX.length));
  for (const tell of listeners) tell();
});

/** One preference and its setter, as `useState` gives them. */
export function usePreference<K extends keyof Preferences>(
  name: K,
): [Preferences[K], (value: Preferences[K]) => void] {
  const value = useSyncExternalStore(subscribeToPreferences, () => getPreference(name));
  return [value, (next) => setPreference(name, next)];
}

function stored<K extends keyof Preferences>(name: K): Preferences[K] {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? DEFAULTS[name] : (JSON.parse(text) as Preferences[K]);
  } catch {
    return DEFAULTS[name];
  }
}

export function subscribeToPreferences(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
