import type { Page } from "@playwright/test";

import { desktop, phone } from "../playwright.config";

import { expect, expectAccessible, test } from "./fixtures";

const THEME_STORAGE = "crewai-runner:theme";

/** The rules of axe whose result depends on colours; those that it does not run are not among them. */
const COLOUR_RULES = ["color-contrast", "link-in-text-block"];

/**
 * Checks the current state of the page in the light and the dark theme; open dialogs and menus stay open.
 * While both themes show the same elements, the second one can only differ in its colours.
 */
export async function expectAccessibleInBothThemes(page: Page): Promise<void> {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await setTheme(page, "light");
  const lightElements = await listElements(page);
  await expectAccessible(page);
  await setTheme(page, "dark");
  const isSame = (await listElements(page)) === lightElements;
  await expectAccessible(page, isSame ? COLOUR_RULES : undefined);
  await setTheme(page, null);
}

/** Returns the elements of the page with their texts, attributes and visibility, except for classes and icons. */
function listElements(page: Page): Promise<string> {
  return page.evaluate(() => {
    const describe = (element: Element): string => {
      const attributes = [...element.attributes]
        .filter(({ name }) => name !== "class")
        .map(({ name, value }) => `${name}=${value}`);
      const isIcon = element instanceof SVGElement;
      const content = isIcon
        ? []
        : [...element.childNodes].map((node) =>
            node instanceof Element ? describe(node) : (node.textContent ?? ""),
          );
      const box = element.getBoundingClientRect();
      const place = [box.x, box.y, box.width, box.height].map(Math.round);
      return `<${element.localName} ${attributes.join(" ")} ${element.checkVisibility()} ${place.join(",")}>${content.join("")}`;
    };
    return describe(document.body);
  });
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

/**
 * Checks a state in a named test step, so that a violation shows where it was found: on a desktop in both themes, on a
 * phone in the dark one. The colours of a theme are the same at all sizes.
 */
export async function checkAccessibility(page: Page, state: string): Promise<void> {
  const isPhone = (page.viewportSize()?.width ?? 0) <= phone.viewport.width;
  await test.step(`axe: ${state}`, () =>
    isPhone ? expectAccessibleInDarkTheme(page) : expectAccessibleInBothThemes(page));
}

async function expectAccessibleInDarkTheme(page: Page): Promise<void> {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await setTheme(page, "dark");
  await expectAccessible(page);
  await setTheme(page, null);
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
