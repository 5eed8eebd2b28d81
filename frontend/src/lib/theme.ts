import { useSyncExternalStore } from "react";

import { preference, subscribeToPreferences } from "./preferences";

export type Theme = "light" | "dark";

const system = "matchMedia" in window ? window.matchMedia("(prefers-color-scheme: dark)") : null;

/** What is in force: the person's choice, or the system's. */
export function theme(): Theme {
  const choice = preference("theme");
  if (choice === "light" || choice === "dark") return choice;
  return system?.matches ? "dark" : "light";
}

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, theme);
}

/** Keeps the page in the theme; `/theme-init.js` has set it before the first paint. */
export function followTheme(): () => void {
  apply();
  return subscribe(apply);
}

function apply(): void {
  document.documentElement.classList.toggle("dark", theme() === "dark");
}

function subscribe(listener: () => void): () => void {
  const end = subscribeToPreferences(listener);
  system?.addEventListener("change", listener);
  return () => {
    end();
    system?.removeEventListener("change", listener);
  };
}
