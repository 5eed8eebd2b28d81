/** People: invitations, a second factor, keys, signing others out, the audit log. */
import { createHmac } from "node:crypto";

import type { Browser, Page } from "@playwright/test";

import { API_KEY } from "../playwright.config";

import { expect, expectAccessible, openPage, signIn, test } from "./fixtures";
import { FreshProduct } from "./fresh-product";

const PASSWORD = "correct horse battery staple";
const AUTH_ERRORS = /status of (401|403)/;
let product: FreshProduct;

// People change the sign-in page, so these tests have a product of their own; they run in file order.
test.describe.configure({ mode: "default", timeout: 90_000 });

test.beforeAll(async () => {
  test.setTimeout(120_000);
  product = await FreshProduct.start();
});

test.afterAll(async () => product.stop());

const url = (path: string) => product.url + path;
const main = (page: Page) => page.getByRole("main");

/** Colours in transition have no contrast of their own. */
const endAnimations = (page: Page) =>
  page.evaluate(async () => {
    const running = document
      .getAnimations()
      .filter(({ effect }) => effect?.getComputedTiming().iterations !== Infinity);
    await Promise.allSettled(running.map(({ finished }) => finished));
  });

async function invite(page: Page, email: string, role: string): Promise<string> {
  await openPage(page, url("/settings/people"));
  await page.getByRole("button", { name: "Invite someone" }).first().click();
  await page.getByLabel("E-mail address").fill(email);
  await page.getByRole("dialog").getByLabel("Role").selectOption(role);
  await page.getByRole("button", { name: "Create invitation" }).click();
  const dialog = page.getByRole("dialog", { name: "Pass this link on" });
  const link = (await dialog.locator("code").textContent()) ?? "";
  await dialog.getByRole("button", { name: "Done" }).click();
  return link;
}

async function createAccount(page: Page, link: string, name: string): Promise<void> {
  await openPage(page, link);
  await page.getByLabel("Your name").fill(name);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Dashboard" })).toBeVisible();
}

async function otherBrowser(browser: Browser): Promise<Page> {
  return (await browser.newContext()).newPage();
}

/** The code of an authenticator app (RFC 6238). */
function totp(secret: string, at: number): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = Array.from(secret, (character) =>
    alphabet.indexOf(character).toString(2).padStart(5, "0"),
  ).join("");
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const digest = createHmac("sha1", key).update(counter).digest();
  const offset = (digest.at(-1) ?? 0) & 0xf;
  return String((digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

test("someone invited creates an account with the role of the invitation", async ({
  page,
  browser,
}) => {
  await signIn(page, product.url);
  await openPage(page, url("/settings/people"));
  await expect(page.getByText("Only the API key can sign in")).toBeVisible();
  await expectAccessible(page);
  const link = await invite(page, "ann@example.org", "operator");
  await expect(main(page).getByText("ann@example.org", { exact: true })).toBeVisible();

  const ann = await otherBrowser(browser);
  await openPage(ann, link);
  await expectAccessible(ann);
  await createAccount(ann, link, "Ann");
  await ann.getByRole("button", { name: "Account" }).click();
  await expect(ann.getByText("Operator in Default")).toBeVisible();
  await openPage(ann, url("/account"));
  await expect(ann.getByText("This browser")).toBeVisible();
  await expectAccessible(ann);

  await page.reload();
  await expect(page.getByLabel("Role of Ann")).toHaveValue("operator");
  await expectAccessible(page);
});

test("signing in asks for the second factor", async ({ browser, browserErrors }) => {
  browserErrors.allow(AUTH_ERRORS);
  const ann = await otherBrowser(browser);
  await openPage(ann, url("/sign-in"));
  await expectAccessible(ann);
  await ann.getByLabel("E-mail address").fill("ann@example.org");
  await ann.getByLabel("Password").fill(PASSWORD);
  await ann.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(ann.getByRole("heading", { level: 1, name: "Dashboard" })).toBeVisible();
  await openPage(ann, url("/account"));

  const card = ann.locator("section", { has: ann.getByRole("heading", { name: "Second factor" }) });
  await card.getByLabel("Your password").fill(PASSWORD);
  await card.getByRole("button", { name: "Set up" }).click();
  const secret = (await card.locator("code").textContent()) ?? "";
  await expectAccessible(ann);
  await card.getByLabel("Code").fill(totp(secret, Date.now() - 30_000));
  await card.getByRole("button", { name: "Activate" }).click();
  await expect(ann.getByRole("dialog").getByRole("listitem")).toHaveCount(10);
  await ann.getByRole("button", { name: "Done" }).click();
  await expect(card.getByText("Active")).toBeVisible();

  const again = await otherBrowser(browser);
  await openPage(again, url("/sign-in"));
  await again.getByLabel("E-mail address").fill("ann@example.org");
  await again.getByLabel("Password").fill(PASSWORD);
  await again.getByRole("button", { name: "Sign in", exact: true }).click();
  await again.getByLabel("Code").fill(totp(secret, Date.now()));
  await again.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(again.getByRole("heading", { level: 1, name: "Dashboard" })).toBeVisible();
});

test("an owner signs someone out, and that browser is out within seconds", async ({
  page,
  browser,
}) => {
  await signIn(page, product.url);
  const link = await invite(page, "bob@example.org", "viewer");
  const bob = await otherBrowser(browser);
  await createAccount(bob, link, "Bob");

  await page.reload();
  await page.getByRole("button", { name: "Actions for Bob" }).click();
  await page.getByRole("menuitem", { name: "Sign out everywhere" }).click();
  await expect(page.getByText("Bob is signed out everywhere")).toBeVisible();

  await expect(bob.getByRole("dialog")).toBeVisible({ timeout: 20_000 });
});

test("a key of the workspace is shown once and can be revoked", async ({ page }) => {
  await signIn(page, product.url);
  await openPage(page, url("/settings/api-keys"));
  await page.getByRole("button", { name: "New API key" }).click();
  await page.getByLabel("Name").fill("nightly build");
  await page.getByRole("button", { name: "Create key" }).click();
  const key = (await page.getByRole("dialog").locator("code").textContent()) ?? "";
  await page.getByRole("button", { name: "Done" }).click();
  const me = () =>
    fetch(url("/api/v1/me"), { headers: { Authorization: `Bearer ${key}` } }).then((r) => r.status);
  expect(await me()).toBe(200);
  expect(key).not.toBe(API_KEY);
  await expect(main(page).getByText(key)).toHaveCount(0);
  await expectAccessible(page);

  await page.getByRole("button", { name: "Revoke nightly build" }).click();
  await page.getByRole("button", { name: "Revoke key" }).click();
  await expect(page.getByText("Revoked", { exact: true })).toBeVisible();
  expect(await me()).toBe(401);
});

test("the audit log shows who changed what, and what was refused", async ({ page }) => {
  await signIn(page, product.url);
  await openPage(page, url("/settings/audit"));
  const revoked = page.getByRole("button", { name: "Revoke api key details" });
  await expect(revoked).toBeVisible();
  await expectAccessible(page);
  await revoked.focus();
  await page.keyboard.press("Enter");
  const drawer = page.getByRole("dialog", { name: "Revoke api key" });
  await expect(drawer.getByText("api-key.revokedAt")).toBeVisible();
  await endAnimations(page);
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  await expect(revoked).toBeFocused();

  await page.getByLabel("Result").selectOption("refused");
  await expect(page).toHaveURL(/result=refused/);
  await expect(page.getByRole("button", { name: "Use an API key details" })).toBeVisible();
  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize({ width: 390, height: 844 });
  await endAnimations(page);
  await expectAccessible(page);

  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export JSON lines" }).click();
  expect((await download).suggestedFilename()).toBe("audit-log.jsonl");
});
