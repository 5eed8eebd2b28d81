import { afterEach, expect, it, vi } from "vitest";

import { setPreference } from "./preferences";

const listeners = new Set<() => void>();
const system = {
  matches: false,
  addEventListener: (_: string, listener: () => void) => listeners.add(listener),
  removeEventListener: (_: string, listener: () => void) => listeners.delete(listener),
};
window.matchMedia = vi.fn(() => system) as never;
const { watchTheme, getTheme } = await import("./theme");

const isDark = () => document.documentElement.classList.contains("dark");
const setSystemDark = (dark: boolean) => {
  system.matches = dark;
  for (const listener of listeners) listener();
};

afterEach(() => {
  setPreference("theme", "system");
  setSystemDark(false);
});

it("follows the system until the user chooses a theme", () => {
  const unwatch = watchTheme();
  expect(isDark()).toBe(false);

  setSystemDark(true);
  expect(isDark()).toBe(true);

  setPreference("theme", "light");
  expect([isDark(), getTheme()]).toEqual([false, "light"]);

  setSystemDark(false);
  setPreference("theme", "dark");
  expect(isDark()).toBe(true);
  unwatch();

  setPreference("theme", "light");
  expect(isDark()).toBe(true);
});
