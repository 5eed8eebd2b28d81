import { createStore, useStore } from "zustand";

import { getPreference, preferenceStore } from "./preferences";

export type Theme = "light" | "dark";

const systemDark =
  "matchMedia" in window ? window.matchMedia("(prefers-color-scheme: dark)") : null;
const themeStore = createStore<Theme>(resolveTheme);
const updateTheme = () => themeStore.setState(resolveTheme());

preferenceStore.subscribe(updateTheme);
systemDark?.addEventListener("change", updateTheme);

/** Returns the theme in use: the user's choice, or the system's theme. */
export function getTheme(): Theme {
  return themeStore.getState();
}

export function useTheme(): Theme {
  return useStore(themeStore);
}

/** Applies theme changes to the page; `/theme-init.js` sets the theme before the first paint. */
export function watchTheme(): () => void {
  applyTheme();
  return themeStore.subscribe(applyTheme);
}

function applyTheme(): void {
  document.documentElement.classList.toggle("dark", getTheme() === "dark");
}

function resolveTheme(): Theme {
  const choice = getPreference("theme");
  if (choice === "light" || choice === "dark") return choice;
  return systemDark?.matches ? "dark" : "light";
}
