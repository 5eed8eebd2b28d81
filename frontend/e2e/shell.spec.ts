import type { Page } from "@playwright/test";

import { uniqueName } from "./api";
import { twoTasks } from "./documents.mjs";
import { expect, openPage, test } from "./fixtures";

const PHONE = { width: 390, height: 844 };
const main = (page: Page) => page.locator("#main");
const heading = (page: Page, name: string) => page.getByRole("heading", { level: 1, name });
const nav = (page: Page) => page.getByRole("navigation", { name: "Main" });

test("a signed-in user can open every page from the navigation", async ({ signedIn: page }) => {
  await openPage(page, "/settings");

  for (const name of [
    "Workflows",
    "Projects",
    "Runs",
    "Providers & models",
    "Settings",
    "Dashboard",
  ]) {
    const link = nav(page).getByRole("link", { name, exact: true });
    await link.click();
    await expect(heading(page, name)).toBeVisible();
    await expect(page).toHaveTitle(`${name} · CrewAI Runner`);
    await expect(link).toHaveAttribute("aria-current", "page");
    await expect(nav(page).locator("li [aria-current]")).toHaveCount(1);
    // Screen readers get the page title announced, and the focus moves to the content.
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

test("the first Tab stop skips to the content", async ({ signedIn: page }) => {
  await openPage(page, "/settings");

  await page.keyboard.press("Tab");
  const skipLink = page.getByRole("link", { name: "Skip to content" });
  await expect(skipLink).toBeFocused();
  await expect(skipLink).toBeInViewport();
  await page.keyboard.press("Enter");

  await expect(main(page)).toBeFocused();
});

test("the collapsed state of the sidebar survives a reload", async ({ signedIn: page }) => {
  await openPage(page, "/settings");

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

test("the navigation is a drawer on a phone @phone", async ({ signedIn: page }) => {
  await page.setViewportSize(PHONE);
  await openPage(page, "/settings");
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

test("an unknown URL shows a not-found page inside the app shell @phone", async ({
  signedIn: page,
}) => {
  await openPage(page, "/no/such/page");

  await expect(heading(page, "Page not found")).toBeVisible();
  await expect(page.getByRole("button", { name: "Account" })).toBeVisible();
  await page.getByRole("link", { name: "Go to dashboard" }).click();
  await expect(heading(page, "Dashboard")).toBeVisible();
});

test("the stored theme is applied before the application code loads", async ({
  page,
  browserErrors,
}) => {
  browserErrors.allow(/ERR_FAILED/);
  await page.addInitScript(() => localStorage.setItem("crewai-runner:theme", '"dark"'));
  await page.route("**/assets/*.js", (route) => route.abort());

  await page.goto("/sign-in");

  await expect(page.locator("html")).toHaveClass("dark");
  const background = await page.evaluate(
    () => getComputedStyle(document.documentElement).backgroundColor,
  );
  expect(background).toBe("rgb(12, 14, 19)");
});

test("the theme can be set, survives a reload and can follow the system again @phone", async ({
  signedIn: page,
}) => {
  await page.emulateMedia({ colorScheme: "light" });
  await openPage(page, "/settings");
  const html = page.locator("html");
  const chooseTheme = async (name: string) => {
    await page.getByRole("button", { name: "Theme" }).click();
    await page.getByRole("dialog", { name: "Theme" }).getByRole("button", { name }).click();
    await expect(page.getByRole("dialog")).toHaveCount(0);
  };

  await chooseTheme("Dark");
  await expect(html).toHaveClass("dark");
  await expect(page.getByRole("button", { name: "Theme" })).toBeFocused();
  await page.reload();
  await expect(html).toHaveClass("dark");

  await chooseTheme("System");
  await expect(html).not.toHaveClass("dark");
  await page.emulateMedia({ colorScheme: "dark" });
  await expect(html).toHaveClass("dark");
});

test("the attention button counts pending approvals and links to their runs @phone", async ({
  signedIn: page,
  api,
  provider,
}) => {
  await provider.script(["Bees hum."]);
  const name = uniqueName("Approval");
  const yaml = `${twoTasks(await api.createModel(provider.baseUrl), name)}    human_input: true\n`;
  const runId = await api.startRun(await api.createWorkflow(yaml));
  await api.waitForStatus(runId, "waiting");

  await openPage(page, "/settings");
  await page.getByRole("button", { name: /^Needs attention: \d/ }).click();
  const panel = page.getByRole("dialog", { name: /^Needs attention/ });
  await expect(panel.getByRole("link", { name: new RegExp(name) })).toContainText(
    "Approval request from task draft",
  );
  await panel.getByRole("link", { name: new RegExp(name) }).click();

  await expect(page).toHaveURL(new RegExp(`/runs/${runId}`));
  await expect(panel).toHaveCount(0);
});

test("the popovers of the top bar open and close by mouse and keyboard @phone", async ({
  signedIn: page,
}) => {
  await openPage(page, "/settings");
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

test("the settings show the system status and clear the local preferences @phone", async ({
  signedIn: page,
}) => {
  await openPage(page, "/settings");
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
  // What someone may do is stored again when the server has answered.
  await expect
    .poll(() => page.evaluate(() => Object.keys(localStorage).toSorted()))
    .toEqual(["crewai-runner:rights", "crewai-runner:session"]);
});

test("the page does not overflow on a 320 px screen", async ({ signedIn: page }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await openPage(page, "/settings");
  await expect(page.getByText("SQLite")).toBeVisible();

  const overflow = await page.evaluate(() => {
    const container = document.querySelector("#main") ?? document.documentElement;
    return [
      container.scrollWidth - container.clientWidth,
      document.documentElement.scrollWidth - innerWidth,
    ];
  });
  expect(overflow).toEqual([0, 0]);
});
