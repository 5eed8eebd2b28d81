import type { Page } from "@playwright/test";

import { desktop, phone } from "../playwright.config";

import { expect, expectAccessible, test } from "./fixtures";

const KEY = "crewai-runner:theme";

/** Looks at the page as it stands in light and in dark; whatever is open stays open. */
export async function expectAccessibleInBothThemes(page: Page): Promise<void> {
  await page.emulateMedia({ reducedMotion: "reduce" });
  for (const theme of ["light", "dark"] as const) {
    await choose(page, theme);
    await expectAccessible(page);
  }
  await choose(page, null);
}

/**
 * Chooses a theme as another tab would: at once, where a page that is told by the media query waits for its
 * next frame, and an idle page may draw none by itself. Nothing fades meanwhile.
 */
async function choose(page: Page, theme: "light" | "dark" | null): Promise<void> {
  const dark = await page.evaluate(
    ([key, value]) => {
      const still = new CSSStyleSheet();
      still.replaceSync("*, ::before, ::after { transition: none !important }");
      document.adoptedStyleSheets = value ? [still] : [];
      if (value) localStorage.setItem(key, JSON.stringify(value));
      else localStorage.removeItem(key);
      window.dispatchEvent(new StorageEvent("storage", { key }));
      return document.documentElement.classList.contains("dark");
    },
    [KEY, theme] as const,
  );
  if (theme) expect(dark).toBe(theme === "dark");
}

/** The same as a step with a name, so that a finding tells where it was made. */
export async function look(page: Page, state: string): Promise<void> {
  await test.step(`axe: ${state}`, () => expectAccessibleInBothThemes(page));
}

/** A journey on a desktop and on a phone, in one product. */
export function atBothSizes(title: string, journey: Parameters<typeof test>[2]): void {
  for (const [size, device] of Object.entries({ desktop, phone })) {
    test.describe(size, () => {
      test.use(device);
      test(title, journey);
    });
  }
}
