import { createStore, useStore } from "zustand";

/** Preferences this browser keeps in localStorage. Never anything secret. */
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

type PreferenceName = keyof Preferences;

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
const NAMES = Object.keys(DEFAULTS) as PreferenceName[];
const PREFIX = "crewai-runner:";
const SESSION = `${PREFIX}session`;

export const preferenceStore = createStore<Preferences>(() => ({
  ...DEFAULTS,
  ...Object.fromEntries(NAMES.map((name) => [name, readStored(name)])),
}));

export function getPreference<K extends PreferenceName>(name: K): Preferences[K] {
  return preferenceStore.getState()[name];
}

export function setPreference<K extends PreferenceName>(name: K, value: Preferences[K]): void {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // Storage is full or blocked: the preference lasts until the page is closed.
  }
  preferenceStore.setState({ [name]: value });
}

/** Removes everything this browser and this tab store for the product, drafts included, except the session. */
export function clearPreferences(): void {
  for (const storage of [localStorage, sessionStorage]) {
    for (const name of Object.keys(storage)) {
      if (name.startsWith(PREFIX) && name !== SESSION) storage.removeItem(name);
    }
  }
  preferenceStore.setState(DEFAULTS);
}

/** Returns a preference and its setter, like `useState`. */
export function usePreference<K extends PreferenceName>(
  name: K,
): [Preferences[K], (value: Preferences[K]) => void] {
  const value = useStore(preferenceStore, (preferences) => preferences[name]);
  return [value, (next) => setPreference(name, next)];
}

// Preferences changed in another tab apply here too.
window.addEventListener("storage", (event) => {
  const name = NAMES.find((one) => PREFIX + one === event.key);
  if (name) preferenceStore.setState({ [name]: readStored(name) });
});

function readStored<K extends PreferenceName>(name: K): Preferences[K] {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? DEFAULTS[name] : (JSON.parse(text) as Preferences[K]);
  } catch {
    return DEFAULTS[name];
  }
}
