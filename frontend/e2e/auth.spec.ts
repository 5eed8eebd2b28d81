import type { Page } from "@playwright/test";

import { API_KEY } from "../playwright.config";

import { expect, open, test } from "./fixtures";

const STORED = "crewai-runner:api-key";
/** Chromium reports every refusal as an error; here a refusal is what is asked for. */
const REFUSED = /status of 401|status of 429/;

const field = (page: Page) => page.getByLabel("API key");
const heading = (page: Page, name: string) => page.getByRole("heading", { level: 1, name });

async function signInWith(page: Page, key: string, { remember = false } = {}): Promise<void> {
  await field(page).fill(key);
  if (remember) await page.getByLabel("Remember on this device").check();
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

test("whoever is not signed in is asked for the key, and then is where they wanted to be @phone", async ({
  page,
}) => {
  await open(page, "/runs?q=market");
  await expect(heading(page, "Sign in to CrewAI Runner")).toBeVisible();

  await signInWith(page, ` ${API_KEY} `);

  await expect(heading(page, "Runs")).toBeVisible();
  await expect(page).toHaveURL(/\/runs\?q=market$/);
  expect(await page.evaluate((name) => localStorage.getItem(name), STORED)).toBeNull();
  expect(page.url()).not.toContain(API_KEY);
});

test("a wrong key is told at the field, with help where the right one is @phone", async ({
  page,
  complaints,
}) => {
  complaints.allow(REFUSED);
  await open(page, "/sign-in");

  await signInWith(page, "not-the-key");

  await expect(page.getByText("Invalid API key")).toBeVisible();
  await expect(field(page)).toBeFocused();
  await expect(field(page)).toHaveAttribute("aria-invalid", "true");
  await page.getByText("Where do I find the API key?").click();
  await expect(page.getByText("prints it when it starts")).toBeVisible();

  await page.getByRole("button", { name: "Show the key" }).click();
  await expect(field(page)).toHaveAttribute("type", "text");
  await expect(field(page)).toHaveValue("not-the-key");
});

test("a key that is no key, or none at all, is not even sent", async ({ page }) => {
  await open(page, "/sign-in");

  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByText("Enter the API key.")).toBeVisible();

  await signInWith(page, "clé ☃");
  await expect(page.getByText("Invalid API key")).toBeVisible();
});

test("without a connection it says so, and keeps what was typed", async ({
  page,
  context,
  complaints,
}) => {
  complaints.allow(/ERR_INTERNET_DISCONNECTED/);
  await open(page, "/sign-in");
  await context.setOffline(true);

  await signInWith(page, API_KEY);
  await expect(page.getByRole("alert")).toContainText("The server cannot be reached");

  await context.setOffline(false);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByRole("button", { name: "Account" })).toBeVisible();
});

for (const next of ["https://evil.test/", "//evil.test/", "/\\evil.test/", "javascript:alert(1)"]) {
  test(`sign-in never leads to another site: ${next}`, async ({ page, baseURL }) => {
    await open(page, `/sign-in?next=${encodeURIComponent(next)}`);

    await signInWith(page, API_KEY);

    await expect(heading(page, "Dashboard")).toBeVisible();
    await expect(page).toHaveURL(`${baseURL}/`);
    // Nor does the address when one is signed in already.
    await page.goto(`/sign-in?next=${encodeURIComponent(next)}`);
    await expect(heading(page, "Dashboard")).toBeVisible();
    await expect(page).toHaveURL(`${baseURL}/`);
  });
}

test("a remembered key opens further tabs, until it is forgotten", async ({ page, context }) => {
  await open(page, "/sign-in");
  await signInWith(page, API_KEY, { remember: true });
  await expect(heading(page, "Dashboard")).toBeVisible();

  const second = await context.newPage();
  await open(second, "/settings");
  await expect(heading(second, "Settings")).toBeVisible();
  await second.getByRole("button", { name: "Forget on this device" }).click();
  await expect(second.getByText("Kept in this tab only")).toBeVisible();

  // The first tab had only the shared key, and it is gone.
  await expect(heading(page, "Sign in to CrewAI Runner")).toBeVisible();
  await second.reload();
  await expect(heading(second, "Settings")).toBeVisible();
});

test("signing out forgets the key, and nothing of the page stays @phone", async ({ page }) => {
  await open(page, "/sign-in?next=/settings");
  await signInWith(page, API_KEY);
  await expect(heading(page, "Settings")).toBeVisible();

  await page.getByRole("button", { name: "Account" }).click();
  await page
    .getByRole("dialog", { name: "Account" })
    .getByRole("button", { name: "Sign out" })
    .click();

  await expect(heading(page, "Sign in to CrewAI Runner")).toBeVisible();
  await expect(page.getByText("All systems operational")).toHaveCount(0);
  await page.goto("/settings");
  await expect(heading(page, "Sign in to CrewAI Runner")).toBeVisible();
});

test("a key that is refused is asked for over the page, which then goes on by itself @phone", async ({
  page,
  complaints,
}) => {
  complaints.allow(REFUSED);
  await open(page, "/sign-in?next=/settings");
  await signInWith(page, API_KEY);
  await expect(page.getByText("All systems operational")).toBeVisible();

  await page.evaluate((name) => sessionStorage.setItem(name, "was-valid-once"), STORED);
  await page.reload();

  const dialog = page.getByRole("dialog", { name: "Sign in again" });
  await expect(dialog).toBeVisible();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+k");
  await expect(dialog).toBeVisible();
  await expect(page.getByRole("combobox")).toHaveCount(0);

  await signInWith(page, "still-wrong");
  await expect(dialog.getByText("Invalid API key")).toBeVisible();

  await signInWith(page, API_KEY);
  await expect(dialog).toHaveCount(0);
  await expect(page.getByText("SQLite")).toBeVisible();
});

test("who cannot sign in again may leave", async ({ page, complaints }) => {
  complaints.allow(REFUSED);
  await page.addInitScript((name) => sessionStorage.setItem(name, "was-valid-once"), STORED);
  await open(page, "/settings");

  await page
    .getByRole("dialog", { name: "Sign in again" })
    .getByRole("button", { name: "Sign out" })
    .click();

  await expect(heading(page, "Sign in to CrewAI Runner")).toBeVisible();
});
