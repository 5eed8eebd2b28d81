import { useSyncExternalStore } from "react";

import { getPreference, subscribeToPreferences } from "./preferences";

export type Theme = "light" | "dark";

const system = "matchMedia" in window ? window.matchMedia("(prefers-color-scheme: dark)") : null;

/** What is in force: the person's choice, or the system's. */
export function getTheme(): Theme {
  const choice = getPreference("theme");
  if (choice === "light" || choice === "dark") return choice;
  return system?.matches ? "dark" : "light";
}

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, getTheme);
}

/** Keeps the page in the theme; `/theme-init.js` has set it before the first paint. */
export function watchTheme(): () => void {
  apply();
  return subscribe(apply);
}

function apply(): void {
  document.documentElement.classList.toggle("dark", getTheme() === "dark");
}

function subscribe(listener: () => void): () => void {
  const end = subscribeToPreferences(listener);
  system?.addEventListener("change", listener);
  return () => {
    end();
    system?.removeEventListener("change", listener);
  };
}
