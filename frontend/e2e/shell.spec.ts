import type { Page } from "@playwright/test";

import { unique } from "./api";
import { twoTasks } from "./documents";
import { expect, open, test } from "./fixtures";

const PHONE = { width: 390, height: 844 };
const main = (page: Page) => page.locator("#main");
const heading = (page: Page, name: string) => page.getByRole("heading", { level: 1, name });
const nav = (page: Page) => page.getByRole("navigation", { name: "Main" });

test("shows the pages of the product to whoever is signed in", async ({ signedIn: page }) => {
  await open(page, "/settings");

  for (const name of ["Workflows", "Runs", "Providers & models", "Settings", "Dashboard"]) {
    const link = nav(page).getByRole("link", { name, exact: true });
    await link.click();
    await expect(heading(page, name)).toBeVisible();
    await expect(page).toHaveTitle(`${name} · CrewAI Runner`);
    await expect(link).toHaveAttribute("aria-current", "page");
    await expect(nav(page).locator("li [aria-current]")).toHaveCount(1);
    // A screen reader hears where it is, and reads on from there.
    await expect(
      page.getByRole("status").filter({ hasText: `${name} · CrewAI Runner` }),
    ).toHaveCount(1);
    await expect(main(page)).toBeFocused();
  }
  await expect(nav(page).getByRole("link", { name: "API reference" })).toHaveAttribute(
    "href",
    "/docs",
  );
});

test("the first stop of the keyboard skips to the content", async ({ signedIn: page }) => {
  await open(page, "/settings");

  await page.keyboard.press("Tab");
  const skip = page.getByRole("link", { name: "Skip to content" });
  await expect(skip).toBeFocused();
  await expect(skip).toBeInViewport();
  await page.keyboard.press("Enter");

  await expect(main(page)).toBeFocused();
});

test("the sidebar folds to a rail, and stays so", async ({ signedIn: page }) => {
  await open(page, "/settings");

  await page.getByRole("button", { name: "Collapse sidebar" }).click();
  await page.reload();

  const runs = nav(page).getByRole("link", { name: "Runs", exact: true });
  await expect(page.getByRole("button", { name: "Expand sidebar" })).toBeVisible();
  expect((await runs.boundingBox())?.width).toBeLessThan(56);
  await runs.hover();
  await expect(page.getByRole("tooltip", { name: "Runs" })).toBeVisible();
  await page.mouse.move(700, 500);
  await expect(page.getByRole("tooltip")).toHaveCount(0);
});

test("on a phone the pages are in a drawer @phone", async ({ signedIn: page }) => {
  await page.setViewportSize(PHONE);
  await open(page, "/settings");
  const button = page.getByRole("button", { name: "Open menu" });
  const drawer = page.getByRole("dialog", { name: "Pages" });

  await button.click();
  await expect(drawer).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(drawer).toHaveCount(0);
  await expect(button).toBeFocused();

  await button.click();
  await drawer.getByRole("link", { name: "Runs", exact: true }).click();
  await expect(heading(page, "Runs")).toBeVisible();
  await expect(drawer).toHaveCount(0);
  await expect(main(page)).toBeFocused();
});

test("an address without a page says so, in the frame @phone", async ({ signedIn: page }) => {
  await open(page, "/no/such/page");

  await expect(heading(page, "Page not found")).toBeVisible();
  await expect(page.getByRole("button", { name: "Account" })).toBeVisible();
  await page.getByRole("link", { name: "Go to dashboard" }).click();
  await expect(heading(page, "Dashboard")).toBeVisible();
});

test("the theme is there before the first paint, without the application", async ({
  page,
  complaints,
}) => {
  complaints.allow(/ERR_FAILED/);
  await page.addInitScript(() => localStorage.setItem("crewai-runner:theme", '"dark"'));
  await page.route("**/assets/*.js", (route) => route.abort());

  await page.goto("/sign-in");

  await expect(page.locator("html")).toHaveClass("dark");
  const background = await page.evaluate(
    () => getComputedStyle(document.documentElement).backgroundColor,
  );
  expect(background).toBe("rgb(12, 14, 19)");
});

test("the theme is chosen, kept, and given back to the system @phone", async ({
  signedIn: page,
}) => {
  await page.emulateMedia({ colorScheme: "light" });
  await open(page, "/settings");
  const html = page.locator("html");
  const choose = async (name: string) => {
    await page.getByRole("button", { name: "Theme" }).click();
    await page.getByRole("dialog", { name: "Theme" }).getByRole("button", { name }).click();
    await expect(page.getByRole("dialog")).toHaveCount(0);
  };

  await choose("Dark");
  await expect(html).toHaveClass("dark");
  await expect(page.getByRole("button", { name: "Theme" })).toBeFocused();
  await page.reload();
  await expect(html).toHaveClass("dark");

  await choose("System");
  await expect(html).not.toHaveClass("dark");
  await page.emulateMedia({ colorScheme: "dark" });
  await expect(html).toHaveClass("dark");
});

test("the bell counts what waits for a person, and leads there @phone", async ({
  signedIn: page,
  api,
  provider,
}) => {
  await provider.script(["Bees hum."]);
  const name = unique("Asks");
  const yaml = `${twoTasks(await api.model(provider.baseUrl), name)}    human_input: true\n`;
  const runId = await api.run(await api.workflow(yaml));
  await api.until(runId, "waiting");

  await open(page, "/settings");
  await page.getByRole("button", { name: /^Needs attention: \d/ }).click();
  const panel = page.getByRole("dialog", { name: /^Needs attention/ });
  await expect(panel.getByRole("link", { name: new RegExp(name) })).toContainText(
    "Approval request from task draft",
  );
  await panel.getByRole("link", { name: new RegExp(name) }).click();

  await expect(page).toHaveURL(new RegExp(`/runs/${runId}`));
  await expect(panel).toHaveCount(0);
});

test("the flyouts of the top bar are for everybody @phone", async ({ signedIn: page }) => {
  await open(page, "/settings");
  for (const name of ["Theme", "Account"]) {
    const button = page.getByRole("button", { name });
    await button.click();
    await expect(page.getByRole("dialog", { name })).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(page.getByRole("dialog")).toHaveCount(0);
    await expect(button).toBeFocused();
    await button.click();
    await button.click();
    await expect(page.getByRole("dialog")).toHaveCount(0);
  }
});

test("the settings tell how the server is, and forget what the browser keeps @phone", async ({
  signedIn: page,
}) => {
  await open(page, "/settings");
  await expect(page.getByText("All systems operational")).toBeVisible();
  await expect(page.getByText("SQLite")).toBeVisible();

  await page.getByRole("switch", { name: "Single-key shortcuts" }).click();
  await page.reload();
  const shortcuts = page.getByRole("switch", { name: "Single-key shortcuts" });
  await expect(shortcuts).not.toBeChecked();

  await page.evaluate(() => localStorage.setItem("crewai-runner:draft:x", "{}"));
  await page.getByRole("button", { name: "Clear drafts and preferences" }).click();
  await page.getByRole("button", { name: "Clear", exact: true }).click();

  await expect(shortcuts).toBeChecked();
  expect(await page.evaluate(() => Object.keys(localStorage))).toEqual([]);
});

test("nothing is wider than a small phone", async ({ signedIn: page }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await open(page, "/settings");
  await expect(page.getByText("SQLite")).toBeVisible();

  const overflow = await page.evaluate(() => {
    const area = document.querySelector("#main") ?? document.documentElement;
    return [area.scrollWidth - area.clientWidth, document.documentElement.scrollWidth - innerWidth];
  });
  expect(overflow).toEqual([0, 0]);
});
