import type { Page } from "@playwright/test";

import { desktop, phone } from "../playwright.config";

import { expect, expectAccessible, test } from "./fixtures";

const THEME_STORAGE = "crewai-runner:theme";

/** Checks the current state of the page in the light and the dark theme; open dialogs and menus stay open. */
export async function expectAccessibleInBothThemes(page: Page): Promise<void> {
  await page.emulateMedia({ reducedMotion: "reduce" });
  for (const theme of ["light", "dark"] as const) {
    await setTheme(page, theme);
    await expectAccessible(page);
  }
  await setTheme(page, null);
}

/**
 * Sets the theme through a storage event, as another tab would. This applies at once, whereas a media query
 * change waits for the next frame, which an idle page may not draw. Transitions are disabled meanwhile.
 */
async function setTheme(page: Page, theme: "light" | "dark" | null): Promise<void> {
  const isDark = await page.evaluate(
    ([key, value]) => {
      const noTransitions = new CSSStyleSheet();
      noTransitions.replaceSync("*, ::before, ::after { transition: none !important }");
      document.adoptedStyleSheets = value ? [noTransitions] : [];
      if (value) localStorage.setItem(key, JSON.stringify(value));
      else localStorage.removeItem(key);
      window.dispatchEvent(new StorageEvent("storage", { key }));
      return document.documentElement.classList.contains("dark");
    },
    [THEME_STORAGE, theme] as const,
  );
  if (theme) expect(isDark).toBe(theme === "dark");
}

/** Checks both themes in a named test step, so that a violation shows in which state it was found. */
export async function checkAccessibility(page: Page, state: string): Promise<void> {
  await test.step(`axe: ${state}`, () => expectAccessibleInBothThemes(page));
}

/** Defines the test once for a desktop and once for a phone. */
export function atBothSizes(title: string, body: Parameters<typeof test>[2]): void {
  for (const [size, device] of Object.entries({ desktop, phone })) {
    test.describe(size, () => {
      test.use(device);
      test(title, body);
    });
  }
}
