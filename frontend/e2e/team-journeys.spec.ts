/** Journeys of a team: from an invitation to the first run, between workspaces, out of a browser, on a phone. */
import type { Browser, Page } from "@playwright/test";

import { desktop, phone } from "../playwright.config";

import { Api } from "./api";
import { twoTasks } from "./documents.mjs";
import { expect, openPage, signIn, test } from "./fixtures";
import { FreshProduct } from "./fresh-product";
import { Provider } from "./provider";
import { checkAccessibility } from "./themes";

const PASSWORD = "correct horse battery staple";
const OUT_MS = 15_000;
/** The browser logs refused requests. */
const REFUSED = /status of (401|403)/;
let product: FreshProduct;
let provider: Provider;
let api: Api;

// The tests follow each other: they share people and workspaces.
test.describe.configure({ mode: "serial", timeout: 120_000 });

test.beforeAll(async () => {
  test.setTimeout(120_000);
  [product, provider] = await Promise.all([FreshProduct.start(), Provider.start()]);
  api = new Api(product.url);
  await provider.script(["Three facts.", "A note about bees."]);
  const model = await api.createModel(provider.baseUrl);
  await api.createWorkflow(twoTasks(model, "Market research"));
});

test.afterAll(async () => {
  await provider.stop();
  await product.stop();
});

const url = (path: string) => product.url + path;
const heading = (page: Page, name: string) => page.getByRole("heading", { level: 1, name });

async function invite(email: string, role: string): Promise<string> {
  const { link } = await api.call<{ link: { path: string } }>("POST", "/api/v1/invitations", {
    email,
    role,
  });
  return url(link.path);
}

async function newBrowser(browser: Browser, options = {}): Promise<Page> {
  return (await browser.newContext(options)).newPage();
}

/** Presses Tab until the element has the focus. */
async function tabTo(page: Page, name: RegExp | string, role: "button" | "textbox" | "link") {
  const wanted = page.getByRole(role, { name }).first();
  await wanted.waitFor();
  for (let presses = 0; presses < 60; presses += 1) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not reach ${String(name)}`);
}

test("an invitation leads to the first run with the keyboard alone", async ({ browser }) => {
  const ann = await newBrowser(browser, desktop);
  await openPage(ann, await invite("ann@example.org", "operator"));
  await checkAccessibility(ann, "invitation");
  await tabTo(ann, "Your name", "textbox");
  await ann.keyboard.type("Ann");
  await tabTo(ann, "Password", "textbox");
  await ann.keyboard.type(PASSWORD);
  await ann.keyboard.press("Enter");
  await expect(heading(ann, "Dashboard")).toBeVisible();

  await tabTo(ann, "Workflows", "link");
  await ann.keyboard.press("Enter");
  await expect(heading(ann, "Workflows")).toBeVisible();
  await tabTo(ann, "Run Market research", "link");
  await ann.keyboard.press("Enter");
  await tabTo(ann, /^topic/, "textbox");
  await ann.keyboard.type("bees");
  await tabTo(ann, "Start run", "button");
  await ann.keyboard.press("Enter");

  await expect(ann).toHaveURL(/\/runs\/run_/);
  await expect(ann.locator("header").getByText("Completed", { exact: true })).toBeVisible({
    timeout: 30_000,
  });
  const runId = /run_[0-9a-f]+/.exec(ann.url())?.[0] ?? "";
  const { run } = await api.call<{ run: { createdByName: string } }>(
    "GET",
    `/api/v1/runs/${runId}`,
  );
  expect(run.createdByName).toBe("Ann");
});

test("an invitation is accepted on a phone", async ({ browser }) => {
  const dora = await newBrowser(browser, phone);
  await openPage(dora, await invite("dora@example.org", "viewer"));
  await checkAccessibility(dora, "invitation on a phone");
  await dora.getByLabel("Your name").fill("Dora");
  await dora.getByLabel("Password").fill(PASSWORD);
  await dora.getByRole("button", { name: "Create account" }).tap();
  await expect(heading(dora, "Dashboard")).toBeVisible();
  const width = await dora.evaluate(() => document.documentElement.scrollWidth);
  expect(width).toBeLessThanOrEqual(phone.viewport.width);
  await dora.getByRole("button", { name: "Account" }).tap();
  await expect(dora.getByText("Viewer in Default")).toBeVisible();
  await checkAccessibility(dora, "account menu on a phone");
});

test("someone in two workspaces switches between them", async ({ browser }) => {
  const { person } = await api.call<{ person: { id: string } }>("POST", "/api/v1/people", {
    name: "Root",
    email: "root@example.org",
    password: PASSWORD,
    role: "owner",
    isAdministrator: true,
  });
  expect(person.id).toMatch(/^pers_/);
  const root = await newBrowser(browser, desktop);
  await openPage(root, url("/sign-in"));
  await root.getByLabel("E-mail address").fill("root@example.org");
  await root.getByLabel("Password").fill(PASSWORD);
  await root.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(heading(root, "Dashboard")).toBeVisible();
  const created = await root.evaluate(async () => {
    const stored = localStorage.getItem("crewai-runner:session") ?? "{}";
    const { csrfToken } = JSON.parse(stored) as { csrfToken: string };
    const headers = { "X-CSRF-Token": csrfToken, "Content-Type": "application/json" };
    const body = JSON.stringify({ name: "Laboratory" });
    return (await fetch("/api/v1/workspaces", { method: "POST", headers, body })).status;
  });
  expect(created).toBe(201);
  await root.reload();

  await openPage(root, url("/workflows"));
  await expect(root.getByRole("listitem").filter({ hasText: "Market research" })).toBeVisible();
  await root.getByRole("button", { name: "Account" }).click();
  await checkAccessibility(root, "account menu with workspaces");
  await root.getByRole("button", { name: "Laboratory" }).click();
  await expect(heading(root, "Dashboard")).toBeVisible();
  await root.getByRole("button", { name: "Account" }).click();
  await expect(root.getByText("Owner in Laboratory")).toBeVisible();
  await openPage(root, url("/workflows"));
  await expect(root.getByText("Market research")).toHaveCount(0);

  await root.getByRole("button", { name: "Account" }).click();
  await root.getByRole("button", { name: "Default" }).click();
  await expect(heading(root, "Dashboard")).toBeVisible();
  await openPage(root, url("/workflows"));
  await expect(root.getByRole("listitem").filter({ hasText: "Market research" })).toBeVisible();
});

test("the administrator sees all workspaces and limits one of them", async ({ page }) => {
  await signIn(page, product.url);
  await openPage(page, url("/settings"));
  await page.getByRole("link", { name: "Show workspaces" }).click();
  await expect(heading(page, "Workspaces")).toBeVisible();
  const shown = page.getByRole("list", { name: "Workspaces" });
  await expect(shown.getByRole("heading", { name: "Laboratory" })).toBeVisible();
  await checkAccessibility(page, "workspaces");
  await page.setViewportSize(phone.viewport);
  await checkAccessibility(page, "workspaces on a phone");
  await page.setViewportSize(desktop.viewport);

  await page.getByRole("button", { name: "Set upper limits of Laboratory" }).click();
  const dialog = page.getByRole("dialog", { name: "Upper limits of this workspace" });
  await dialog.getByLabel("Runs at once").fill("3");
  await checkAccessibility(page, "upper limits");
  await dialog.getByRole("button", { name: "Save limits" }).click();
  await expect(dialog).toHaveCount(0);
  const laboratory = shown.locator("section", { hasText: "Laboratory" });
  await expect(laboratory.getByText("0 of 3")).toBeVisible();
});

test("an owner ends one session, and that browser is out within seconds", async ({
  browser,
  browserErrors,
}) => {
  browserErrors.allow(REFUSED);
  const ona = await newBrowser(browser, desktop);
  await openPage(ona, await invite("ona@example.org", "owner"));
  await ona.getByLabel("Your name").fill("Ona");
  await ona.getByLabel("Password").fill(PASSWORD);
  await ona.getByRole("button", { name: "Create account" }).click();
  await expect(heading(ona, "Dashboard")).toBeVisible();
  const other = await newBrowser(browser, phone);
  await openPage(other, url("/sign-in"));
  await other.getByLabel("E-mail address").fill("ona@example.org");
  await other.getByLabel("Password").fill(PASSWORD);
  await other.getByRole("button", { name: "Sign in", exact: true }).tap();
  await expect(heading(other, "Dashboard")).toBeVisible();

  await openPage(ona, url("/account"));
  await ona.getByRole("list", { name: "Browsers" }).getByRole("button").click();
  const started = Date.now();
  await expect(other.getByRole("dialog")).toBeVisible({ timeout: OUT_MS });
  console.log(`signed out in the other browser after ${Date.now() - started} ms`);
  await checkAccessibility(other, "signed out");
  await ona.reload();
  await expect(heading(ona, "Your account")).toBeVisible();
});
