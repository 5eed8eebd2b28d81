import { afterEach, expect, it, vi } from "vitest";

import { setPreference } from "./preferences";

const listeners = new Set<() => void>();
const system = {
  matches: false,
  addEventListener: (_: string, listener: () => void) => listeners.add(listener),
  removeEventListener: (_: string, listener: () => void) => listeners.delete(listener),
};
window.matchMedia = vi.fn(() => system) as never;
const { watchTheme: followTheme, getTheme: theme } = await import("./theme");

const isDark = () => document.documentElement.classList.contains("dark");
const systemTurns = (dark: boolean) => {
  system.matches = dark;
  for (const tell of listeners) tell();
};

afterEach(() => {
  setPreference("theme", "system");
  systemTurns(false);
});

it("follows the system as it changes, until somebody chooses", () => {
  const end = followTheme();
  expect(isDark()).toBe(false);

  systemTurns(true);
  expect(isDark()).toBe(true);

  setPreference("theme", "light");
  expect([isDark(), theme()]).toEqual([false, "light"]);

  systemTurns(false);
  setPreference("theme", "dark");
  expect(isDark()).toBe(true);
  end();

  setPreference("theme", "light");
  expect(isDark()).toBe(true);
});
