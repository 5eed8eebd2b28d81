import type { Page } from "@playwright/test";

import { uniqueName } from "./api";
import { expect, openPage, test } from "./fixtures";

const heading = (page: Page, name: string) => page.getByRole("heading", { level: 1, name });
const palette = (page: Page) => page.getByRole("dialog", { name: "Search or jump to" });
const input = (page: Page) => palette(page).getByRole("combobox");

const workflowYaml = (name: string) => `name: ${name}
agents:
  writer:
    role: Writer
    goal: Write
    backstory: Brief.
tasks:
  write:
    description: Write.
    expected_output: A text
    agent: writer
`;

async function searchPalette(page: Page, text: string): Promise<void> {
  await page.keyboard.press("Control+k");
  await input(page).fill(text);
}

test("an exact page name ranks above workflows with similar names", async ({
  signedIn: page,
  api,
}) => {
  const name = uniqueName("Runs runs");
  await api.createWorkflow(workflowYaml(name));
  await openPage(page, "/settings");

  await searchPalette(page, "runs");
  await expect(page.getByRole("option", { name, exact: true })).toBeVisible();
  await expect(page.getByRole("option").first()).toHaveText(/^Runs/);
  await page.keyboard.press("Enter");

  await expect(heading(page, "Runs")).toBeVisible();
  await expect(page.locator("#main")).toBeFocused();
});

test("opens and runs a workflow found by name", async ({ signedIn: page, api }) => {
  const name = uniqueName("Honey");
  const id = await api.createWorkflow(workflowYaml(name));
  await openPage(page, "/settings");

  await searchPalette(page, name);
  await page.getByRole("option", { name, exact: true }).click();
  await expect(page).toHaveURL(new RegExp(`/workflows/${id}$`));

  await searchPalette(page, `run ${name}`);
  await page.getByRole("option", { name: `Run ${name}`, exact: true }).click();
  await expect(page).toHaveURL(new RegExp(`/workflows/${id}/run`));
});

test("offers to search the runs for an unknown term", async ({ signedIn: page }) => {
  await openPage(page, "/settings");

  await searchPalette(page, "zebra crossing");
  await page.getByRole("option", { name: "Search runs for “zebra crossing”" }).click();

  await expect(heading(page, "Runs")).toBeVisible();
  await expect(page).toHaveURL(/q=zebra/);
});

test("opens from the top bar and returns the focus on close @phone", async ({ signedIn: page }) => {
  await openPage(page, "/settings");
  const button = page.getByRole("button", { name: "Search or jump to…" });

  await button.click();
  await expect(input(page)).toBeFocused();
  await expect(page.getByRole("option").first()).toBeVisible();
  await page.keyboard.press("Escape");

  await expect(palette(page)).toHaveCount(0);
  await expect(button).toBeFocused();
});

test("runs the commands for theme, shortcuts and sign-out", async ({ signedIn: page }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await openPage(page, "/settings");

  await searchPalette(page, "dark");
  await page.keyboard.press("Enter");
  await expect(page.locator("html")).toHaveClass("dark");

  await searchPalette(page, "shortcuts");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
  await page.keyboard.press("Escape");

  await searchPalette(page, "sign out");
  await page.keyboard.press("Enter");
  await expect(heading(page, "Sign in to CrewAI Runner")).toBeVisible();
});

test("shortcuts open pages and are listed in the shortcuts dialog @phone", async ({
  signedIn: page,
}) => {
  await openPage(page, "/settings");
  const pages = {
    d: "Dashboard",
    w: "Workflows",
    p: "Projects",
    r: "Runs",
    m: "Providers & models",
    s: "Settings",
  };
  for (const [letter, name] of Object.entries(pages)) {
    await page.keyboard.press("g");
    await page.keyboard.press(letter);
    await expect(heading(page, name)).toBeVisible();
  }

  await page.keyboard.press("?");
  const shortcutsDialog = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await expect(shortcutsDialog.getByText("New workflow")).toBeVisible();
  // Shortcuts are disabled while a dialog is open.
  await page.keyboard.press("c");
  await expect(page.locator("h1")).toHaveText("Settings");
  await page.keyboard.press("Escape");
  await expect(shortcutsDialog).toHaveCount(0);

  await page.keyboard.press("c");
  await expect(page).toHaveURL(/\/workflows\/new/);
});

test("shortcuts are disabled while typing and when switched off", async ({ signedIn: page }) => {
  await openPage(page, "/settings");
  await searchPalette(page, "");
  await page.keyboard.type("gr?c");
  await expect(input(page)).toHaveValue("gr?c");
  await page.keyboard.press("Escape");
  await expect(palette(page)).toHaveCount(0);

  await page.getByRole("switch", { name: "Single-key shortcuts" }).click();
  await page.keyboard.press("?");
  await page.keyboard.press("g");
  await page.keyboard.press("r");
  await page.keyboard.press("Control+k");

  await expect(palette(page)).toBeVisible();
  await expect(page).toHaveURL(/\/settings$/);
});
