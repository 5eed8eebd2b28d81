import type { Page } from "@playwright/test";

import { API_KEY } from "../playwright.config";

import { expect, expireSession, openPage, signIn, test } from "./fixtures";

/** Chromium logs every failed response as an error; these tests expect them. */
const AUTH_ERRORS = /status of 401|status of 429/;

const keyField = (page: Page) => page.getByLabel("API key");
const heading = (page: Page, name: string) => page.getByRole("heading", { level: 1, name });

async function signInWith(page: Page, key: string, { remember = false } = {}): Promise<void> {
  await keyField(page).fill(key);
  if (remember) await page.getByLabel("Remember on this device").check();
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

test("a signed-out user is redirected to sign-in and returns to the requested page @phone", async ({
  page,
}) => {
  await openPage(page, "/runs?q=market");
  await expect(heading(page, "Sign in to CrewAI Runner")).toBeVisible();

  await signInWith(page, ` ${API_KEY} `);

  await expect(heading(page, "Runs")).toBeVisible();
  await expect(page).toHaveURL(/\/runs\?q=market$/);
  expect(page.url()).not.toContain(API_KEY);
  const readable = await page.evaluate(() =>
    JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage), document.cookie]),
  );
  expect(readable).not.toContain(API_KEY);
  expect(readable).not.toContain("crewai_runner_"); // the session cookie is HttpOnly
});

test("an invalid key shows an error at the field and help on finding the key @phone", async ({
  page,
  browserErrors,
}) => {
  browserErrors.allow(AUTH_ERRORS);
  await openPage(page, "/sign-in");

  await signInWith(page, "not-the-key");

  await expect(page.getByText("Invalid API key")).toBeVisible();
  await expect(keyField(page)).toBeFocused();
  await expect(keyField(page)).toHaveAttribute("aria-invalid", "true");
  await page.getByText("Where do I find the API key?").click();
  await expect(page.getByText("prints it when it starts")).toBeVisible();

  await page.getByRole("button", { name: "Show the key" }).click();
  await expect(keyField(page)).toHaveAttribute("type", "text");
  await expect(keyField(page)).toHaveValue("not-the-key");
});

test("an empty or malformed key is not sent to the server", async ({ page }) => {
  await openPage(page, "/sign-in");

  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByText("Enter the API key.")).toBeVisible();

  await signInWith(page, "clé ☃");
  await expect(page.getByText("Invalid API key")).toBeVisible();
});

test("sign-in while offline shows an error and keeps the entered key", async ({
  page,
  context,
  browserErrors,
}) => {
  browserErrors.allow(/ERR_INTERNET_DISCONNECTED/);
  await openPage(page, "/sign-in");
  await context.setOffline(true);

  await signInWith(page, API_KEY);
  await expect(page.getByRole("alert")).toContainText("The server cannot be reached");

  await context.setOffline(false);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByRole("button", { name: "Account" })).toBeVisible();
});

for (const next of ["https://evil.test/", "//evil.test/", "/\\evil.test/", "javascript:alert(1)"]) {
  test(`sign-in does not redirect to another site: ${next}`, async ({ page, baseURL }) => {
    await openPage(page, `/sign-in?next=${encodeURIComponent(next)}`);

    await signInWith(page, API_KEY);

    await expect(heading(page, "Dashboard")).toBeVisible();
    await expect(page).toHaveURL(`${baseURL}/`);
    // The same applies when the user is already signed in.
    await page.goto(`/sign-in?next=${encodeURIComponent(next)}`);
    await expect(heading(page, "Dashboard")).toBeVisible();
    await expect(page).toHaveURL(`${baseURL}/`);
  });
}

test("a new tab is signed in, and signing out signs out every tab", async ({ page, context }) => {
  await openPage(page, "/sign-in");
  await signInWith(page, API_KEY, { remember: true });
  await expect(heading(page, "Dashboard")).toBeVisible();
  const cookies = await context.cookies();
  expect(cookies).toMatchObject([{ httpOnly: true, sameSite: "Strict" }]);
  const days = ((cookies[0]?.expires ?? 0) * 1000 - Date.now()) / 86_400_000;
  expect(Math.round(days)).toBe(30);

  const second = await context.newPage();
  await openPage(second, "/settings");
  await expect(second.getByText("Remembered on this device")).toBeVisible();
  await second.getByRole("button", { name: "Sign out" }).click();

  await expect(heading(page, "Sign in to CrewAI Runner")).toBeVisible();
  await expect(heading(second, "Sign in to CrewAI Runner")).toBeVisible();
  await expect(async () => expect(await context.cookies()).toEqual([])).toPass();
  // Whoever kept the cookie cannot use it.
  await context.addCookies(cookies);
  const response = await context.request.get("/api/v1/about");
  expect(response.status()).toBe(401);
});

test("signing out hides the page @phone", async ({ page }) => {
  await openPage(page, "/sign-in?next=/settings");
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

test("an ended session opens the sign-in dialog and the page continues after sign-in @phone", async ({
  page,
  browserErrors,
}) => {
  browserErrors.allow(AUTH_ERRORS);
  await openPage(page, "/sign-in?next=/settings");
  await signInWith(page, API_KEY);
  await expect(page.getByText("All systems operational")).toBeVisible();

  await expireSession(page);
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

test("the dialog to sign in again has a sign-out button", async ({
  page,
  baseURL,
  browserErrors,
}) => {
  browserErrors.allow(AUTH_ERRORS);
  await signIn(page, baseURL ?? "");
  await expireSession(page);
  await openPage(page, "/settings");

  await page
    .getByRole("dialog", { name: "Sign in again" })
    .getByRole("button", { name: "Sign out" })
    .click();

  await expect(heading(page, "Sign in to CrewAI Runner")).toBeVisible();
});
